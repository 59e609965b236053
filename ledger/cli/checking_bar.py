"""A bar with the rate and the time left, on a terminal alone."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text
from typing_extensions import override

from ledger.trust.range_walk import Progress as Report


@contextmanager
def checking_bar(what: str, console: Console | None = None) -> Generator[Report]:
    """Reports events done and in all, while the block runs; on standard error where no console is given."""
    with checking_bars(console) as begin:
        yield begin(what)


@contextmanager
def checking_bars(console: Console | None = None) -> Generator[Callable[[str], Report]]:
    """As `checking_bar`, for several things one after the other: each gets a line of its own once it begins."""
    console = console or Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:

        def begin(what: str) -> Report:
            task = bar.add_task(what, total=None)
            return lambda done, of: bar.update(task, completed=done, total=of)

        yield begin


class _Rate(ProgressColumn):
    """How many a second."""

    @override
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")
