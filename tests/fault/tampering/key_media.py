"""The rows of keys and of the purge register, before `ledger verify keys` and before whoever opens bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from uuid import UUID

from ledger.cli.bodies import bodies_with_keys
from ledger.trust.envelope import decode
from ledger.trust.sealing import Opened, Opening
from tests.fault.tampering.building import HOSPITAL
from tests.fault.tampering.changes import TRIES, Change
from tests.fault.tampering.ledger_media import SCHEMA, Columns
from tests.fault.tampering.medium import Found, Medium, Tampering, ledger_command
from tests.fault.tampering.owned_table import OwnedTable, Row, all_replaced, to_bytes
from tests.fault.tampering.stored_state import Stored

_PER_STREAM = 3
_REGISTER_COLUMNS = ("unreadable_at", "generation", "holders_known", "proof")


class KeyChecking:
    """`ledger verify keys`, and the opener of `KeyService` on events of every stream.

    Whatever the command says, a body that opens now and did not before, or as another, is accepted and different.
    """

    def __init__(self, stored: Stored, events: OwnedTable) -> None:
        self._settings = stored.settings
        self.environment = {
            "LEDGER_POSTGRES_APPEND_URL": stored.settings.postgres_append_url,
            "LEDGER_POSTGRES_KEYS_URL": stored.settings.postgres_keys_url,
            "LEDGER_KEY_FILE": str(stored.settings.key_file),
            "LEDGER_KEY_PASSPHRASE_FILE": str(stored.settings.key_passphrase_file),
        }
        self._events = [
            (row["envelope"], row["body"]) for row in events.rows if row["version"] <= _PER_STREAM or _last(row, events)
        ]
        self._before = asyncio.run(self._openings())

    def __call__(self) -> Found:
        """The command's report; accepted, with the places, where a body opens that must not."""
        said = ledger_command("verify", "keys", HOSPITAL, **self.environment)
        after = asyncio.run(self._openings())
        strange = [
            str(UUID(bytes=decode(envelope).stream_id))
            for (envelope, _), before, now in zip(self._events, self._before, after, strict=True)
            if before != now and isinstance(now, Opened)
        ]
        if strange:
            return Found(accepted=True, says=f"opened otherwise: {strange}")
        if said.accepted and self._before != after:
            return Found(
                accepted=False, says=f"bodies do not open: {[each for each in after if each not in self._before]}"
            )
        return said

    async def _openings(self) -> list[Opening]:
        async with bodies_with_keys(self._settings) as bodies:
            return [_told(each) for each in await bodies.opener.open(self._events)]


@dataclass
class KeyRows:
    """Whole rows: taken away, exchanged, put back from before."""

    keys: OwnedTable
    older: Sequence[Row]
    checked: KeyChecking
    of: frozenset[UUID]
    """The streams whose rows are meant."""

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says."""
        known = {row["stream_id"] for row in self.older}
        # A record that began later has no earlier row to be put back.
        of = self.of & known if change is Change.REPLAY else self.of
        rows = [row for row in self.keys.rows if row["stream_id"] in of]
        for _ in range(min(TRIES, len(rows))):
            one, *others = dice.sample(rows, min(2, len(rows)))
            before, after = self._changed(change, rows, one, others)
            names = tuple(str(row["stream_id"]) for row in before)
            yield Tampering(names, lambda before=before, after=after: self.keys.replaced(before, after))

    def _changed(
        self, change: Change, rows: Sequence[Row], one: Row, others: Sequence[Row]
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        match change:
            case Change.DELETE:
                return [one], []
            case Change.SWAP:
                (two,) = others
                secret = ("key_id", "wrapped", "generation", "made_at")
                first = {**one, **{name: two[name] for name in secret}}
                return [one, two], [first, {**two, **{name: one[name] for name in secret}}]
            case Change.REPLAY:
                return [one], [row for row in self.older if row["stream_id"] == one["stream_id"]]
            case Change.TRUNCATE:
                return rows, []
            case Change.FLIP:
                raise AssertionError("the columns are flipped one by one")

    def check(self) -> Found:
        """As Medium says."""
        return self.checked()

    def places(self, name: str) -> Sequence[str]:
        """As Medium says."""
        return (f"record {name}",)

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return before.says == after.says


@dataclass
class RegisterRows:
    """Whole rows of the purge register or of its holders: taken away, exchanged, put back from before."""

    table: OwnedTable
    older: Sequence[Row]
    checked: KeyChecking

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says."""
        rows = self.table.rows
        changed = [row for row in rows if row not in self.older] if change is Change.REPLAY else rows
        for one in dice.sample(changed, min(TRIES, len(changed))):
            before, after = self._changed(change, rows, one)
            names = tuple(str(row["stream_id"]) for row in before)
            yield Tampering(names, lambda before=before, after=after: self.table.replaced(before, after))

    def _changed(self, change: Change, rows: Sequence[Row], one: Row) -> tuple[Sequence[Row], Sequence[Row]]:
        match change:
            case Change.DELETE:
                return [one], []
            case Change.SWAP:
                other = next(row for row in rows if row is not one)
                heard = ("acknowledged_at", "acknowledged_by")
                first = {**one, **{name: other[name] for name in heard}}
                return [one, other], [first, {**other, **{name: one[name] for name in heard}}]
            case Change.REPLAY:
                return [one], [row for row in self.older if all(row[name] == one[name] for name in self.table.key)]
            case Change.TRUNCATE:
                return rows, []
            case Change.FLIP:
                raise AssertionError("the columns are flipped one by one")

    def check(self) -> Found:
        """As Medium says."""
        return self.checked()

    def places(self, name: str) -> Sequence[str]:
        """As Medium says."""
        return (f"record {name}",)

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return before.says == after.says


@dataclass
class PutBack:
    """Key row and register as before the destruction: an older state of the keys' database."""

    keys: OwnedTable
    purges: OwnedTable
    older: Sequence[Row]
    stored: Stored
    checking: KeyChecking

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says."""
        del change, dice
        yield Tampering((str(self.stored.destroyed),), self._with)

    def _with(self) -> AbstractContextManager[None]:
        def mine(rows: Sequence[Row]) -> list[Row]:
            return [row for row in rows if row["stream_id"] == self.stored.destroyed]

        return all_replaced(
            {self.keys: (mine(self.keys.rows), mine(self.older)), self.purges: (mine(self.purges.rows), [])}
        )

    def check(self) -> Found:
        """The command alone: what opens until the next start is said in docs/tampering.md."""
        return ledger_command("verify", "keys", HOSPITAL, **self.checking.environment)

    def places(self, name: str) -> Sequence[str]:
        """As Medium says."""
        return (f"record {name}",)

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return before.says == after.says


def key_media(stored: Stored) -> dict[str, Medium]:
    """The media by their name in the declaration."""
    url = stored.database.url
    events = OwnedTable(url, SCHEMA, "events")
    # First: its reference to the register is dropped with its constraints.
    holders = OwnedTable(url, "ledger_keys", "purge_holders")
    keys, purges = (OwnedTable(url, "ledger_keys", name) for name in ("record_keys", "purges"))
    of = frozenset(row["stream_id"] for row in events.rows)
    older = [dict(zip(keys.rows[0], row, strict=True)) for row in stored.older_keys]
    older_purges, older_holders = (
        [dict(zip(table.rows[0], row, strict=True)) for row in stored.older_register[name]]
        for table, name in ((purges, "purges"), (holders, "purge_holders"))
    )
    checking = KeyChecking(stored, events)

    def at(row: Row) -> Sequence[str]:
        return (f"record {row['stream_id']}",)

    def live(row: Row) -> bool:
        return row["stream_id"] in of and row["wrapped"] is not None

    def tombstone(row: Row) -> bool:
        return row["stream_id"] == stored.destroyed

    live_of = of - {stored.destroyed}
    return {
        "key columns": Columns(keys, ("key_id", "generation", "wrapped"), checking, at, only=live),
        "key place": Columns(keys, ("stream_id", "origin"), checking, at, only=live),
        "key times": Columns(keys, ("made_at",), checking, at, only=live),
        "key row": KeyRows(keys, older, checking, frozenset(live_of)),
        "tombstone": KeyRows(keys, older, checking, frozenset({stored.destroyed})),
        "tombstone columns": Columns(keys, ("destroyed_by",), checking, at, only=tombstone),
        "tombstone times": Columns(keys, ("destroyed_at", "generation"), checking, at, only=tombstone),
        "register columns": Columns(
            purges,
            _REGISTER_COLUMNS,
            checking,
            at,
            older={f"{name} of row 0": to_bytes(older_purges[0][name]) for name in _REGISTER_COLUMNS},
        ),
        "register row": RegisterRows(purges, older_purges, checking),
        "holder columns": Columns(
            holders, ("kind", "item", "name", "acknowledged_at", "acknowledged_by"), checking, at
        ),
        "holder row": RegisterRows(holders, older_holders, checking),
        "put back": PutBack(keys, purges, older, stored, checking),
        "purge statement": Columns(purges, ("statement", "salt", "position"), checking, at),
    }


def _last(row: Row, events: OwnedTable) -> bool:
    return not any(each["stream_id"] == row["stream_id"] and each["version"] > row["version"] for each in events.rows)


def _told(opening: Opening) -> Opening:
    """A text by its digest: reports of this test show no plaintext either."""
    return Opened(sha256(opening.plaintext).digest()) if isinstance(opening, Opened) else opening
