"""What time it is. Time is an input everywhere: whoever needs it is given one of these."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]
"""The time of now, with its zone."""


class ClockUnreadable(ValueError):
    """The file that stands for the clock holds no ISO 8601 time with a zone."""


def system_clock() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


def driven_clock(file: Path) -> Clock:
    """A clock that somebody else drives: the time that the file holds when it is looked at. For tests alone."""

    def look() -> datetime:
        return read_time(file)

    return look


def clock_of(file: Path | None) -> Clock:
    """The clock that this file stands for; None = the machine's."""
    return system_clock if file is None else driven_clock(file)


def read_time(file: Path) -> datetime:
    """The time in a file. Raises ClockUnreadable, OSError."""
    try:
        time = datetime.fromisoformat(file.read_text(encoding="utf-8").strip())
    except ValueError as error:
        raise ClockUnreadable from error
    if time.tzinfo is None:
        raise ClockUnreadable
    return time.astimezone(UTC)
