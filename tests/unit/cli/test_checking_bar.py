"""What a person at a terminal sees of a long check."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from ledger.cli.checking_bar import checking_bar


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_how_far_and_how_long_and_a_file_nothing(*, terminal: bool) -> None:
    """What is checked, events done and in all, how many a second, and the time left; into a log file nothing."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100, color_system=None)
    with checking_bar("north", console) as progress:
        progress(20_000, 100_000)
        progress(60_000, 100_000)
    shown = written.getvalue()
    if terminal:
        assert "north" in shown
        assert " 60000/100000" in shown
        assert re.search(r"60000/100000 [0-9,]+/s +[0-9-]+:", shown)
    else:
        assert shown == ""
