"""How long a record is kept: from the patient's LAST visit of its class, and never shorter than once promised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ledger.domain.decision import Facts, Visit
from ledger.domain.pack_roles import NoRoles
from ledger.domain.rule_pack import RetentionClass, RulePack
from ledger.domain.state import RecordState
from ledger.domain.values import Phase

OPEN = frozenset({Phase.REGISTERED, Phase.ACTIVE})
"""Phases of a stay that goes on."""


def retention_class(record: RecordState, facts: Facts) -> RetentionClass:
    """The class of the record's visit type in the pack."""
    return facts.pack.retention[record.visit_type]


def last_said_end(record: RecordState) -> datetime | None:
    """The end of care from which a term counts, the latest that was ever said; None while care goes on."""
    if record.ended_at is None:
        return None
    # A term is never cut short by what one person dates back, in a correction or by ending care once more.
    return record.latest_end or record.ended_at


@dataclass(frozen=True)
class Term:
    """Until when a record is kept, and the figure that says so."""

    until: str
    """First day on which disposal could be appraised, ISO 8601."""
    years: int = 0
    """0 = no figure: a date promised before is later than what the packs say now."""
    source: str = ""
    """Where the figure is from, as its pack says."""
    pack: str = ""
    """The pack with the figure, id@version."""
    until_age: int = 0
    """Age by which it was computed, of a minor; 0 = by the years."""


def retention_term(record: RecordState, facts: Facts) -> Term:
    """The longest of what was promised and what the record's own pack and the one in force say now."""
    # A term that the law has lengthened since holds for what is kept already; a shorter one takes nothing back.
    packs = (facts.pack, *((facts.pack_in_force,) if facts.pack_in_force else ()))
    longest = max((_term(record, pack, facts) for pack in packs), key=lambda term: term.until)
    # ISO dates compare as text; a date once promised never moves back.
    return longest if longest.until >= record.retain_until else Term(record.retain_until)


def retention_date(record: RecordState, facts: Facts) -> str:
    """First day on which disposal could be appraised, ISO 8601: the later of what was promised and what is due now."""
    return retention_term(record, facts).until


def _term(record: RecordState, pack: RulePack, facts: Facts) -> Term:
    kept = pack.retention[record.visit_type]
    until = kept.until(_since(record, pack, facts))
    of_age = max((kept.of_age(each) for each in _births(record, facts)), default=until) if kept.until_age else until
    figure = next(each for each in pack.figures if each.name == f"retention.{record.visit_type}")
    by_age = kept.until_age if of_age > until else 0
    return Term(max(until, of_age).isoformat(), kept.years, figure.source, f"{pack.id}@{pack.version}", by_age)


def _births(record: RecordState, facts: Facts) -> Iterator[date]:
    """The birthdays of everybody whom the record is about: the patient, and newborns who stand."""
    if facts.born_on is not None:
        yield facts.born_on
    for each in record.newborns.values():
        if not each.withdrawn:
            yield _day(each.born_at, facts)


def _since(record: RecordState, pack: RulePack, facts: Facts) -> date:
    """The day from which the pack counts: the end of the last visit that it puts into the record's class."""
    own = _begins_on(last_said_end(record), registered_here(record), facts)
    # What was entered in error was no visit: it has a term of its own, and moves nobody else's.
    if record.archiving.in_error:
        return own
    wanted = pack.retention[record.visit_type].name
    same = (each for each in facts.visits if each.counts and pack.retention[each.visit_type].name == wanted)
    return max([own, *(_begins_on(each.ended_at, each.registered_at, facts) for each in same)])


def registered_here(record: RecordState) -> datetime | None:
    """When the ledger got to know of it, unless an earlier system registered it: no term begins before."""
    return None if record.historical else record.registered_at


def term_over(record: RecordState, facts: Facts) -> bool:
    """Whether the day has come on which disposal could be appraised."""
    # A pack in force that cannot be read may have lengthened the term.
    if isinstance(facts.roles_by, NoRoles):
        return False
    return retention_date(record, facts) <= _day(facts.now, facts).isoformat()


def open_stays(facts: Facts) -> tuple[Visit, ...]:
    """The patient's visits that go on."""
    return tuple(visit for visit in facts.visits if visit.phase in OPEN)


def _begins_on(ended_at: datetime | None, registered_at: datetime | None, facts: Facts) -> date:
    # A stay that goes on has not begun the term: counted from today, it is the last.
    ended = ended_at or facts.now
    # Nobody checks an end that is typed decades back: what was begun here is kept for the whole term from that day.
    return _day(max(ended, registered_at or ended), facts)


def _day(moment: datetime, facts: Facts) -> date:
    # A stay that ended after midnight in the hospital ended on that day, whatever day it was in Greenwich.
    return facts.pack.deadlines.calendar.day_of(moment)
