"""What an entry claims beside its first source item: its members, and the facts that they state.

A fact is stated once: where an item of another system says the same of the same patient, nothing is recorded again and
the item is linked. Two items of one system that say the same are two statements of that system, and both stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from ledger.domain.decision import Claim, FactClaim, Facts, KnownFact, KnownItem, Reservation, Swap
from ledger.domain.faults import Faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import DIGEST_BYTES, Taken, encode_claim
from ledger.domain.state import Entry, RecordState
from ledger.domain.values import HeldItem, SourceItem

ITEMS_MAX = 500
"""Further items of one entry."""
MOVABLE = frozenset({Taken.MEMBER, Taken.LINKED})
"""Claims that another entry of the same record may take over."""
DUPLICATE_FACT = "DUPLICATE_FACT"


def check_items(also: Sequence[HeldItem], record_id: UUID, record: RecordState, facts: Facts, faults: Faults) -> None:
    """Notes every further item that is malformed, that something else holds, or whose fact another system stated."""
    if len(also) > ITEMS_MAX:
        faults.add("also", "TOO_MANY_ITEMS", f"at most {ITEMS_MAX} items")
    seen = {_parts(facts.context.source)} if facts.context.source else set[tuple[str, ...]]()
    for index, held in enumerate(also):
        field = f"also[{index}]"
        _check_shape(held, field, faults)
        if _parts(held.item) in seen:
            faults.add(field, "ITEM_TWICE", "each item once")
        seen.add(_parts(held.item))
        known = _known(facts, index)
        _check_holder(known, record_id, record, field, faults)
        check_fact(held.item, known.fact, record, field, faults)


def _check_shape(held: HeldItem, field: str, faults: Faults) -> None:
    for name in ("system", "type", "id"):
        faults.require(getattr(held.item, name), f"{field}.item.{name}")
    if len(held.item.content_sha256) != DIGEST_BYTES:
        faults.add(f"{field}.item.content_sha256", "MALFORMED_DIGEST", "32 bytes are required")
    check_fact_shape(held.fact_sha256, f"{field}.fact_sha256", faults)


def claimed_entry(record: RecordState, facts: Facts) -> Entry | None:
    """The entry of this record that was made from the command's source item."""
    held = facts.claimed if facts.claimed and facts.claimed.taken is Taken.ENTRY else None
    return record.entries.get(held.entry_id) if held and held.entry_id else None


def check_fact_shape(fact: bytes, field: str, faults: Faults) -> None:
    """Notes a fact that is no digest."""
    if len(fact) not in (0, DIGEST_BYTES):
        faults.add(field, "MALFORMED_DIGEST", "32 bytes, or none")


def _check_holder(known: KnownItem, record_id: UUID, record: RecordState, field: str, faults: Faults) -> None:
    claimed = known.claimed
    if claimed is None:
        return
    if claimed.stream_id != record_id or claimed.taken not in MOVABLE:
        faults.add(field, "SOURCE_ELSEWHERE", "something else holds the item", RefusalKind.STATE)
    elif claimed.taken is Taken.MEMBER and _retracted(record, claimed.entry_id):
        faults.add(field, "ENTRY_RETRACTED", "the item's entry was retracted", RefusalKind.STATE)


def check_fact(
    item: SourceItem, fact: KnownFact | None, record: RecordState | None, field: str, faults: Faults
) -> None:
    """Notes a fact that an item of another system states already."""
    if fact is None or fact.holder is None or fact.own or fact.system == item.system:
        return
    if record is not None and _retracted(record, fact.holder.entry_id):
        return  # what was hidden says nothing any more
    faults.add(field, DUPLICATE_FACT, "stated before", RefusalKind.TAKEN)


def _retracted(record: RecordState, entry_id: UUID | None) -> bool:
    entry = record.entries.get(entry_id) if entry_id else None
    return entry is not None and entry.retracted


def item_claims(also: Sequence[HeldItem], patient_id: UUID, entry_id: UUID, facts: Facts) -> tuple[Reservation, ...]:
    """The claims of an entry on its further items and on what they state."""
    claims: list[Reservation] = []
    facts_seen: set[tuple[str, ...]] = {
        each.parts for each in fact_claims(facts.context.source, facts.context.fact_sha256, facts.fact, patient_id)
    }
    for index, held in enumerate(also):
        known = _known(facts, index)
        claims += _member_claims(held.item, known, entry_id)
        for fact in fact_claims(held.item, held.fact_sha256, known.fact, patient_id):
            # Two members of one group may say the same; one of them stands for the fact.
            if fact.parts not in facts_seen:
                facts_seen.add(fact.parts)
                claims.append(fact)
    return tuple(claims)


def _member_claims(item: SourceItem, known: KnownItem, entry_id: UUID) -> Iterator[Reservation]:
    value = encode_claim(Taken.MEMBER, entry_id, item.content_sha256)
    if known.claimed is None:
        yield Claim("source", _parts(item), value)
        return
    held = encode_claim(known.claimed.taken, known.claimed.entry_id, known.claimed.content_sha256)
    if held != value:
        yield Swap("source", _parts(item), held, value)


def fact_claims(
    item: SourceItem | None, fact: bytes, known: KnownFact | None, patient_id: UUID
) -> tuple[FactClaim, ...]:
    """The claim of an item on the fact that it states, unless an item that still says it holds the fact."""
    if item is None or not fact:
        return ()
    if known is not None and known.holder is not None:
        unchanged = known.holder.content_sha256 == item.content_sha256
        if not known.own or unchanged:
            return ()
    return (FactClaim((str(patient_id), fact.hex()), item, known.stored if known else None),)


def _known(facts: Facts, index: int) -> KnownItem:
    return facts.also[index] if index < len(facts.also) else KnownItem()


def _parts(item: SourceItem) -> tuple[str, str, str]:
    return (item.system, item.type, item.id)
