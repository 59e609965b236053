"""Folds a batch of events into rows. Pure, so that the poison in it can be told from the database's troubles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ledger.views.errors import BodyNotOpened
from ledger.views.event import ViewEvent
from ledger.views.view import Erased, Row, RowKey, View

_RECORD_DESTROYED = "ledger.v1.RecordDestroyed"


@dataclass(frozen=True, slots=True)
class Poison:
    """An event that the view cannot handle; `error` is the kind of failure, without the event's content."""

    event: ViewEvent
    error: str


@dataclass(frozen=True, slots=True)
class Planned:
    """An event with the rows that it needs, or what went wrong in naming them."""

    event: ViewEvent
    keys: tuple[RowKey, ...]
    error: str = ""


@dataclass(slots=True)
class Folded:
    """What a batch comes to."""

    changed: dict[RowKey, Row] = field(default_factory=dict[RowKey, Row])
    erased: set[Erased] = field(default_factory=set[Erased])
    """What goes before the changed rows are stored."""
    poison: list[Poison] = field(default_factory=list[Poison])
    parked: list[ViewEvent] = field(default_factory=list[ViewEvent])
    destroyed: set[UUID] = field(default_factory=set[UUID])
    """Streams of which nothing is to be kept: neither dead letters nor what is parked behind them."""


def plan(view: View, events: Iterable[ViewEvent]) -> list[Planned]:
    """Which rows each event needs."""
    return [_planned(view, event) for event in events]


def fold(view: View, planned: Sequence[Planned], rows: dict[RowKey, Row], stopped: Iterable[UUID] = ()) -> Folded:
    """The rows after the batch; events of stopped streams, and those behind poison, are parked in order."""
    folded = Folded()
    halted = set(stopped)
    key_columns = {table.name: table.key_columns for table in view.tables}
    for item in planned:
        if item.event.event_type == _RECORD_DESTROYED and not item.error:
            # What stopped the record is of no use any more, and its rows must not outlive it.
            _let_go(item.event.stream_id, folded, halted)
        if item.event.stream_id in halted:
            folded.parked.append(item.event)
        elif error := item.error or _apply(view, item, rows, folded, key_columns):
            folded.poison.append(Poison(item.event, error))
            halted.add(item.event.stream_id)
    return folded


def _planned(view: View, event: ViewEvent) -> Planned:
    try:
        return Planned(event, tuple(view.touches(event)))
    except Exception as error:  # noqa: BLE001 - whatever a view raises stops the record, never the partition
        return Planned(event, (), _kind(error))


def _apply(view: View, item: Planned, rows: dict[RowKey, Row], folded: Folded, key_columns: dict[str, int]) -> str:
    if not item.keys:
        return ""
    try:
        changes = tuple(view.apply(item.event, rows))
    except Exception as error:  # noqa: BLE001 - as above
        return _kind(error)
    for change in changes:
        if isinstance(change, Erased):
            _erase(change, rows, folded)
            continue
        key = RowKey(change.table, change.row[: key_columns[change.table]])
        rows[key] = folded.changed[key] = change.row
    return ""


def _let_go(stream_id: UUID, folded: Folded, halted: set[UUID]) -> None:
    halted.discard(stream_id)
    folded.destroyed.add(stream_id)
    folded.poison = [each for each in folded.poison if each.event.stream_id != stream_id]
    folded.parked = [each for each in folded.parked if each.stream_id != stream_id]


def _kind(error: Exception) -> str:
    return f"BodyNotOpened {error.kind}" if isinstance(error, BodyNotOpened) else type(error).__name__


def _erase(erased: Erased, rows: dict[RowKey, Row], folded: Folded) -> None:
    """Forgets the stream's rows of the batch as well; later events find none, as in a later batch."""
    folded.erased.add(erased)
    for known in (rows, folded.changed):
        for key in [each for each in known if each.table == erased.table and each.key[0] == erased.stream_id]:
            del known[key]
