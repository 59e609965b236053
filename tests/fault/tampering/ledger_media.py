"""Events, what stands beside them, and whole histories, before `ledger verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from ledger.trust.envelope import decode, encode
from ledger.trust.leaf import leaf_hash
from tests.fault.tampering.building import HOSPITAL
from tests.fault.tampering.changes import TRIES, Change, Items, changes, flipped
from tests.fault.tampering.medium import Found, Medium, Tampering, ledger_command
from tests.fault.tampering.owned_table import OwnedTable, Row, all_replaced, from_bytes, to_bytes
from tests.fault.tampering.stored_state import Stored

SCHEMA = f"h_{HOSPITAL}"
_COPIES = ("stream_id", "version", "type", "recorded_at", "leaf_hash")
_PREV_LEAF = b"\x5a\x20"
"""Tag and length of the envelope's last field."""


@dataclass(frozen=True)
class Checking:
    """`ledger verify` on PostgreSQL's rows, with the checkpoint that somebody else remembers or without one."""

    stored: Stored
    remembered: bool = True

    def __call__(self) -> Found:
        """What the command says."""
        kept = ("--checkpoint", str(self.stored.remembered), "--policy", str(self.stored.policy))
        url = self.stored.settings.postgres_append_url
        arguments = ("verify", "ledger", HOSPITAL, "--jobs", "1", *(kept if self.remembered else ()))
        return ledger_command(*arguments, LEDGER_POSTGRES_APPEND_URL=url)


@dataclass
class Columns:
    """Some columns of a table, a value an item."""

    table: OwnedTable
    columns: Sequence[str]
    checked: Callable[[], Found]
    place_of: Callable[[Row], Sequence[str]]
    older: Items = field(default_factory=dict[str, bytes])
    refitted: Callable[[Row, str, bytes], Row] | None = None
    """Puts new bytes into a row where more than the column has to follow."""
    item_of: Callable[[Row, str], bytes] = field(default=lambda row, column: to_bytes(row[column]))
    only: Callable[[Row], bool] = field(default=lambda _row: True)

    def __post_init__(self) -> None:
        rows = filter(self.only, self.table.rows)
        self._at = {
            f"{column} of row {number}": (row, column) for number, row in enumerate(rows) for column in self.columns
        }
        self._items = {name: self.item_of(*place) for name, place in self._at.items()}

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says; an old value is that of an earlier row, where no other is given."""
        older = {**self._earlier(), **self.older}
        for changed in changes(change, self._items, older, dice):
            yield Tampering(tuple(changed), lambda changed=changed: self._with(changed))

    def _earlier(self) -> Items:
        names = list(self._items)
        step = len(self.columns)
        return {name: self._items[names[at - step]] for at, name in enumerate(names) if at >= step}

    def _with(self, changed: dict[str, bytes | None]) -> AbstractContextManager[None]:
        before: dict[int, Row] = {}
        after: dict[int, Row] = {}
        for name, data in changed.items():
            row, column = self._at[name]
            before[id(row)] = row
            after[id(row)] = self._put(after.get(id(row), row), column, data or b"")
        return self.table.replaced(list(before.values()), list(after.values()))

    def _put(self, row: Row, column: str, data: bytes) -> Row:
        if self.refitted is not None:
            return self.refitted(row, column, data)
        return {**row, column: from_bytes(data, row[column])}

    def check(self) -> Found:
        """As Medium says."""
        return self.checked()

    def places(self, name: str) -> Sequence[str]:
        """As Medium says."""
        return self.place_of(self._at[name][0])

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says: nothing but the same counts."""
        return before.says == after.says


@dataclass
class Order:
    """Which event stands at which position."""

    events: OwnedTable
    checked: Callable[[], Found]
    signed_size: int

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says."""
        rows = self.events.rows
        for _ in range(TRIES):
            one, two = sorted(dice.sample(range(len(rows) - 1), 2))
            before, after = self._changed(change, rows, one, two, dice)
            names = tuple(str(row["position"]) for row in before)
            yield Tampering(names, lambda before=before, after=after: self.events.replaced(before, after))

    def _changed(
        self, change: Change, rows: list[Row], one: int, two: int, dice: Random
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        first, second = rows[one], rows[two]
        match change:
            case Change.FLIP:
                moved = from_bytes(flipped(to_bytes(first["position"]), dice), 0)
                return [first], [{**first, "position": moved}]
            case Change.DELETE:
                return [first], []
            case Change.SWAP:
                places = first["position"], second["position"]
                return [first, second], [{**first, "position": places[1]}, {**second, "position": places[0]}]
            case Change.REPLAY:
                return [second], [{**first, "position": second["position"]}]
            case Change.TRUNCATE:
                return rows[two:], []

    def check(self) -> Found:
        """As Medium says."""
        return self.checked()

    def places(self, name: str) -> Sequence[str]:
        """The position; or where two records' events change places, the signed size whose root is missed."""
        return f"position {name},", f"position {int(name) - 1},", f"position {self.signed_size},"

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return before.says == after.says


@dataclass
class History:
    """The whole ledger, changed by its owner so that nothing in it contradicts anything else."""

    events: OwnedTable
    streams: OwnedTable
    head: OwnedTable
    checked: Callable[[], Found]

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """FLIP writes one event anew with all that follows from it; TRUNCATE rolls everything back."""
        for _ in range(TRIES):
            cut = dice.randrange(len(self.events.rows) // 2, len(self.events.rows) - 1)
            rows = self.events.rows[:cut] if change is Change.TRUNCATE else self._rewritten(cut, dice)
            yield Tampering((str(cut),), lambda rows=rows: self._with(rows))

    def _rewritten(self, at: int, dice: Random) -> list[Row]:
        leaves: dict[Any, bytes] = {}
        rows = list(self.events.rows)
        for number, row in enumerate(rows):
            envelope = decode(row["envelope"])
            if number == at:
                envelope = replace(envelope, actor=flipped(envelope.actor, dice))
            if row["stream_id"] in leaves:
                envelope = replace(envelope, prev_leaf=leaves[row["stream_id"]])
            if number == at or row["stream_id"] in leaves:
                data = encode(envelope)
                leaves[row["stream_id"]] = leaf_hash(data)
                rows[number] = {**row, "envelope": data, "leaf_hash": leaf_hash(data)}
        return rows

    def _with(self, rows: list[Row]) -> AbstractContextManager[None]:
        known = {row["stream_id"]: row for row in self.streams.rows}
        streams: dict[Any, Row] = {}
        for row in rows:
            of = {name: row[name] for name in ("version", "leaf_hash", "recorded_at")}
            streams[row["stream_id"]] = {**known[row["stream_id"]], **of, "last_position": row["position"]}
        (head,) = self.head.rows
        new_head = {**head, "position": rows[-1]["position"], "leaf_hash": rows[-1]["leaf_hash"]}
        return all_replaced(
            {
                self.events: (self.events.rows, rows),
                self.streams: (self.streams.rows, list(streams.values())),
                self.head: ([head], [new_head]),
            }
        )

    def check(self) -> Found:
        """As Medium says."""
        return self.checked()

    def places(self, name: str) -> Sequence[str]:
        """Where the signed head is missed: at its size, or behind the last event that is left."""
        return f"position {self.events.rows[-1]['position']},", f"position {int(name) + 1},"

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return before.says == after.says


def ledger_media(stored: Stored) -> dict[str, Medium]:
    """The media by their name in the declaration."""
    url = stored.database.url
    events, streams, head = (OwnedTable(url, SCHEMA, name) for name in ("events", "stream_heads", "head"))
    checked, alone = Checking(stored), Checking(stored, remembered=False)
    size = events.rows[-1]["position"]

    def at_position(row: Row) -> Sequence[str]:
        return (f"position {row['position']},",)

    def at_last(row: Row) -> Sequence[str]:
        return f"position {row['last_position']},", f"record {row['stream_id']}"

    def of(table: OwnedTable, *columns: str, place: Callable[[Row], Sequence[str]] = at_position) -> Columns:
        return Columns(table, columns, checked, place)

    return {
        "body": of(events, "body"),
        "envelope": of(events, "envelope"),
        "columns": of(events, *_COPIES),
        "prev_leaf": Columns(
            events,
            ("envelope",),
            checked,
            at_position,
            refitted=_with_prev_leaf,
            item_of=lambda row, column: bytes(row[column])[-32:],
            only=lambda row: row["version"] > 1,
        ),
        "order": Order(events, checked, size),
        "traceparent": of(events, "traceparent"),
        "stream head": of(
            streams, "version", "leaf_hash", "first_position", "last_position", "recorded_at", place=at_last
        ),
        "stream kind": of(streams, "kind", place=at_last),
        "head": of(head, "position", "leaf_hash", place=lambda row: (f"position {row['position']},",)),
        "history": History(events, streams, head, checked),
        "history alone": History(events, streams, head, alone),
        "beside": Columns(
            OwnedTable(url, SCHEMA, "commands"), ("content", "rpc", "result", "version"), checked, at_position
        ),
        "reservations": Columns(OwnedTable(url, SCHEMA, "reservations"), ("value", "counter"), checked, at_position),
        "actors": Columns(OwnedTable(url, SCHEMA, "actors"), ("name", "role"), checked, at_position),
    }


def _with_prev_leaf(row: Row, column: str, data: bytes) -> Row:
    """The envelope with another last field, and the column beside it that follows from it."""
    whole: bytes = row[column]
    assert whole[-34:-32] == _PREV_LEAF
    field = _PREV_LEAF[:1] + bytes((len(data),)) + data if data else b""
    envelope = whole[:-34] + field
    return {**row, column: envelope, "leaf_hash": leaf_hash(envelope)}
