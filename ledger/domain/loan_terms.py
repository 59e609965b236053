"""Until when an archived case may be out: in days or calendar months inside the house, in working days outside."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from ledger.domain.rule_pack import RulePack


def loan_ends(lent_on: date, pack: RulePack, *, out_of_house: bool) -> date:
    """The last day of a loan that begins on this day."""
    terms = pack.keeping
    if out_of_house:
        return pack.deadlines.calendar.working_day_after(lent_on, terms.loan_out_of_house_days)
    if terms.loan_months:
        return _months_after(lent_on, terms.loan_months)
    return lent_on + timedelta(days=terms.loan_days)


def _months_after(day: date, months: int) -> date:
    """The same day of a later month; its last day where it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def renewal_ends(due_on: date, pack: RulePack, *, out_of_house: bool) -> date:
    """The last day after a renewal, counted from the day on which the case was due, whenever it is renewed.

    Outside the house there is no longer term than the first one: what is renewed there is renewed for as long again.
    """
    if out_of_house:
        return loan_ends(due_on, pack, out_of_house=True)
    return due_on + timedelta(days=pack.keeping.loan_renewal_days)
