"""What a record accepts now, what it demands by when, and how long it is kept: read from the write side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from ledger.application.errors import RecordDestroyed, UnknownRecord
from ledger.application.fact_gathering import FactGathering
from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.stream_cache import Loaded
from ledger.clock import Clock
from ledger.domain.allowed_actions import Action, allowed_actions
from ledger.domain.deadlines import Deadline, deadlines, false_reports
from ledger.domain.decide_transfer import unanswered
from ledger.domain.decision import Facts, Visit
from ledger.domain.keeping_state import Missed
from ledger.domain.retention import Term, retention_term, term_over
from ledger.domain.state import RecordState, is_destroyed
from ledger.domain.transfer_state import Transfer, run_out
from ledger.domain.values import Actor


@dataclass(frozen=True)
class Deadlines:
    """The deadlines of a record as they stand at one moment."""

    record_version: int
    deadlines: tuple[tuple[Deadline, bool], ...]
    """Each with whether it is missed."""
    reported: tuple[tuple[Missed, bool], ...]
    """What was reported as missed, each with whether that holds."""
    offers: tuple[tuple[Transfer, bool], ...] = ()
    """Offers to other hospitals that wait for an answer, each with whether it has run out."""


@dataclass(frozen=True)
class Retention:
    """How long a record is kept."""

    record_version: int
    record: RecordState
    computed: Term
    """The first day on which disposal could be appraised, as computed now, and by which figure."""
    term_over: bool
    term_over_at: datetime | None
    """When that day begins by the hospital's clocks; None of a destroyed record."""
    visits: tuple[Visit, ...]


class RecordOutlook:
    """Answers for the records of one hospital; it changes nothing."""

    def __init__(self, ledger: HospitalLedger, gathering: FactGathering, clock: Clock) -> None:
        self._ledger = ledger
        self._gathering = gathering
        self._clock = clock

    async def allowed_actions(
        self, record_id: UUID, asker: Actor | None = None, purpose: str = ""
    ) -> tuple[int, list[Action]]:
        """The record's version, and all commands with what is against them, for whoever asks.

        Raises UnknownRecord, RecordDestroyed.
        """
        record, facts = await self._look(record_id, self._gathering.for_actions)
        if facts is None:
            raise RecordDestroyed(record_id)
        facts = replace(facts, context=replace(facts.context, purpose=purpose))
        return record.version, allowed_actions(record, facts, asker)

    async def deadlines(self, record_id: UUID) -> Deadlines:
        """Every deadline, and what of the reports still holds; none of a destroyed record. Raises UnknownRecord."""
        record, facts = await self._look(record_id)
        if facts is None:
            return Deadlines(record.version, (), ())
        wrong = false_reports(record, facts.pack, facts.now)
        reported = sorted(record.overlays.missed, key=lambda each: (each.due_at, each.rule, str(each.subject_id)))
        return Deadlines(
            record.version,
            tuple((each, each.missed(facts.now)) for each in deadlines(record, facts.pack, facts.now)),
            tuple((each, each not in wrong) for each in reported),
            tuple((each, run_out(each, facts.now)) for each in unanswered(record)),
        )

    async def retention(self, record_id: UUID) -> Retention:
        """How long the record is kept, over all visits of its patient; a destroyed one is not. Raises UnknownRecord."""
        record, facts = await self._look(record_id, self._gathering.of_term)
        if facts is None:
            return Retention(record.version, record, Term(""), term_over=True, term_over_at=None, visits=())
        term = retention_term(record, facts)
        begins = facts.pack.deadlines.calendar.first_moment(date.fromisoformat(term.until))
        return Retention(record.version, record, term, term_over(record, facts), begins, facts.visits)

    async def patient_visits(self, patient_id: UUID) -> tuple[Visit, ...]:
        """Every record of the person, over linked and merged identities. Raises UnknownPatient."""
        return await self._gathering.visits_of(patient_id)

    async def _look(
        self, record_id: UUID, more: Callable[[Facts, Loaded], Awaitable[Facts]] | None = None
    ) -> tuple[RecordState, Facts | None]:
        """The record with the facts about it; a destroyed one has none left."""
        loaded = await self._ledger.load(record_id)
        if loaded is None or not isinstance(loaded.state, RecordState):
            raise UnknownRecord(record_id)
        if is_destroyed(loaded.state):
            return loaded.state, None
        facts = await self._gathering.of_state(loaded, self._clock())
        return loaded.state, await more(facts, loaded) if more else facts
