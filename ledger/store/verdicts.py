"""Verdicts from the rows that the append statements return."""

from collections.abc import Sequence

from psycopg.pq.abc import PGresult

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
from ledger.store.wire import read_int, read_uuid

_APPENDED = 0
_COLUMNS = 10


def verdict_of_one(append: Append, result: PGresult) -> Verdict:
    """The verdict in the row of append_one."""
    if read_int(result.get_value(0, 0)) == _APPENDED:
        return _appended(append, read_int(result.get_value(0, 1)) - 1)
    return _refusal(append, _columns(result, 0, 0))


def verdicts_of_group(appends: Sequence[Append], result: PGresult) -> tuple[list[Verdict], int]:
    """The verdicts in order of the commands, and the head after the group."""
    head = read_int(result.get_value(0, 2))
    refused = {read_int(result.get_value(row, 0)): row for row in range(1, result.ntuples)}
    verdicts: list[Verdict] = []
    for number, append in enumerate(appends, 1):
        if number in refused:
            verdicts.append(_refusal(append, _columns(result, refused[number], 1)))
        else:
            verdicts.append(_appended(append, head))
            head += len(append.events)
    return verdicts, head


def _appended(append: Append, head: int) -> Appended:
    count = len(append.events)
    first, last = (head + 1, head + count) if count else (0, 0)
    return Appended(first, last, append.stream_id, append.result_version, append.result)


def _columns(result: PGresult, row: int, start: int) -> list[bytes | None]:
    return [result.get_value(row, column) for column in range(start, start + _COLUMNS)]


def _refusal(append: Append, row: list[bytes | None]) -> Verdict:
    code, first, last, stream, version, result, kind, key, value, counter = row
    stream_id = read_uuid(stream)
    match read_int(code):
        case 1:
            primary = stream_id or append.stream_id
            return Repeated(read_int(first), read_int(last), primary, read_int(version), result or b"")
        case 2:
            return CommandIdReused()
        case 3:
            return ClockSkew(read_int(counter))
        case 4:
            return VersionConflict(stream_id or append.stream_id, read_int(version))
        case _:
            return ReservationConflict((kind or b"").decode(), key or b"", stream_id, value or b"", read_int(counter))
