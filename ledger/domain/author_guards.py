"""Guards on whose an entry is: its author goes on with it, changes and retracts it, or who stands above."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ledger.domain.command_guards import CommandGuard, entry_of, is_person
from ledger.domain.decision import Facts
from ledger.domain.refusal import Violation
from ledger.domain.state import Entry, RecordState
from ledger.domain.values import EntryState


def authors_of(entry: Entry) -> frozenset[UUID]:
    """Who signed a version of the entry, or wrote a draft; nobody is known of what came unsigned from elsewhere."""
    signers = (each.attestation.signer for each in entry.versions)
    signed = {each.id for each in signers if each is not None}
    return frozenset(signed | {each.drafted_by for each in entry.versions if each.drafted_by is not None})


def _not_amender(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    entry = entry_of(command, record)
    if entry is not None and not _may_amend(entry, facts):
        yield Violation("context.actor", AUTHOR_OR_SUPERIOR.rule, AUTHOR_OR_SUPERIOR.demand)


def _may_amend(entry: Entry, facts: Facts) -> bool:
    actor = facts.context.actor
    if actor.id in authors_of(entry) or actor.id in countersigners_of(entry):
        return True
    return _says_again(entry, facts) or _stands_above(entry, facts) or facts.may("amend_entry")


def countersigners_of(entry: Entry) -> frozenset[UUID]:
    """Who countersigned a version of the entry."""
    found = (each.countersignature and each.countersignature.signer for each in entry.versions)
    return frozenset(each.id for each in found if each is not None)


def _says_again(entry: Entry, facts: Facts) -> bool:
    # The source that brought the entry corrects itself; a person who names it has to be the author all the same.
    held = facts.claimed
    return held is not None and held.entry_id == entry.entry_id and not is_person(facts.context.actor)


def _stands_above(entry: Entry, facts: Facts) -> bool:
    # Whoever may countersign what waits for it, or what nobody is known to have signed, may sign a revised version.
    actor = facts.context.actor
    final = facts.pack.signs_finally(entry.last.content.template, actor.role)
    waits = entry.state is EntryState.AUTHORED or not authors_of(entry)
    return waits and is_person(actor) and final


def _not_retractor(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    entry, actor = entry_of(command, record), facts.context.actor
    if entry is None:
        return
    # Who may go on with somebody's draft may throw it away.
    drafted = entry.state is EntryState.DRAFT and facts.may("continue_draft")
    own = actor.id in authors_of(entry)
    if not (own or _says_again(entry, facts) or drafted or facts.may("retract_entry")):
        yield Violation("context.actor", AUTHOR_OR_QUALITY.rule, AUTHOR_OR_QUALITY.demand)


def _not_drafter(entry_id: UUID | None, field: str, record: RecordState, facts: Facts) -> Iterable[Violation]:
    entry, actor = record.entries.get(entry_id) if entry_id else None, facts.context.actor
    if entry is None or entry.state is not EntryState.DRAFT:
        return
    authors = authors_of(entry)
    if authors and actor.id not in authors and not facts.may("continue_draft"):
        yield Violation(field, OWN_DRAFT.rule, OWN_DRAFT.demand)


def _not_drafter_now(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    return _not_drafter(command.entry_id, "entry_id", record, facts)


def _not_drafter_before(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    return _not_drafter(command.draft_id, "draft_id", record, facts)


AUTHOR_OR_SUPERIOR = CommandGuard(
    "NOT_AUTHOR",
    "its author amends it, who countersigned or may countersign it, or a role that the pack in force names",
    _not_amender,
    asks_roles=True,
)
AUTHOR_OR_QUALITY = CommandGuard(
    "NOT_AUTHOR", "its author retracts it, or a role that the pack in force names", _not_retractor, asks_roles=True
)
OWN_DRAFT = CommandGuard(
    "NOT_AUTHOR", "who began the draft goes on with it, or a role that the pack in force names", _not_drafter_now
)
OWN_DRAFT_SIGNED = CommandGuard(OWN_DRAFT.rule, OWN_DRAFT.demand, _not_drafter_before)
