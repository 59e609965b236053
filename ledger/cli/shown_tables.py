"""Where tables are shown: a terminal has its own width, elsewhere no row is broken and no name is cut."""

from __future__ import annotations

from rich.console import Console

PLAIN_COLUMNS = 140


def table_console(columns: int = PLAIN_COLUMNS) -> Console:
    """A terminal's own width; elsewhere this many columns."""
    console = Console()
    return console if console.is_terminal else Console(width=columns)
