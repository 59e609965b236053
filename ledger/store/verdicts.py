"""Verdicts from the rows that the append statements return."""

from collections.abc import Sequence
from typing import Any

from ledger.store.append import (
    Append,
    Appended,
    ClockSkew,
    CommandIdReused,
    Repeated,
    ReservationConflict,
    Verdict,
    VersionConflict,
)

_APPENDED = 0


def verdict_of_one(append: Append, row: Sequence[Any]) -> Verdict:
    """The verdict in the row of append_one."""
    if row[0] == _APPENDED:
        return Appended(row[1], row[2], append.stream_id, append.result_version, append.result)
    return _refusal(row)


def verdicts_of_group(appends: Sequence[Append], rows: Sequence[Sequence[Any]]) -> tuple[list[Verdict], int]:
    """The verdicts in order of the commands, and the head after the group."""
    head: int = rows[0][2]
    refused = {row[0]: row[1:] for row in rows[1:]}
    verdicts: list[Verdict] = []
    for number, append in enumerate(appends, 1):
        if number in refused:
            verdicts.append(_refusal(refused[number]))
        else:
            verdicts.append(_appended(append, head))
            head += len(append.events)
    return verdicts, head


def _appended(append: Append, head: int) -> Appended:
    count = len(append.events)
    first, last = (head + 1, head + count) if count else (0, 0)
    return Appended(first, last, append.stream_id, append.result_version, append.result)


def _refusal(row: Sequence[Any]) -> Verdict:
    code, first, last, stream_id, version, result, kind, key, value, counter = row
    match code:
        case 1:
            return Repeated(first, last, stream_id, version, bytes(result))
        case 2:
            return CommandIdReused()
        case 3:
            return ClockSkew(counter)
        case 4:
            return VersionConflict(stream_id, version)
        case _:
            return ReservationConflict(kind, bytes(key), stream_id, bytes(value or b""), counter or 0)
