"""Loans of an archived case."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ledger.domain.keeping_commands import LendRecord, RenewLoan
from ledger.domain.keeping_events import LoanIssued
from ledger.domain.refusal import RefusalKind
from tests.unit.domain.given import RECORD, SUPERIOR, Stream, archived

THEN = datetime(1986, 2, 3, 9, tzinfo=UTC)


def test_the_term_of_a_loan_counts_from_the_day_it_went_out() -> None:
    """A loan that is entered late is due when the pack's term after the hand-over ends, not after today's."""
    stream = archived()
    stream.when(LendRecord(RECORD, SUPERIOR, "", out_of_house=False), occurred_at=THEN)
    issued = stream.events[-1]
    assert isinstance(issued, LoanIssued)
    assert issued.due_on == "1986-03-03"


def test_a_loan_entered_late_is_not_longer_than_the_term() -> None:
    """The last day is within the term of the hand-over: the boundary day is taken, the next one and today's are not."""
    too_long = [("due_on", "LOAN_TOO_LONG")]
    for due_on in ("1986-03-04", "2026-03-02", "1986-02-02"):
        command = LendRecord(RECORD, SUPERIOR, due_on, out_of_house=False)
        assert archived().refused(command, occurred_at=THEN) == (RefusalKind.STATE, too_long)
    archived().when(LendRecord(RECORD, SUPERIOR, "1986-03-03", out_of_house=False), occurred_at=THEN)


def lent(stream: Stream, *, out_of_house: bool, **changes: datetime) -> UUID:
    """A loan for as long as the pack allows."""
    stream.when(LendRecord(RECORD, SUPERIOR, "", out_of_house=out_of_house), **changes)
    return next(iter(stream.record.overlays.loans))


@pytest.mark.parametrize(
    ("lent_at", "due_on"),
    [
        (datetime(2026, 3, 2, 4, tzinfo=UTC), "2026-03-05"),
        (datetime(2026, 3, 6, 4, tzinfo=UTC), "2026-03-11"),
        (datetime(2026, 3, 6, 15, 59, 59, tzinfo=UTC), "2026-03-11"),
        (datetime(2026, 3, 6, 16, tzinfo=UTC), "2026-03-11"),
        (datetime(2026, 9, 30, 4, tzinfo=UTC), "2026-10-10"),
    ],
    ids=["monday", "friday", "friday-last-second", "saturday", "before-the-holidays"],
)
def test_a_loan_out_of_the_house_is_counted_in_working_days(lent_at: datetime, due_on: str) -> None:
    """Three of the hospital's after the day on which it went: weekends and holidays off, make-up days worked."""
    stream = archived()
    loan_id = lent(stream, out_of_house=True, occurred_at=lent_at, now=lent_at)
    assert stream.record.overlays.loans[loan_id].due_on == due_on


@pytest.mark.parametrize(
    ("out_of_house", "due_on", "renewed"), [(False, "2026-04-01", "2026-04-16"), (True, "2026-03-04", "2026-03-09")]
)
def test_a_renewal_counts_from_the_day_on_which_it_was_due(due_on: str, renewed: str, *, out_of_house: bool) -> None:
    """Until its own last day; outside the house for its working days again, never for the term of the house.

    Later it would be over before it began: the case comes back. What was renewed in time and is entered later is taken.
    """
    stream = archived()
    loan_id = lent(stream, out_of_house=out_of_house)
    assert stream.record.overlays.loans[loan_id].due_on == due_on
    last_day = datetime.fromisoformat(f"{renewed}T12:00:00+08:00")
    over = [("loan_id", "RENEWAL_OVER")]
    assert stream.refused(RenewLoan(RECORD, loan_id), now=last_day + timedelta(days=1))[1] == over
    late = {"now": last_day + timedelta(days=40), "occurred_at": last_day}
    stream.when(RenewLoan(RECORD, loan_id), **late)
    assert stream.record.overlays.loans[loan_id].due_on == renewed
