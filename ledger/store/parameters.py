"""The parameters of the append statements from commands, in the order of `sql/hospital/0002_append.sql`."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from uuid import UUID

from ledger.store.append import Append, Bump, Claim, NewEvent, Reservation, Swap
from ledger.store.wire import bytea_array, int4_array, int8, int8_array, text_array, uuid_array
from ledger.trust.envelope import prev_leaf_of

_NEVER_US = 1 << 62

Parameters = list[bytes | None]
_Span = tuple[int, int, NewEvent, int, NewEvent]
_ReservationRow = tuple[str, str, bytes, bytes, bytes | None, int, UUID | None, bytes | None]


def parameters_of_one(append: Append) -> Parameters:
    """For append_one: a command of one event without reservations."""
    event = append.events[0]
    return [
        append.command_id.bytes,
        append.content,
        append.rpc.encode(),
        append.result,
        int8(_NEVER_US if append.any_clock else append.clock_skew_us_max),
        event.stream_id.bytes,
        event.kind.encode(),
        int8(event.version),
        prev_leaf_of(event.envelope) or None,
        event.type.encode(),
        int8(event.recorded_at),
        event.envelope,
        event.body,
        event.leaf_hash,
        event.traceparent.encode() if event.traceparent is not None else None,
    ]


def parameters_of_group(appends: Sequence[Append], *, with_events: bool) -> Parameters:
    """For append_group; without events these follow by COPY."""
    return [
        *_command_columns(appends),
        int8(min(append.clock_skew_us_max for append in appends)),
        *_stream_columns(appends),
        *_reservation_columns(appends),
        *(_event_columns(appends) if with_events else [None] * 10),
    ]


def _command_columns(appends: Sequence[Append]) -> Parameters:
    times = [_times(append) for append in appends]
    counts = [len(append.events) for append in appends]
    return [
        uuid_array(append.command_id for append in appends),
        bytea_array([append.content for append in appends]),
        text_array(append.rpc for append in appends),
        uuid_array(append.stream_id for append in appends),
        int8_array(append.result_version for append in appends),
        bytea_array([append.result for append in appends]),
        int4_array(accumulate(counts[:-1], initial=0)),
        int4_array(counts),
        int8_array(low for low, _ in times),
        int8_array(high for _, high in times),
    ]


def _times(append: Append) -> tuple[int | None, int | None]:
    """The earliest and latest `recorded_at`, where they are to be compared with the database's clock."""
    if append.any_clock or not append.events:
        return None, None
    times = [event.recorded_at for event in append.events]
    return min(times), max(times)


def _stream_columns(appends: Sequence[Append]) -> Parameters:
    """One row for each stream that a command touches: where it must stand, and where it will."""
    spans = list(_spans(appends))
    opening = [event for _, _, event, _, _ in spans]
    closing = [event for _, _, _, _, event in spans]
    return [
        int4_array(number for number, _, _, _, _ in spans),
        uuid_array(event.stream_id for event in opening),
        text_array(event.kind for event in opening),
        int8_array(event.version - 1 for event in opening),
        bytea_array([prev_leaf_of(event.envelope) or None for event in opening]),
        int8_array(event.version for event in closing),
        bytea_array([event.leaf_hash for event in closing]),
        int4_array(first for _, first, _, _, _ in spans),
        int4_array(last for _, _, _, last, _ in spans),
        int8_array(event.recorded_at for event in closing),
    ]


def _spans(appends: Sequence[Append]) -> Iterable[_Span]:
    """For each stream: the command that touches it first, and its first and last event, with their places from 1."""
    place = 0
    spans: dict[int, _Span] = {}
    for number, append in enumerate(appends, 1):
        for event in append.events:
            place += 1
            first, place_of_first, opening, _, _ = spans.get(event.stream_id.int, (number, place, event, place, event))
            spans[event.stream_id.int] = (first, place_of_first, opening, place, event)
    return spans.values()


def _reservation_columns(appends: Sequence[Append]) -> Parameters:
    numbered = [(number, held) for number, append in enumerate(appends, 1) for held in append.reservations]
    if not numbered:
        return [None] * 9
    acts, kinds, keys, values, expected, counters, streams, groups = zip(
        *(_reservation_row(held) for _, held in numbered), strict=True
    )
    return [
        int4_array(number for number, _ in numbered),
        text_array(acts),
        text_array(kinds),
        bytea_array(keys),
        bytea_array(values),
        bytea_array(expected),
        int8_array(counters),
        uuid_array(streams),
        bytea_array(groups),
    ]


def _reservation_row(reservation: Reservation) -> _ReservationRow:
    # The counter column is what the counter is expected to be; -1, unused, for a claim and a swap.
    match reservation:
        case Claim(kind, key, value, stream_id, group):
            return ("claim", kind, key, value, None, -1, stream_id, group)
        case Swap(kind, key, expected, value):
            return ("swap", kind, key, value, expected, -1, None, None)
        case Bump(kind, key, expected):
            return ("bump", kind, key, b"", None, expected, None, None)


def _event_columns(appends: Sequence[Append]) -> Parameters:
    numbers = [number for number, append in enumerate(appends, 1) for _ in append.events]
    events = [event for append in appends for event in append.events]
    return [
        int4_array(numbers),
        int4_array(range(1, len(events) + 1)),
        uuid_array(event.stream_id for event in events),
        int8_array(event.version for event in events),
        text_array(event.type for event in events),
        int8_array(event.recorded_at for event in events),
        bytea_array([event.envelope for event in events]),
        bytea_array([event.body for event in events]),
        bytea_array([event.leaf_hash for event in events]),
        text_array(event.traceparent for event in events),
    ]
