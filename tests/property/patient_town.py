"""Several patients and their records in memory: what the store would hold, and what the fact gathering would find."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ledger.domain.commands import AmendPatient, Command, RegisterPatient, RegisterRecord
from ledger.domain.course_commands import IdentifyPatient
from ledger.domain.decide import decide
from ledger.domain.decide_identification import number_under
from ledger.domain.decide_patient import details_after, likeness
from ledger.domain.decision import (
    Bearer,
    Bump,
    Claim,
    ClaimedItem,
    Decision,
    FactClaim,
    Facts,
    Reservation,
    Swap,
)
from ledger.domain.events import Event
from ledger.domain.evolve import evolve
from ledger.domain.identity_commands import (
    LinkPatients,
    MergePatients,
    UnlinkPatients,
    UnmergePatients,
    WithdrawIdentification,
    WithdrawRecognition,
)
from ledger.domain.newborn_commands import LinkNewborn, RestoreNewborn
from ledger.domain.patient_identifiers import bearer_of, identifiers_named
from ledger.domain.refusal import Refused, Violation
from ledger.domain.source_claim import Taken, decode_claim
from ledger.domain.state import PatientState, RecordState, StreamState
from ledger.domain.values import Actor, SourceItem
from tests.unit.domain.given import NOW, facts

OF_TWO = (LinkPatients, UnlinkPatients, MergePatients, UnmergePatients)
Key = tuple[str, tuple[str, ...]]


@dataclass
class Kept:
    """A stream: its events with their times, and its state after each."""

    events: list[Event] = field(default_factory=list[Event])
    times: list[datetime] = field(default_factory=list[datetime])
    history: list[StreamState | None] = field(default_factory=lambda: [None])


@dataclass(frozen=True)
class Asked:
    """A command with who sends it and from which source's item."""

    command: Command
    actor: Actor
    source: SourceItem | None = None
    expected_version: int | None = None


@dataclass(frozen=True)
class Step:
    """A command of a walk with the streams before and after; `refused` has the faults where it was."""

    asked: Asked
    facts: Facts
    before: dict[UUID, StreamState]
    after: dict[UUID, StreamState]
    decision: Decision | None = None
    refused: tuple[Violation, ...] = ()


@dataclass
class Town:
    """Everybody whom the hospital knows, by stream id; and every claim, with the stream that made it first."""

    streams: dict[UUID, Kept] = field(default_factory=dict[UUID, Kept])
    claims: dict[Key, tuple[UUID, bytes]] = field(default_factory=dict[Key, tuple[UUID, bytes]])
    counters: dict[Key, int] = field(default_factory=dict[Key, int])
    now: datetime = NOW
    commands: int = 0

    @property
    def states(self) -> dict[UUID, StreamState]:
        """Every stream as it stands."""
        return {each: kept.history[-1] for each, kept in self.streams.items() if kept.history[-1] is not None}

    @property
    def patients(self) -> dict[UUID, PatientState]:
        """The patients."""
        return {each: state for each, state in self.states.items() if isinstance(state, PatientState)}

    @property
    def records(self) -> dict[UUID, RecordState]:
        """The records."""
        return {each: state for each, state in self.states.items() if isinstance(state, RecordState)}

    def take(self, asked: Asked) -> Step:
        """Decides a command and keeps what it leads to, all of it or nothing."""
        self.commands += 1
        self.now += timedelta(seconds=1)
        before, known = self.states, self.facts(asked)
        try:
            decision = decide(asked.command, self.states.get(self._stream_of(asked, known) or UUID(int=0)), known)
        except Refused as refused:
            return Step(asked, known, before, self.states, refused=refused.violations)
        for reservation in decision.reservations:
            self._reserve(reservation, decision.stream_id)
        for stream_id, events in (
            (decision.stream_id, decision.events),
            *((b.stream_id, b.events) for b in decision.beside),
        ):
            for event in events:
                self._append(stream_id, event)
        return Step(asked, known, before, self.states, decision)

    def facts(self, asked: Asked) -> Facts:
        """As `fact_gathering` finds them."""
        context = {"actor": asked.actor, "source": asked.source, "expected_version": asked.expected_version}
        known = facts(first_id=1_000_000 + 100 * self.commands, now=self.now, claimed=self._claimed(asked), **context)
        match asked.command:
            case RegisterPatient() | AmendPatient() | WithdrawRecognition():
                return self._of_identity(asked.command, known)
            case RegisterRecord(patient_id=UUID() as patient_id):
                bumps = self.counters.get(("patient", (str(patient_id),)), 0)
                return replace(known, patient=self.patients.get(patient_id), patient_bumps=bumps)
            case IdentifyPatient(record_id=record_id, patient_id=patient_id):
                return self._of_number(asked.command, self._of_kin(known, record_id, patient_id))
            case WithdrawIdentification(record_id=record_id):
                provisional = self.records[record_id].provisional
                return self._of_kin(known, record_id, provisional.patient_id) if provisional else known
            case LinkNewborn(record_id=record_id, patient_id=patient_id):
                return self._of_kin(known, record_id, patient_id) if patient_id else known
            case RestoreNewborn(record_id=record_id, subject_id=subject_id):
                born = self.records[record_id].newborns.get(subject_id)
                return self._of_kin(known, record_id, born.patient_id) if born and born.patient_id else known
            case command if isinstance(command, OF_TWO):
                return self._of_pair(command, known)
            case _:
                return known

    def families(self) -> tuple[tuple[UUID, ...], ...]:
        """Of each record that stands: its patient, and who its newborns are, each as the patient who goes on."""
        stand = (each for each in self.records.values() if not each.archiving.in_error)
        return tuple(tuple(self.person(each) for each in _members(record)) for record in stand)

    def person(self, patient_id: UUID) -> UUID:
        """The patient who goes on in this one's place."""
        return self.patients[patient_id].merged_into or patient_id

    def _of_identity(self, command: RegisterPatient | AmendPatient | WithdrawRecognition, known: Facts) -> Facts:
        recognises = isinstance(command, RegisterPatient) and (known.claimed is None or known.claimed.is_free)
        stream_id = known.claimed.stream_id if known.claimed else None
        if not isinstance(command, RegisterPatient):
            stream_id = command.patient_id
        state = None if recognises or stream_id is None else self.patients.get(stream_id)
        known = replace(known, bearers=tuple(map(self.bearer, identifiers_named(command, state))))
        led = self._stream_of(Asked(command, known.context.actor, known.context.source), known)
        if led is None or led not in self.patients:
            return known
        alike = likeness(details_after(command, self.patients[led], known.context.source))
        claimed = not alike or ("alike", (*alike, str(led))) in self.claims
        return replace(known, likeness_claimed=claimed)

    def bearer(self, identifier: tuple[str, str]) -> Bearer | None:
        """What the claim of an identifier says."""
        found = self.claims.get(("identifier", identifier))
        if found is None:
            return None
        patient_id = bearer_of(found[1], found[0])
        return Bearer(patient_id, found[1], self.patients[patient_id].merged_into if patient_id else None)

    def _of_number(self, command: IdentifyPatient, known: Facts) -> Facts:
        if known.patient is None:
            return known
        record, case_number = self.records[command.record_id], known.patient.case_number
        visit = (case_number, record.visit_type, str(number_under(command, record, case_number)))
        claim = self.claims.get(("visit", visit))
        return replace(known, number_claimed=claim is not None and claim[0] == command.record_id)

    def _of_kin(self, known: Facts, record_id: UUID, patient_id: UUID) -> Facts:
        named = {patient_id, *_members(self.records[record_id])}
        survivors = {
            each: self.person(each) for each in named if each in self.patients and self.patients[each].merged_into
        }
        return replace(known, patient=self.patients.get(patient_id), survivors=survivors, persons=self._bumped(named))

    def _of_pair(self, command: Any, known: Facts) -> Facts:
        other_id = command.other_id if isinstance(command, LinkPatients | UnlinkPatients) else command.survivor_id
        pair = {command.patient_id, other_id}
        known = replace(known, other_patient=self.patients.get(other_id), persons=self._bumped(pair))
        families = tuple(frozenset(each) for each in self.families())
        return replace(known, families=families) if isinstance(command, MergePatients) else known

    def _bumped(self, patients: set[UUID]) -> dict[UUID, int]:
        return {each: self.counters.get(("patient", (str(each),)), 0) for each in patients}

    def _claimed(self, asked: Asked) -> ClaimedItem | None:
        item, command = asked.source, asked.command
        parts = (item.system, item.type, item.id) if item else ("", "", "")
        if isinstance(command, WithdrawRecognition):
            parts = (command.system, command.type, command.id)
        found = self.claims.get(("source", parts))
        if found is None:
            return None
        taken, entry_id, digest = decode_claim(found[1])
        led = entry_id if taken is Taken.PATIENT and entry_id else found[0]
        return ClaimedItem(led, entry_id, digest, taken)

    def _stream_of(self, asked: Asked, known: Facts) -> UUID | None:
        command: Any = asked.command
        if isinstance(command, RegisterPatient):
            if asked.source is None:
                return None
            if known.claimed is not None and not known.claimed.is_free:
                return known.claimed.stream_id
            persons = (each.person_id for each in known.bearers if each is not None)
            return next((each for each in persons if each is not None), None)
        if isinstance(command, RegisterRecord):
            return known.claimed.stream_id if known.claimed else None
        on_patient = isinstance(command, (AmendPatient, WithdrawRecognition, *OF_TWO))
        return command.patient_id if on_patient else command.record_id

    def _reserve(self, reservation: Reservation, stream_id: UUID) -> None:
        """As the store does; whatever it would refuse was decided on facts that it does not hold."""
        key = (reservation.kind, reservation.parts)
        match reservation:
            case Claim(value=value):
                assert key not in self.claims, reservation.kind
                self.claims[key] = (stream_id, value)
            case Swap(expected=expected, value=value):
                first, stored = self.claims[key]
                assert stored == expected, reservation.kind
                self.claims[key] = (first, value)
            case Bump(expected=expected):
                assert self.counters.get(key, 0) == expected
                self.counters[key] = expected + 1
            case FactClaim():
                raise AssertionError(reservation)

    def _append(self, stream_id: UUID, event: Event) -> None:
        kept = self.streams.setdefault(stream_id, Kept())
        kept.events.append(event)
        kept.times.append(self.now)
        kept.history.append(evolve(kept.history[-1], event, len(kept.events), self.now))


def _members(record: RecordState) -> tuple[UUID, ...]:
    """The patient of a record, then who its newborns are, of those that stand; one who is two of them stands twice."""
    born = (each.patient_id for each in record.newborns.values() if not each.withdrawn)
    return (record.patient_id, *(each for each in born if each is not None))
