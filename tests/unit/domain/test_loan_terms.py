"""How long a case is lent inside the house: so many days, or to the same day of a later month, as the pack says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ledger.domain.commands import Command
from ledger.domain.defaults import default_pack
from ledger.domain.keeping_commands import LendRecord
from ledger.domain.loan_terms import loan_ends
from ledger.domain.pack_text import read_pack
from tests.unit.domain.given import NOW, RECORD, SUPERIOR, archived
from tests.unit.domain.test_pack_text import bases, faults_of

LAYER = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n[keeping]\n'
DAYS = "loan_days = { figure = 10, source = 'house', unconfirmed = false }\n"
MONTHS = DAYS.replace("loan_days", "loan_months").replace("10", "2")


@pytest.mark.parametrize(
    ("lent_on", "months", "due_on"),
    [
        (date(2026, 3, 1), 1, date(2026, 4, 1)),
        (date(2026, 1, 30), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 2, 28), 1, date(2026, 3, 28)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 11, 30), 15, date(2028, 2, 29)),
    ],
)
def test_a_month_ends_on_the_same_day_of_a_later_one(lent_on: date, months: int, due_on: date) -> None:
    """On its last day where it has no such day; across the end of a year."""
    pack = default_pack()
    pack = replace(pack, keeping=replace(pack.keeping, loan_months=months))
    assert loan_ends(lent_on, pack, out_of_house=False) == due_on


@pytest.mark.parametrize(("due_on", "taken"), [("2026-03-31", True), ("2026-04-01", True), ("2026-04-02", False)])
def test_a_case_is_lent_for_a_calendar_month_and_no_day_longer(due_on: str, *, taken: bool) -> None:
    """Lent on 1 March: the day before, the day itself, and the day after; what names no day ends on the day itself."""
    stream = archived()
    command: Command = LendRecord(RECORD, SUPERIOR, due_on, out_of_house=False)
    if not taken:
        assert stream.refused(command)[1] == [("due_on", "LOAN_TOO_LONG")]
        return
    stream.when(command, now=NOW)
    unsaid = archived()
    unsaid.when(LendRecord(RECORD, SUPERIOR, "", out_of_house=False))
    assert [each.due_on for each in unsaid.record.overlays.loans.values()] == ["2026-04-01"]


def test_a_layer_gives_the_term_in_its_own_unit() -> None:
    """What is below in the other unit is gone; in both at once nobody knows what is meant."""
    by_days = read_pack(LAYER + DAYS, bases())[0].keeping
    assert (by_days.loan_days, by_days.loan_months) == (10, 0)
    by_months = read_pack(LAYER + MONTHS, bases())[0].keeping
    assert (by_months.loan_days, by_months.loan_months) == (0, 2)
    (fault,) = faults_of(LAYER + DAYS + MONTHS)
    assert "in days or in months, not both" in fault
