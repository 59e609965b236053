"""The parameters of the append statements from commands, in the order of `sql/hospital/0002_append.sql`."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from ledger.store.append import CLOCK_SKEW_MAX_US, Append, Bump, Claim, NewEvent, Reservation, Swap
from ledger.trust.envelope import prev_leaf_of

_NEVER_US = 1 << 62

Columns = Iterable[list[Any]]


def parameters_of_one(append: Append) -> tuple[Any, ...]:
    """For append_one: a command of one event without reservations."""
    event = append.events[0]
    return (
        append.command_id,
        append.content,
        append.rpc,
        append.result,
        _NEVER_US if append.any_clock else CLOCK_SKEW_MAX_US,
        event.stream_id,
        event.kind,
        event.version,
        prev_leaf_of(event.envelope) or None,
        event.type,
        event.recorded_at,
        event.envelope,
        event.body,
        event.leaf_hash,
        event.traceparent,
    )


def parameters_of_group(appends: Sequence[Append], *, with_events: bool) -> list[Any]:
    """For append_group; without events these follow by COPY."""
    numbered = list(enumerate(appends, 1))
    streams = [row for number, append in numbered for row in _stream_rows(number, append.events)]
    reservations = [_reservation_row(number, held) for number, append in numbered for held in append.reservations]
    events = [row for number, append in numbered for row in _event_rows(number, append.events)] if with_events else []
    return [
        *_columns([_command_row(append) for append in appends], 9),
        CLOCK_SKEW_MAX_US,
        *_columns(streams, 10),
        *(_columns(reservations, 9) if reservations else [None] * 9),
        *(_columns(events, 10) if with_events else [None] * 10),
    ]


def _columns(rows: list[tuple[Any, ...]], count: int) -> Columns:
    return map(list, zip(*rows, strict=True)) if rows else [[] for _ in range(count)]


def _command_row(append: Append) -> tuple[Any, ...]:
    times = [event.recorded_at for event in append.events]
    bound = bool(times) and not append.any_clock
    return (
        append.command_id,
        append.content,
        append.rpc,
        append.stream_id,
        append.result_version,
        append.result,
        len(times),
        min(times) if bound else None,
        max(times) if bound else None,
    )


def _stream_rows(number: int, events: Sequence[NewEvent]) -> list[tuple[Any, ...]]:
    """One row for each stream that the command touches: where it must stand, and where it will."""
    spans: dict[UUID, tuple[int, int]] = {}
    for at, event in enumerate(events, 1):
        first, _ = spans.get(event.stream_id, (at, at))
        spans[event.stream_id] = (first, at)
    return [_stream_row(number, events, first, last) for first, last in spans.values()]


def _stream_row(number: int, events: Sequence[NewEvent], first: int, last: int) -> tuple[Any, ...]:
    opening, closing = events[first - 1], events[last - 1]
    return (
        number,
        opening.stream_id,
        opening.kind,
        opening.version - 1,
        prev_leaf_of(opening.envelope) or None,
        closing.version,
        closing.leaf_hash,
        first,
        last,
        closing.recorded_at,
    )


def _event_rows(number: int, events: Sequence[NewEvent]) -> list[tuple[Any, ...]]:
    return [
        (
            number,
            at,
            event.stream_id,
            event.version,
            event.type,
            event.recorded_at,
            event.envelope,
            event.body,
            event.leaf_hash,
            event.traceparent,
        )
        for at, event in enumerate(events, 1)
    ]


def _reservation_row(number: int, reservation: Reservation) -> tuple[Any, ...]:
    # The counter column is what a row's counter becomes, less one: a claim and a swap leave it at 0.
    match reservation:
        case Claim(kind, key, value, stream_id, group):
            return (number, "claim", kind, key, value, None, -1, stream_id, group)
        case Swap(kind, key, expected, value):
            return (number, "swap", kind, key, value, expected, -1, None, None)
        case Bump(kind, key, expected):
            return (number, "bump", kind, key, b"", None, expected, None, None)
