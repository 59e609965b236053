"""Dates of a person as far as they are known: a year, a month, a day, for a death also a time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from ledger.domain.faults import Faults

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_EASTERNMOST = timedelta(hours=14)
"""Where a day begins first: no day is refused as a coming one that has begun somewhere (Kiribati, UTC+14)."""


def check_partial_date(text: str, field: str, now: datetime, faults: Faults) -> None:
    """Notes what is no `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, or begins after today. Empty is unknown."""
    if not text:
        return
    first = _first_day(text)
    if first is None:
        faults.add(field, "MALFORMED_DATE", "YYYY, YYYY-MM or YYYY-MM-DD is required")
    elif first > (now.astimezone(UTC) + _EASTERNMOST).date():
        faults.add(field, "TIME_IN_FUTURE", "a date up to today is required")


def check_partial_time(text: str, field: str, now: datetime, ahead_max: timedelta, faults: Faults) -> None:
    """As `check_partial_date`; a time with its offset too, at most `ahead_max` after now."""
    if "T" not in text:
        check_partial_date(text, field, now, faults)
        return
    time = _time(text)
    if time is None:
        faults.add(field, "MALFORMED_DATE", "a date, or YYYY-MM-DDThh:mm:ss with Z or an offset, is required")
    elif time - now > ahead_max:
        faults.add(field, "TIME_IN_FUTURE", f"at most {int(ahead_max.total_seconds())} seconds ahead")


def _first_day(text: str) -> date | None:
    matched = _DATE.fullmatch(text)
    if matched is None:
        return None
    year, month, day = (int(part) if part else 1 for part in matched.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def last_day(text: str) -> date | None:
    """The last day that a date known in part can mean; None where it is unknown or none."""
    first = _first_day(text)
    if first is None or text.count("-") == 2:
        return first
    # The first day of the next month, or year, less one.
    if "-" in text and first.month < 12:
        return first.replace(month=first.month + 1) - timedelta(days=1)
    return first.replace(month=12, day=31)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        return None
