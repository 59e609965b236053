"""What a loan demands: who gets the case, and until when it may be out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ledger.domain.command_guards import TRAINEE, CommandGuard, is_person, iso_date
from ledger.domain.decision import Facts
from ledger.domain.keeping_state import Loan
from ledger.domain.keeping_values import SealMode
from ledger.domain.loan_terms import loan_ends, renewal_ends
from ledger.domain.refusal import Violation
from ledger.domain.state import RecordState


def _check(rule: str, demand: str, field: str, holds: Callable[[Any, RecordState, Facts], bool]) -> CommandGuard:
    def faults(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        return () if holds(command, record, facts) else (Violation(field, rule, demand),)

    return CommandGuard(rule, demand, faults)


def _within_pack(command: Any, _: RecordState, facts: Facts) -> bool:
    # A loan that is entered later counts from the day on which the case went out.
    lent_on = facts.pack.deadlines.calendar.day_of(facts.meta().occurred_at)
    due = iso_date(command.due_on)
    return due is None or lent_on <= due <= loan_ends(lent_on, facts.pack, out_of_house=command.out_of_house)


def _stays_in_the_house(command: Any, record: RecordState, _: Facts) -> bool:
    return not command.out_of_house or _may_be_out(record)


def _comes_back(command: Any, record: RecordState, _: Facts) -> bool:
    loan = record.overlays.loans.get(command.loan_id)
    return loan is None or not loan.out_of_house or _may_be_out(record)


def _may_be_out(record: RecordState) -> bool:
    # What is out of the house is out of the reach of the two who sealed it.
    return not any(each.mode is SealMode.ORIGINAL for each in record.overlays.seals.values())


def _renewals_left(command: Any, record: RecordState, facts: Facts) -> bool:
    loan = record.overlays.loans.get(command.loan_id)
    return loan is None or _left(loan, facts)


def _renewal_runs(command: Any, record: RecordState, facts: Facts) -> bool:
    loan = record.overlays.loans.get(command.loan_id)
    return loan is None or _runs(loan, facts)


def may_be_renewed(loan: Loan, record: RecordState, facts: Facts) -> bool:
    """Whether the pack allows another renewal, its term would not be over already, and no seal calls it back."""
    return _left(loan, facts) and _runs(loan, facts) and (not loan.out_of_house or _may_be_out(record))


def _left(loan: Loan, facts: Facts) -> bool:
    return loan.renewals < facts.pack.keeping.loan_renewals


def _runs(loan: Loan, facts: Facts) -> bool:
    due = iso_date(loan.due_on)
    renewed_on = facts.pack.deadlines.calendar.day_of(facts.meta().occurred_at)
    return due is None or renewal_ends(due, facts.pack, out_of_house=loan.out_of_house) >= renewed_on


NO_TRAINEE = _check(
    "TRAINEE",
    "nothing is lent to a trainee",
    "borrower",
    lambda command, _, __: command.borrower is None or command.borrower.role != TRAINEE,
)
TO_A_PERSON = _check(
    "NOT_A_PERSON",
    "it is lent to a person, not to a system",
    "borrower.role",
    lambda command, _, __: command.borrower is None or is_person(command.borrower),
)
SEALED_STAYS = _check("SEALED", "out of the house: no seal of an original stands", "out_of_house", _stays_in_the_house)
SEALED_COMES_BACK = _check(
    "SEALED", "lent out of the house: no seal of an original was placed since", "loan_id", _comes_back
)
LOAN_WITHIN_PACK = _check("LOAN_TOO_LONG", "the loan ends in the pack's term", "due_on", _within_pack)
RENEWALS_LEFT = _check("NO_RENEWAL_LEFT", "the pack allows no further renewal", "loan_id", _renewals_left)
RENEWAL_RUNS = _check(
    "RENEWAL_OVER", "the renewed term is not over before it begins: the case comes back", "loan_id", _renewal_runs
)
