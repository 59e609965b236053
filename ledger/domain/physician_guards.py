"""Guards on who is put in charge of a patient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import TRAINEE, CommandGuard, is_person
from ledger.domain.decision import Facts
from ledger.domain.refusal import Violation
from ledger.domain.state import RecordState
from ledger.domain.values import Actor


def _already(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    named, before = command.responsible, record.responsible
    if named is not None and before is not None and named.id == before.id:
        yield Violation("responsible", "IN_CHARGE_ALREADY", ANOTHER_THAN_BEFORE.demand)


def _unqualified(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    named = command.responsible
    # What an earlier system holds is taken over as it is, whoever was in charge there.
    if named is not None and not facts.context.historical and not _qualified(named, facts):
        yield Violation("responsible.role", "NOT_QUALIFIED", IN_CHARGE_QUALIFIED.demand)


def _qualified(named: Actor, facts: Facts) -> bool:
    return is_person(named) and named.role != TRAINEE and facts.pack.takes_charge(named.role)


ANOTHER_THAN_BEFORE = CommandGuard("IN_CHARGE_ALREADY", "another person than the one in charge", _already)
IN_CHARGE_QUALIFIED = CommandGuard(
    "NOT_QUALIFIED",
    "a person is in charge in a role that the pack lets sign finally, neither a trainee nor a system",
    _unqualified,
)
