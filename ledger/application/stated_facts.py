"""Who stated a fact: what is kept under its key, and what that says about source items.

Kept is the key of the item's own claim, the digest it had, and its system. So an item that says something else by now
no longer stands for the fact, without anybody having to take anything back.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ledger.application.errors import UnknownSourceClaim
from ledger.application.reservation_keys import ReservationKeys
from ledger.domain.decision import ClaimedItem, KnownFact, KnownItem
from ledger.domain.source_claim import DIGEST_BYTES, Taken, UnknownClaim, decode_claim
from ledger.domain.values import HeldItem
from ledger.store.reading import EventReader, ReservationRow

_KEY_BYTES = 32
_Rows = dict[tuple[str, bytes], ReservationRow]


def claimed_item(row: ReservationRow | None) -> ClaimedItem | None:
    """What a stored claim says; None = nobody holds it. Raises UnknownSourceClaim."""
    if row is None or row.stream_id is None:
        return None
    try:
        taken, entry_id, digest = decode_claim(row.value)
    except UnknownClaim as error:
        raise UnknownSourceClaim from error
    moved = entry_id if taken is Taken.PATIENT else None
    return ClaimedItem(moved or row.stream_id, entry_id, digest, taken)


class StatedFacts:
    """Reads what is known of source items and of what they state."""

    def __init__(self, hospital: str, reader: EventReader, keys: ReservationKeys) -> None:
        self._hospital = hospital
        self._reader = reader
        self._keys = keys

    async def known(self, items: Sequence[HeldItem], persons: Sequence[UUID]) -> tuple[KnownItem, ...]:
        """What is known of each item and of its fact: two reads, however many there are. Raises UnknownSourceClaim.

        `persons` are the patient, then everybody merged with it: what was stated of them was stated of the patient.
        """
        sources = [self._source_key(each) for each in items]
        facts = [
            [self._fact_key(each, item.fact_sha256) for each in persons] if item.fact_sha256 else [] for item in items
        ]
        wanted = {*(("source", key) for key in sources), *(("fact", key) for keys in facts for key in keys)}
        rows = await self._reader.reservation_many(self._hospital, list(wanted))
        stating = {("source", _stating(row)) for (kind, _), row in rows.items() if kind == "fact"} - wanted
        if stating:
            rows |= await self._reader.reservation_many(self._hospital, list(stating))
        return tuple(_known(*keys, rows) for keys in zip(sources, facts, strict=True))

    async def holder(self, persons: Sequence[UUID], fact: bytes) -> ClaimedItem | None:
        """What was made from the item that states a fact; None where none does now. Raises UnknownSourceClaim."""
        for each in persons:
            row = await self._reader.reservation(self._hospital, "fact", self._fact_key(each, fact))
            if row is None:
                continue
            found = _live(row, await self._reader.reservation(self._hospital, "source", _stating(row)))
            if found is not None:
                return found
        return None

    def _source_key(self, held: HeldItem) -> bytes:
        return self._keys.key("source", (held.item.system, held.item.type, held.item.id))

    def _fact_key(self, patient_id: UUID, fact: bytes) -> bytes:
        return self._keys.key("fact", (str(patient_id), fact.hex()))


def _known(source: bytes, facts: Sequence[bytes], rows: _Rows) -> KnownItem:
    found = [_fact(source, rows.get(("fact", key)), rows) for key in facts]
    own = next(iter(found), None)
    if own is None or own.holder is None:
        # A claim goes to the patient's own key: what stands under another's counts only while somebody else states it.
        own = next((each for each in found[1:] if each is not None and each.holder is not None and not each.own), own)
    return KnownItem(claimed_item(rows.get(("source", source))), own)


def _fact(source: bytes, stated: ReservationRow | None, rows: _Rows) -> KnownFact | None:
    if stated is None:
        return None
    stating = _stating(stated)
    system = stated.value[_KEY_BYTES + DIGEST_BYTES :].decode()
    return KnownFact(stated.value, system, own=stating == source, holder=_live(stated, rows.get(("source", stating))))


def _stating(row: ReservationRow) -> bytes:
    return row.value[:_KEY_BYTES]


def _live(stated: ReservationRow, source: ReservationRow | None) -> ClaimedItem | None:
    """The claim of the item that stated it, if it has still the content that did and something was made of it."""
    claimed = claimed_item(source)
    if claimed is None or claimed.taken is Taken.LINKED:
        return None
    return claimed if claimed.content_sha256 == stated.value[_KEY_BYTES:][:DIGEST_BYTES] else None
