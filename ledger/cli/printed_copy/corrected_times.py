"""What a printed copy says of times that were corrected: the one that counts, the one before, who and why."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from ledger.api.v1.common_pb2 import TIME_OF_ENTRY, TIME_OF_MOVE, TimeOf
from ledger.api.v1.records_pb2 import Record, TimeCorrection
from ledger.cli.printed_copy.entry_text import Line, named, said_time

_CORRECTED = "Time corrected"
_SINCE = "Time corrected since this copy was issued"


class CorrectedTimes:
    """Corrections as of the version of the copy, and those that came since: nobody takes an old time for the last."""

    def __init__(self, then: Record, now: Record) -> None:
        known = len(then.time_corrections)
        labels = (_CORRECTED if index < known else _SINCE for index in range(len(now.time_corrections)))
        self._made = list(zip(labels, now.time_corrections, strict=True))

    def of_entry(self, entry_id: str, zone: ZoneInfo) -> Iterator[Line]:
        """When what the entry says happened."""
        for label, each in self._made:
            if each.of == TIME_OF_ENTRY and each.entry_id == entry_id:
                yield Line(label, _said(each, zone))

    def of_stay(self, zone: ZoneInfo) -> Iterator[str]:
        """Start and end of care, moves between departments, requests and arrivals of consultations."""
        for label, each in self._made:
            if each.of != TIME_OF_ENTRY:
                yield f"{label}: {_what(each)}: {_said(each, zone)}"


def _what(made: TimeCorrection) -> str:
    what = named(TimeOf.Name(made.of).removeprefix("TIME_OF_").lower())
    return f"{what} {made.move}" if made.of == TIME_OF_MOVE else what


def _said(made: TimeCorrection, zone: ZoneInfo) -> str:
    counts, before = said_time(made.corrected_at, zone), said_time(made.before, zone)
    by = f"{made.corrected_by.name}, {said_time(made.recorded_at, zone)}"
    return f"{counts}, not {before} ({made.reason}; by {by})"
