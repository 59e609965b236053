"""Loans of an archived case."""

from datetime import UTC, datetime

from ledger.domain.keeping_commands import LendRecord
from ledger.domain.keeping_events import LoanIssued
from ledger.domain.refusal import RefusalKind
from tests.unit.domain.given import RECORD, SUPERIOR, archived

THEN = datetime(1986, 2, 3, 9, tzinfo=UTC)


def test_the_term_of_a_loan_counts_from_the_day_it_went_out() -> None:
    """A loan that is entered late is due when the pack's term after the hand-over ends, not after today's."""
    stream = archived()
    stream.when(LendRecord(RECORD, SUPERIOR, "", out_of_house=False), occurred_at=THEN)
    issued = stream.events[-1]
    assert isinstance(issued, LoanIssued)
    assert issued.due_on == "1986-03-05"


def test_a_loan_entered_late_is_not_longer_than_the_term() -> None:
    """The last day is within the term of the hand-over: the boundary day is taken, the next one and today's are not."""
    too_long = [("due_on", "LOAN_TOO_LONG")]
    for due_on in ("1986-03-06", "2026-03-02", "1986-02-02"):
        command = LendRecord(RECORD, SUPERIOR, due_on, out_of_house=False)
        assert archived().refused(command, occurred_at=THEN) == (RefusalKind.STATE, too_long)
    archived().when(LendRecord(RECORD, SUPERIOR, "1986-03-05", out_of_house=False), occurred_at=THEN)
