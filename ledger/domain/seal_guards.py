"""Who places, extends and opens a seal: two persons, the hospital's and the one on the other side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard, is_person
from ledger.domain.decision import Facts
from ledger.domain.keeping_commands import SealRecord, UnsealRecord
from ledger.domain.keeping_values import SealParty, UnsealGround
from ledger.domain.refusal import Violation
from ledger.domain.role_kinds import NOTARIES, OTHER_SIDE, PATIENTS_SIDE
from ledger.domain.sealed_versions import finished_versions
from ledger.domain.state import RecordState
from ledger.domain.values import EntryState

PARTY_ROLES = {SealParty.PATIENT_SIDE: PATIENTS_SIDE, SealParty.NOTARY: NOTARIES}
"""Roles in which somebody stands on the other side."""


def _same_person(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    second = command.second_person
    if second is not None and second.id == facts.context.actor.id:
        yield Violation("second_person", "SAME_PERSON", TWO_PERSONS.demand)


def _no_person(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
    if command.second_person is not None and not is_person(command.second_person):
        yield Violation("second_person.role", "NOT_A_PERSON", SECOND_IS_PERSON.demand)


def _wrong_side(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    # Whoever stands on the other side never acts for the hospital, nor the hospital for them.
    if facts.context.actor.role in OTHER_SIDE:
        yield Violation("context.actor.role", "WRONG_SIDE", SIDES_STAND.demand)
    second = command.second_person
    if second is None or not is_person(second):
        return
    if (second.role in _roles_beside(command)) is _opened_alone(command):
        yield Violation("second_person.role", "WRONG_SIDE", SIDES_STAND.demand)


def _opened_alone(command: Any) -> bool:
    return isinstance(command, UnsealRecord) and command.ground is not UnsealGround.BOTH_PRESENT


def _roles_beside(command: Any) -> frozenset[str]:
    return PARTY_ROLES[command.party] if isinstance(command, SealRecord) else OTHER_SIDE


def _not_settled(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    second = command.second_person
    if command.ground is not UnsealGround.DISPUTE_SETTLED or second is None:
        return
    if not any(facts.may("settle_dispute", each) for each in (facts.context.actor, second)):
        yield Violation("second_person.role", SETTLED_BY_ROLE.rule, SETTLED_BY_ROLE.demand)


def _claimed(command: UnsealRecord, record: RecordState, _: Facts) -> Iterable[Violation]:
    if command.ground is UnsealGround.NO_CLAIM and record.overlays.holds:
        yield Violation("ground", NOBODY_CLAIMS.rule, NOBODY_CLAIMS.demand)


def _draft_named(command: SealRecord, record: RecordState, _: Facts) -> Iterable[Violation]:
    for index, entry_id in enumerate(command.entry_ids):
        entry = record.entries.get(entry_id)
        if entry is not None and entry.state is EntryState.DRAFT:
            yield Violation(f"entry_ids[{index}]", "OPEN_DRAFT", NO_DRAFT_NAMED.demand)


def _nothing_finished(_: SealRecord, record: RecordState, __: Facts) -> Iterable[Violation]:
    if not finished_versions(record):
        yield Violation("record_id", SOMETHING_FINISHED.rule, SOMETHING_FINISHED.demand)


NO_DRAFT_NAMED = CommandGuard("OPEN_DRAFT", "what is finished is sealed; the seal is extended later", _draft_named)
NOBODY_CLAIMS = CommandGuard("HELD", "without a claim: no hold stands, for whoever had it placed claims", _claimed)
SOMETHING_FINISHED = CommandGuard("NOTHING_TO_SEAL", "it holds a finished entry", _nothing_finished)
TWO_PERSONS = CommandGuard("SAME_PERSON", "a second person stands beside the hospital's", _same_person)
SECOND_IS_PERSON = CommandGuard("NOT_A_PERSON", "the second is a person, not a system", _no_person)
SIDES_STAND = CommandGuard(
    "WRONG_SIDE",
    "the actor is of the hospital, the second of the other side (patient, representative, notary); alone, both of it",
    _wrong_side,
)
SETTLED_BY_ROLE = CommandGuard(
    "ROLE_NOT_ALLOWED",
    "that the dispute is settled one of the two says in a role that the pack in force names",
    _not_settled,
    asks_roles=True,
)
TWO_SIDES = (TWO_PERSONS, SECOND_IS_PERSON, SIDES_STAND)
"""What holds of the two persons at every seal."""
