"""From a request to its durable answer: decide, seal, append, and again where somebody else was faster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from ledger.application.command_table import Asked, decode_request
from ledger.application.errors import (
    ClockOff,
    CommandIdReused,
    Contention,
    LedgerError,
    RecordDestroyed,
    UnknownRecord,
    VersionMismatch,
)
from ledger.application.fact_gathering import FactGathering
from ledger.application.hospital_ledger import HospitalLedger, Prepared
from ledger.application.ids_ahead import IdsAhead
from ledger.application.lanes import Lanes
from ledger.application.message_codec import time_of
from ledger.application.outcome import Outcome, Result, decode_result, encode_result
from ledger.application.overtaken import Overtaken
from ledger.application.request_digest import content_digest
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.stream_cache import Loaded
from ledger.application.written_rules import WrittenRules
from ledger.clock import Clock, system_clock
from ledger.domain.changed import changed
from ledger.domain.code_tables import CodeTables
from ledger.domain.commands import RegisterRecord
from ledger.domain.decide import decide
from ledger.domain.decision import DISPOSAL, LEDGER, MAP, PATIENT, TRACE, ClaimedItem, Decision, Facts
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.domain.state import PatientState, is_destroyed
from ledger.store import append
from ledger.store.committer import GroupCommitter
from ledger.store.reading import CommandReceipt, EventReader

ATTEMPTS_MAX = 5
_GATHERED_AGAIN = frozenset({"source", "package", "fact", "identifier", "alike", PATIENT, TRACE, DISPOSAL, LEDGER, MAP})
"""Reservations whose holder or counter is a fact: when one is lost, the next decision knows how it stands."""
_FIELD_OF = {"visit": "visit_sequence", "case_number": "case_number"}
"""The field of the request that a client must change where a reservation is another's."""


class CommandPath:
    """Executes the commands of one hospital."""

    def __init__(
        self,
        ledger: HospitalLedger,
        reader: EventReader,
        committer: GroupCommitter,
        gathering: FactGathering,
        keys: ReservationKeys,
        ahead: IdsAhead,
        written: WrittenRules,
        clock_skew_us_max: int = append.CLOCK_SKEW_MAX_US,
        clock: Clock = system_clock,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._committer = committer
        self._gathering = gathering
        self._keys = keys
        self._ahead = ahead
        self._written = written
        self._clock_skew_us_max = clock_skew_us_max
        self._clock = clock
        self._lanes = Lanes()
        self._overtaken = Overtaken()

    async def execute(self, rpc: str, request: Message, known_hospitals: frozenset[str]) -> Outcome:
        """Does a command once and durably, whatever happens; a retry gets the first answer.

        Raises Refused, or a LedgerError; after any of them nothing was written, but for OutcomeUnknown.
        """
        work = _Work(decode_request(request), rpc, self._keys.of_command(content_digest(rpc, request)), known_hospitals)
        try:
            return await self._until_settled(work)
        except (Refused, LedgerError):
            # Whatever stands in the way now: what was done before is answered as it was then.
            done = await self.remembered(work.asked.context.command_id, work.content)
            if done is None:
                raise
            return done

    async def _until_settled(self, work: _Work) -> Outcome:
        asked, fresh = work.asked, False
        claimed = await self._gathering.claimed(asked)
        async with self._lanes.enter(_lane_of(asked, claimed)):
            while work.conflicts < ATTEMPTS_MAX:
                outcome = await self._attempt(work, claimed, fresh=fresh)
                if outcome is not None:
                    return outcome
                claimed, fresh = await self._gathering.claimed(asked), True
        raise work.last_conflict or Contention(ATTEMPTS_MAX)

    async def _attempt(self, work: _Work, claimed: ClaimedItem | None, *, fresh: bool) -> Outcome | None:
        """One decision and its append; None = decide again."""
        stream_id = work.asked.stream_id or await self._gathering.opened(work.asked, claimed)
        known, loaded = await self._known_and_loaded(stream_id, fresh=fresh)
        beside = await self._ledger.load(work.asked.beside_id) if work.asked.beside_id else None
        try:
            decision, prepared = await self._decide(work, loaded, claimed, beside)
        except (Refused, LedgerError):
            # What this process remembers of a stream may be stale; nobody is refused for that.
            if known is not None:
                return None
            raise
        if not decision.events and known is not None:
            # "Nothing to add" is remembered for ever, and nothing in the append checks it: never on a stale memory.
            return None
        verdict = await self._committer.append(self._append_of(work, decision, prepared, loaded))
        if known is not None:
            self._overtaken.note(behind=isinstance(verdict, append.VersionConflict))
        return self._settle(work, verdict, decision.result, prepared, (loaded, beside))

    async def _known_and_loaded(self, stream_id: UUID | None, *, fresh: bool) -> tuple[Loaded | None, Loaded | None]:
        """The stream as remembered, where the decision may go by that, and as it goes by it."""
        known = self._ledger.known(stream_id) if stream_id is not None else None
        if known is not None and not fresh and not self._overtaken.often:
            return known, known
        loaded = await self._ledger.load(stream_id) if stream_id is not None else None
        if known is not None and loaded is not None and not fresh:
            self._overtaken.note(behind=loaded.version > known.version)
        return None, loaded

    async def _decide(
        self, work: _Work, loaded: Loaded | None, claimed: ClaimedItem | None, beside: Loaded | None
    ) -> tuple[Decision, Prepared]:
        asked = work.asked
        if asked.stream_id is not None and loaded is None:
            raise UnknownRecord(asked.stream_id)
        if loaded is not None and is_destroyed(loaded.state):
            raise RecordDestroyed(loaded.stream_id)
        expected, actual = asked.context.expected_version, loaded.version if loaded else 0
        if expected is not None and expected != actual:
            raise VersionMismatch(expected, actual)
        now = self._clock()
        decision, tables = await self._decision(work, loaded, claimed, beside, now)
        if decision.events and self._written.lack(asked.command, tables):
            await self._written.write(tables)
            # Somebody else may have written other rules meanwhile.
            decision, _ = await self._decision(work, loaded, claimed, beside, now)
        return decision, await self._ledger.prepare(decision, _target(decision, loaded), now, beside)

    async def _decision(
        self, work: _Work, loaded: Loaded | None, claimed: ClaimedItem | None, beside: Loaded | None, now: datetime
    ) -> tuple[Decision, CodeTables]:
        """What is decided now, and the tables that were looked into."""
        facts = await self._gathering.facts(work.asked, loaded, claimed, work.known_hospitals, now)
        if beside is not None and isinstance(beside.state, PatientState):
            facts = replace(facts, other_patient=beside.state)
        return self._decided(work.asked, loaded, facts), facts.code_tables

    def _decided(self, asked: Asked, loaded: Loaded | None, facts: Facts) -> Decision:
        # Nothing is awaited from the look at an id that is ready to its taking: so two never take one.
        ready = self._ahead.first() if asked.stream_id is None else None
        known = facts if ready is None else changed(facts, ids=(ready,))
        decision = decide(asked.command, loaded.state if loaded else None, known)
        if asked.stream_id is None and loaded is None:
            self._ahead.begins(decision.stream_id)
        return decision

    def _append_of(self, work: _Work, decision: Decision, prepared: Prepared, loaded: Loaded | None) -> append.Append:
        target = _target(decision, loaded)
        return append.Append(
            command_id=work.asked.context.command_id,
            content=work.content,
            rpc=work.rpc,
            stream_id=decision.stream_id,
            events=prepared.rows,
            reservations=tuple(self._keys.stored(each, decision.stream_id) for each in decision.reservations),
            result=encode_result(decision.result),
            clock_skew_us_max=self._clock_skew_us_max,
            result_version=(target.version if target else 0) + len(decision.events),
        )

    def _settle(
        self,
        work: _Work,
        verdict: append.Verdict,
        result: Result,
        prepared: Prepared,
        streams: tuple[Loaded | None, Loaded | None],
    ) -> Outcome | None:
        """The answer, or None where the command must be decided again."""
        loaded = streams[0]
        context = work.asked.context
        work.last_conflict = None
        work.conflicts += 1
        match verdict:
            case append.Appended():
                self._remember_state(prepared, streams)
                return outcome_of(verdict, result, len(prepared.rows), repeated=False)
            case append.Repeated():
                return outcome_of(verdict, decode_result(verdict.result), 0, repeated=True)
            case append.CommandIdReused():
                raise CommandIdReused(context.command_id)
            case append.VersionConflict(stream_id=stream_id, actual=actual):
                if loaded is None or stream_id != loaded.stream_id or actual <= loaded.version:
                    # Not behind but elsewhere: what this process remembers is no part of the stream.
                    self._ledger.forget(stream_id)
                if context.expected_version is not None:
                    raise VersionMismatch(context.expected_version, actual)
            case append.ReservationConflict(kind=kind):
                if kind not in _GATHERED_AGAIN:
                    raise Refused(RefusalKind.TAKEN, (_taken(kind),))
            case append.ClockSkew(database_now=database_now):
                work.last_conflict = ClockOff(time_of(database_now))
        return None

    def _remember_state(self, prepared: Prepared, streams: tuple[Loaded | None, ...]) -> None:
        known: dict[UUID, Loaded] = {each.stream_id: each for each in streams if each is not None}
        for recorded in prepared.recorded:
            stream_id = recorded.originator_id
            known[stream_id] = self._ledger.advance(known.get(stream_id), recorded)
        for stream_id in {recorded.originator_id for recorded in prepared.recorded}:
            self._ledger.remember(known[stream_id])

    async def remembered(self, command_id: UUID, content: bytes) -> Outcome | None:
        """The first answer to a command that was done before. Raises CommandIdReused for other content."""
        done = await self._reader.command(self._ledger.hospital, command_id)
        if done is None:
            return None
        if done.content != content:
            raise CommandIdReused(command_id)
        return outcome_of(done, decode_result(done.result), 0, repeated=True)


@dataclass
class _Work:
    asked: Asked
    rpc: str
    content: bytes
    known_hospitals: frozenset[str]
    conflicts: int = 0
    """Verdicts that did not settle it."""
    last_conflict: LedgerError | None = None
    """What to say of the last of them, where it was not another writer."""


def _lane_of(asked: Asked, claimed: ClaimedItem | None) -> UUID | None:
    if isinstance(asked.command, RegisterRecord):
        return asked.command.patient_id  # each bumps the patient: one after the other, they never meet there
    return asked.stream_id or (claimed.stream_id if claimed else None)


def _taken(kind: str) -> Violation:
    return Violation(_FIELD_OF.get(kind, kind), "ALREADY_EXISTS", "taken by another")


def _target(decision: Decision, loaded: Loaded | None) -> Loaded | None:
    return loaded if loaded is not None and loaded.stream_id == decision.stream_id else None


def outcome_of(
    receipt: append.Appended | append.Repeated | CommandReceipt, result: Result, events: int, *, repeated: bool
) -> Outcome:
    """The answer to a command that is durable; `events` are those that it appended now."""
    return Outcome(
        record_id=receipt.stream_id,
        record_version=receipt.version,
        position=receipt.last_position,
        repeated=repeated,
        events=events,
        result=result,
    )
