"""Every figure of cn-2010 at its boundary: one step before, at it, and one after. A figure without a boundary fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.commands import (
    AmendEntry,
    Command,
    EndCare,
    RecordEntry,
    RequestConsultation,
    StartCare,
    SubmitRecord,
)
from ledger.domain.course_commands import ArriveAtConsultation, DeclareEnteredInError, EndorseAct
from ledger.domain.deadlines import deadlines
from ledger.domain.decide import decide
from ledger.domain.defaults import default_pack, shipped_rules
from ledger.domain.handover import handed_over
from ledger.domain.hospital_rules import pack_and_data
from ledger.domain.keeping_commands import (
    EndRetention,
    LendRecord,
    RecordPatientRequest,
    RenewLoan,
    SealRecord,
    UnsealRecord,
)
from ledger.domain.keeping_values import EndorsedAct, RequestKind, SealMode, SealParty, UnsealGround
from ledger.domain.pack_figures import Figure
from ledger.domain.refusal import Refused
from ledger.domain.rule_pack import RulePack
from ledger.domain.transfer_commands import OfferTransfer
from ledger.domain.values import AmendmentKind, Disposition, TransferKind, Urgency, VisitType
from tests.unit.domain import given, test_deadlines
from tests.unit.domain.given import (
    AFFAIRS,
    CONSULTANT,
    MANDATORY,
    NOTARY,
    NOW,
    PACKAGE,
    PATIENT,
    PHYSICIAN,
    RECORD,
    RESULT,
    SUPERIOR,
    Stream,
    active,
    archived,
    as_signer,
    closed,
    facts,
    narrative,
    note,
    registered,
    reopened,
    signed,
)
from tests.unit.domain.test_deadlines import FIGURES, begun, rule_of, the_deadline
from tests.unit.domain.visits import archived_visit

PACK = default_pack("cn-2010")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MIDNIGHT = datetime(2026, 3, 1, 16, tzinfo=UTC)
"""The first second of 2 March in Shanghai, four hours after NOW."""
LAST, FIRST = (True, True, False), (False, True, True)
"""What holds up to a moment, and what holds from a moment on."""
BEFORE, ONLY = (True, False, False), (False, True, False)
"""What holds until a moment and not at it, and what holds of one day alone."""


@dataclass(frozen=True)
class Boundary:
    """Where a figure ends, or from when what it asks for is over."""

    at: Any
    holds: Callable[[Any], bool]
    step: Any = SECOND
    pattern: tuple[bool, bool, bool] = LAST


def taken(stream: Stream, command: Command, **changes: Any) -> bool:
    """Whether the command would be done; the record stays as it is."""
    try:
        decide(command, stream.state, facts(first_id=900_000, **(as_signer(command) | changes)))
    except Refused:
        return False
    return True


def first_of_march(year: int) -> datetime:
    """The first second of that day in Shanghai, eight hours before it is one in UTC."""
    return datetime(year, 3, 1, tzinfo=UTC) - timedelta(hours=8)


def made(stream: Stream, command: Command, name: str, **changes: Any) -> UUID:
    """The id that a command made."""
    value = stream.when(command, **changes).result[name]
    assert isinstance(value, UUID)
    return value


def _ahead(figure: int) -> Boundary:
    stream = active()
    command = RecordEntry(RECORD, note(), signed())
    return Boundary(NOW + figure * SECOND, lambda at: taken(stream, command, occurred_at=at))


def _arrival(figure: int) -> Boundary:
    stream = active()
    asked = made(stream, RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"), "consultation_id")
    command = ArriveAtConsultation(RECORD, asked)
    return Boundary(
        NOW + timedelta(minutes=figure), lambda at: taken(stream, command, occurred_at=NOW, now=at, actor=CONSULTANT)
    )


def _offer(figure: int) -> Boundary:
    stream = archived()
    command = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    offer = made(stream, command, "transfer_id", counterpart_known=True, package=PACKAGE)
    transfer = stream.record.transfers[offer]
    return Boundary(NOW + figure * DAY, lambda at: handed_over(transfer, PATIENT, at), pattern=BEFORE)


def _loan(figure: int) -> Boundary:
    # Lent on 2 March, after midnight in Shanghai: the same day of the next month.
    stream, due_on = archived(), date(2026, 3 + figure, 2).isoformat()
    command = LendRecord(RECORD, SUPERIOR, due_on, out_of_house=False)
    later = MIDNIGHT + DAY
    return Boundary(MIDNIGHT, lambda at: taken(stream, command, now=later, occurred_at=at), pattern=FIRST)


def _loan_out_of_house(figure: int) -> Boundary:
    # From Friday the 6th a weekend lies between: three working days on is Wednesday the 11th.
    assert figure == 3
    stream, command = archived(), LendRecord(RECORD, SUPERIOR, "2026-03-11", out_of_house=True)
    friday = MIDNIGHT + 4 * DAY
    return Boundary(friday, lambda at: taken(stream, command, now=friday + DAY, occurred_at=at), pattern=FIRST)


def _renewals(figure: int) -> Boundary:
    def holds(number: int) -> bool:
        stream = archived()
        loan = made(stream, LendRecord(RECORD, SUPERIOR, "", out_of_house=False), "loan_id")
        for _ in range(number - 1):
            if not taken(stream, RenewLoan(RECORD, loan)):
                return False
            stream.when(RenewLoan(RECORD, loan))
        return number == 0 or taken(stream, RenewLoan(RECORD, loan))

    return Boundary(figure, holds, step=1)


def _renewal(figure: int) -> Boundary:
    # Due on 20 March: fifteen days on is 4 April.
    assert figure == 15
    stream = archived()
    loan = made(stream, LendRecord(RECORD, SUPERIOR, "2026-03-20", out_of_house=False), "loan_id")
    # Renewed after it was due: counted from the day on which it was due all the same.
    stream.when(RenewLoan(RECORD, loan), now=NOW + 25 * DAY)
    due_on = stream.record.overlays.loans[loan].due_on
    return Boundary(date(2026, 4, 4), lambda day: day.isoformat() == due_on, DAY, ONLY)


def _window(figure: int) -> Boundary:
    stream = reopened()
    named = next(iter(stream.record.entries))
    command = AmendEntry(RECORD, named, AmendmentKind.CORRECTION, "side", MANDATORY[0], signed())
    return Boundary(NOW + timedelta(hours=figure), lambda at: taken(stream, command, now=at))


def _endorsement(figure: int) -> Boundary:
    stream, command = active(), DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)
    stream.when(EndorseAct(RECORD, EndorsedAct.RECORD_IN_ERROR, None, None, "looked at it"), actor=SUPERIOR)
    return Boundary(NOW + timedelta(hours=figure), lambda at: taken(stream, command, now=at))


def _no_claim(figure: int) -> Boundary:
    stream = closed()
    leaves = (bytes(32),) * stream.record.version
    sealed = made(stream, SealRecord(RECORD, SealMode.COPY, SealParty.NOTARY, "", (), NOTARY), "seal_id", leaves=leaves)
    command = UnsealRecord(RECORD, sealed, UnsealGround.NO_CLAIM, "", AFFAIRS)
    over = first_of_march(2026 + figure)

    def holds(at: datetime) -> bool:
        stream.endorse(command, at)
        return taken(stream, command, now=at)

    return Boundary(over, holds, pattern=FIRST)


def _request(figure: int) -> Boundary:
    # Asked on 1 March: fifteen days on is the 16th.
    assert figure == 15
    stream = closed()
    asked = made(stream, RecordPatientRequest(RECORD, RequestKind.ACCESS, "N.", "self", "please"), "request_id")
    due_on = stream.record.overlays.requests[asked].due_on
    return Boundary(date(2026, 3, 16), lambda day: day.isoformat() == due_on, DAY, ONLY)


def _retention(visit: VisitType) -> Callable[[int], Boundary]:
    def boundary(figure: int) -> Boundary:
        stream = archived_visit(visit)
        over = first_of_march(2026 + figure)
        return Boundary(over, lambda at: taken(stream, EndRetention(RECORD), now=at), pattern=FIRST)

    return boundary


def _deadline(rule_id: str) -> Callable[[int], Boundary]:
    def boundary(_: int) -> Boundary:
        found = the_deadline(begun(rule_of(rule_id)), rule_id)
        return Boundary(NOW + FIGURES[rule_id], lambda at: not found.missed(at))

    return boundary


def _filing(figure: int) -> Boundary:
    # The discharge is on Sunday, 1 March: the second working day is Tuesday, whose last second is 15:59:59 UTC.
    assert figure == 2
    found = the_deadline(begun(rule_of("filing")), "filing")
    return Boundary(datetime(2026, 3, 3, 15, 59, 59, tzinfo=UTC), lambda at: not found.missed(at))


def _result_filing(figure: int) -> Boundary:
    def holds(at: datetime) -> bool:
        stream = active()
        stream.entry(RESULT, now=at, occurred_at=NOW)
        return not [each for each in deadlines(stream.record, PACK, NOW) if each.rule == "result_filing"]

    return Boundary(NOW + timedelta(hours=figure), holds)


def _short_stay(figure: int) -> Boundary:
    def holds(at: datetime) -> bool:
        stream = registered()
        stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), occurred_at=NOW)
        for content in MANDATORY[3:]:
            stream.entry(content, now=NOW)
        stream.entry(narrative("in_out_24h_record", "admission", "course", "discharge"), now=NOW)
        stream.when(EndCare(RECORD, Disposition.HOME, at), now=at)
        return taken(stream, SubmitRecord(RECORD), now=at)

    return Boundary(NOW + timedelta(hours=figure), holds)


def _least_drawn(figure: int) -> Boundary:
    assert PACK.sampling
    size = PACK.sampling
    return Boundary(figure, lambda population: size.of(population) == population, step=1)


def _share_drawn(figure: int) -> Boundary:
    # Of 100,000 one per mille is the least number, 100; of one record more it is rounded up.
    assert figure == 1
    assert PACK.sampling
    size = PACK.sampling
    return Boundary(100_000, lambda population: size.of(population) == 100, step=1)


DESIGN: dict[str, tuple[int, str, Callable[[int], Boundary]]] = {
    "ahead_seconds_max": (300, "seconds", _ahead),
    "arrival_back_minutes_max": (10, "minutes", _arrival),
    "offer_days": (7, "days", _offer),
    "short_stay": (24, "hours", _short_stay),
    "keeping.loan_months": (1, "months", _loan),
    "keeping.loan_out_of_house_days": (3, "working_days", _loan_out_of_house),
    "keeping.loan_renewals": (1, "times", _renewals),
    "keeping.loan_renewal_days": (15, "days", _renewal),
    "keeping.reopen_hours": (72, "hours", _window),
    "keeping.endorsement_hours": (24, "hours", _endorsement),
    "keeping.seal_no_claim_years": (3, "years", _no_claim),
    "keeping.request_days": (15, "days", _request),
    "sampling.least": (100, "records", _least_drawn),
    "sampling.per_mille": (1, "per_mille", _share_drawn),
    "retention.INPATIENT": (30, "years", _retention(VisitType.INPATIENT)),
    "retention.OBSERVATION": (30, "years", _retention(VisitType.OBSERVATION)),
    "retention.OUTPATIENT": (15, "years", _retention(VisitType.OUTPATIENT)),
    "retention.EMERGENCY": (15, "years", _retention(VisitType.EMERGENCY)),
    "deadline.filing": (2, "working_days", _filing),
    "deadline.result_filing": (24, "hours", _result_filing),
    **{
        f"deadline.{rule.id}": (rule.figure, rule.unit, _deadline(rule.id))
        for rule in PACK.deadlines.rules
        if rule.id in FIGURES
    },
}
"""The figures written down a second time, so that one that moves in the pack is noticed, each with its boundary."""


@pytest.mark.parametrize("figure", PACK.figures, ids=lambda each: each.name)
def test_a_figure_holds_up_to_its_boundary_and_no_further(figure: Figure) -> None:
    """One step before, at, and one after; the pack has the figure that the design has."""
    value, unit, boundary_of = DESIGN[figure.name]
    assert (figure.figure, figure.unit) == (value, unit)
    assert shown(boundary_of(value)) == boundary_of(value).pattern


@pytest.mark.parametrize("name", DESIGN)
def test_a_boundary_is_that_of_the_pack(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation check: under a pack with another figure the boundary of the design holds no longer."""
    value, _, boundary_of = DESIGN[name]
    changed = with_figure(name, value + 1)
    monkeypatch.setattr(given, "default_pack", lambda: changed)
    for module in (test_deadlines, sys.modules[__name__]):
        monkeypatch.setattr(module, "PACK", changed)
    assert shown(boundary_of(value)) != boundary_of(value).pattern


def shown(boundary: Boundary) -> tuple[bool, ...]:
    """What holds one step before, at, and one after."""
    steps = (boundary.at - boundary.step, boundary.at, boundary.at + boundary.step)
    return tuple(boundary.holds(each) for each in steps)


def with_figure(name: str, figure: int) -> RulePack:
    """The pack with one other figure."""
    data = deepcopy(dict(pack_and_data(shipped_rules().packs["cn-2010", 1])[1]))
    group, _, of = name.partition(".")
    table = data[group] if not of else data[group][of] if group != "deadline" else _rule(data, of)
    table["years" if group == "retention" else "figure"] = figure
    return RulePack.from_data(data)


def _rule(data: dict[str, Any], rule_id: str) -> dict[str, Any]:
    rules: list[dict[str, Any]] = data["deadline"]
    return next(each for each in rules if each["id"] == rule_id)


def test_no_boundary_is_of_a_figure_that_is_gone() -> None:
    """The table is that of the pack, neither more nor less."""
    assert {each.name for each in PACK.figures} == DESIGN.keys()


def test_a_routine_consultation_is_due_in_a_day_under_the_rules_of_2018() -> None:
    """The layer core-2018: 24 hours, to the second."""
    pack, stream = default_pack("core-2018"), begun(rule_of("routine_consultation"))
    (found,) = [each for each in deadlines(stream.record, pack, NOW) if each.rule == "routine_consultation"]
    assert [found.missed(NOW + DAY + each) for each in (-SECOND, 0 * SECOND, SECOND)] == [False, False, True]
