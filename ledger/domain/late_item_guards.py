"""What a late item is: a result or report of the visit that comes after the record was handed in, and nothing else.

It opens nothing: what a person finds wrong in a signed entry is mended in a reopening, by two persons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ledger.domain.command_guards import TRAINEE, CommandGuard, is_person, listed_by
from ledger.domain.decision import Facts
from ledger.domain.held_items import claimed_entry
from ledger.domain.keeping_values import SealMode
from ledger.domain.refusal import Violation
from ledger.domain.state import Entry, RecordState
from ledger.domain.state_guards import NOT_FULLY_SEALED, NOT_HELD
from ledger.domain.subjects import subject_meant
from ledger.domain.values import Phase


def _item_retracted(_: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    held = claimed_entry(record, facts)
    if held is not None and held.retracted:
        yield Violation("context.source", "ENTRY_RETRACTED", "the entry of the source item stands")


def _check(
    rule: str, demand: str, field: str, holds: Callable[[Any, RecordState, Facts], bool], *, asks_roles: bool = False
) -> CommandGuard:
    def faults(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        return () if holds(command, record, facts) else (Violation(field, rule, demand),)

    return CommandGuard(rule, demand, faults, asks_roles=asks_roles)


def corrected_entry(command: Any, record: RecordState, facts: Facts) -> Entry | None:
    """The entry that the item corrects: the one that it names, or what its source item was before."""
    named = record.entries.get(command.corrects_entry_id) if command.corrects_entry_id else None
    return named or claimed_entry(record, facts)


def _named_by_pack(command: Any, record: RecordState, facts: Facts) -> bool:
    return command.content.template in facts.pack.late_items or _lies_beside(command, record, facts)


def _lies_beside(command: Any, record: RecordState, facts: Facts) -> bool:
    """Whether nothing but a late item can say it: a hold or seal that lets nobody reopen the case keeps what is there,
    and a note of the course that comes new alters nothing of it.
    """
    barred = (*NOT_HELD.faults(record, facts), *NOT_FULLY_SEALED.faults(record, facts))
    beside = command.content.template in facts.pack.late_beside and corrected_entry(command, record, facts) is None
    return beside and record.phase is not Phase.SUBMITTED and bool(barred)


def _confirmed(command: Any, record: RecordState, facts: Facts) -> bool:
    second = command.confirmed_by
    if second is None:
        return command.content.template in facts.pack.late_items or not _lies_beside(command, record, facts)
    signer = command.attestation.signer if command.attestation else None
    first = [each for each in (facts.context.actor, signer) if each is not None and is_person(each)]
    # What a program brings somebody has signed, or one person alone would stand behind it.
    return bool(first) and is_person(second) and all(each.id != second.id for each in first)


def _confirmed_by_role(command: Any, _: RecordState, facts: Facts) -> bool:
    # It stands for the reopening that nobody may approve: who would have approved that confirms this.
    second = command.confirmed_by
    return second is None or (second.role != TRAINEE and facts.may("approve_reopen", second))


def _signed_finally(command: Any, _: RecordState, facts: Facts) -> bool:
    signer = command.attestation.signer if command.attestation else None
    return signer is None or facts.pack.signs_finally(command.content.template, signer.role)


def _own_report(command: Any, record: RecordState, facts: Facts) -> bool:
    corrected = corrected_entry(command, record, facts)
    if corrected is None:
        return True
    before, now = corrected.last.content, command.content
    # A newborn's report takes nothing back in its mother's, nor the other way round.
    same_subject = subject_meant(record, before.subject_id) == subject_meant(record, now.subject_id)
    if before.template != now.template or not same_subject:
        return False
    if corrected is claimed_entry(record, facts):
        return True
    signer = command.attestation.signer if command.attestation else None
    signed_it = {each.attestation.signer.id for each in corrected.versions if each.attestation.signer}
    return signer is not None and signer.id in signed_it


def _corrects_what_is_open(command: Any, record: RecordState, facts: Facts) -> bool:
    corrected = corrected_entry(command, record, facts)
    seals = (seal for seal in record.overlays.seals.values() if seal.mode is SealMode.ORIGINAL)
    return corrected is None or not any(listed_by(seal, corrected.entry_id) for seal in seals)


IS_LATE_ITEM = _check(
    "NOT_A_LATE_ITEM",
    "a template that the pack names among late items; a note of `beside` there while a hold or seal bars a reopening",
    "content.template",
    _named_by_pack,
)
BESIDE_BY_TWO = _check(
    "SAME_PERSON",
    "what lies beside a hold or seal a second person confirms, who is no program and neither sends nor signs it",
    "confirmed_by",
    _confirmed,
)
CONFIRMED_BY_ROLE = _check(
    "ROLE_NOT_ALLOWED",
    "who confirms it has a role that the pack in force names for approving a reopening, which it stands for",
    "confirmed_by.role",
    _confirmed_by_role,
    asks_roles=True,
)
SIGNED_FINALLY = _check(
    "NOT_QUALIFIED",
    "its signature is final: nobody countersigns in an archived case",
    "attestation.signer.role",
    _signed_finally,
)
CORRECTS_OWN_REPORT = _check(
    "NOT_ITS_REPORT",
    "it corrects a report alone, of its template, subject and source item or signer; any other entry in a reopening",
    "corrects_entry_id",
    _own_report,
)
CORRECTED_NOT_SEALED = _check(
    "ENTRY_SEALED", "the original of what it corrects is sealed", "corrects_entry_id", _corrects_what_is_open
)
ITEM_STANDS = CommandGuard("ENTRY_RETRACTED", "the entry of the source item stands", _item_retracted)
