"""What the tests of the core say before `when`: facts, contents, and records in each phase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.certificate_values import CertificateVerdict, CheckedCertificate
from ledger.domain.commands import (
    AnswerConsultation,
    ArchiveRecord,
    Command,
    CommandContext,
    EndCare,
    PassQuality,
    RecordEntry,
    RegisterPatient,
    RegisterRecord,
    RequestConsultation,
    RetractEntry,
    ReturnRecord,
    StartCare,
    SubmitRecord,
    TransferDepartment,
)
from ledger.domain.course_commands import (
    AcceptDeficiency,
    ArriveAtConsultation,
    AssignPhysician,
    CorrectTime,
    DeclareEnteredInError,
    IdentifyPatient,
    WithdrawConsultation,
)
from ledger.domain.decide import decide
from ledger.domain.decision import Decision, Facts, PackageFacts, Visit
from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_values import DisposalListPhase, ListedRecord
from ledger.domain.endorsed_acts import act_done, second_of
from ledger.domain.endorsement_events import ActEndorsed
from ledger.domain.endorsement_guards import used_by
from ledger.domain.entry_traces import EntryPlace, EntryTrace
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
from ledger.domain.keeping_commands import (
    AccountForPaper,
    AnswerPatientRequest,
    AppraiseDisposal,
    ApproveDisposal,
    ApproveReopen,
    DestroyRecord,
    EndRetention,
    ExtendRetention,
    ExtendSeal,
    IssueCopy,
    LendRecord,
    LiftHold,
    LiftRestriction,
    MovePaper,
    PlaceHold,
    RearchiveRecord,
    RecordHolderTold,
    RenewLoan,
    RequestReopen,
    SealRecord,
    UnsealRecord,
)
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.newborn_commands import CorrectBirth, LinkNewborn, RestoreNewborn, WithdrawNewborn
from ledger.domain.pack_short_path import SHORT_PATH
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.retention import last_said_end, registered_here
from ledger.domain.sample_commands import AssessSample
from ledger.domain.state import RecordState, StreamState
from ledger.domain.transfer_note_guards import EMERGENCY
from ledger.domain.values import (
    Actor,
    Attestation,
    Coding,
    Defect,
    Disposition,
    EntryContent,
    Field,
    IdentityStatus,
    PatientDetails,
    Section,
    SourceItem,
    TimeOf,
    Urgency,
    VisitType,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHYSICIAN = Actor(UUID(int=1), "Dr. Wu", "physician", "cardiology", "L-1")
TRAINEE = Actor(UUID(int=2), "Dr. Li", "trainee", "cardiology")
CONSULTANT = replace(PHYSICIAN, department="neurology")
"""Of the department that most tests ask."""
IMPORTER = Actor(UUID(int=19), "import", "interface")
RECORD = UUID(int=100)
RIGHT = UUID(int=101)
ELSEWHERE = EntryPlace(RIGHT, UUID(int=102))
"""Where an entry of a wrong record was recorded again."""
PATIENT = UUID(int=200)
HOSPITAL = "north"
ENDORSED_FOR = timedelta(hours=24)
"""So long both shipped packs let an endorsement hold."""
HEAD = bytes([7]) * 32
DIGEST = bytes([1]) * 32
OTHER_DIGEST = bytes([2]) * 32


def facts(*, first_id: int = 1000, **changes: Any) -> Facts:
    """Facts for one decision; names of CommandContext's fields change the context, others the facts."""
    of_context = {name: changes.pop(name) for name in list(changes) if name in CommandContext.__dataclass_fields__}
    if of_context.get("historical"):
        # A program brings what an earlier system holds, and names the item.
        of_context.setdefault("actor", IMPORTER)
        of_context.setdefault("source", source(id_=f"old-{first_id}"))
    context = replace(CommandContext(HOSPITAL, UUID(int=first_id + 50), PHYSICIAN), **of_context)
    ids = tuple(UUID(int=first_id + index) for index in range(6))
    known = Facts(NOW, ids, context, default_pack(), default_templates(), head_leaf=HEAD, disposal_list=LISTED)
    known = replace(known, open_lists=frozenset({LIST}), certifies=True, certificate=CHECKED)
    return replace(known, **changes)


def as_signer(command: Command) -> dict[str, Any]:
    """The change of the facts for a command that only some may send: whoever signs by login acts."""
    if type(command) in _OFFICES:
        return {"actor": _OFFICES[type(command)]}
    if isinstance(command, CorrectTime) and command.of is not TimeOf.ENTRY:
        return {"actor": SUPERIOR}
    if isinstance(command, TransferDepartment) and command.note_entry_id is None:
        return {"purpose": EMERGENCY}
    if isinstance(command, ArriveAtConsultation | AnswerConsultation):
        attestation = getattr(command, "attestation", None)
        came = attestation.signer if isinstance(attestation, Attestation) and attestation.signer else PHYSICIAN
        return {"actor": replace(came, department="")}
    attestation = getattr(command, "attestation", None)
    by_login = isinstance(attestation, Attestation) and attestation.method == "session" and attestation.signer
    return {"actor": by_login} if by_login else {}


def by_signer(command: Command, known: Facts) -> Facts:
    """The facts with who signs by login as who acts; what is left to offices a program still tries by itself."""
    if type(command) in _OFFICES and known.context.actor == CLOCK:
        return known
    return replace(known, context=replace(known.context, **as_signer(command)))


def source(digest: bytes = DIGEST, id_: str = "doc-1") -> SourceItem:
    """A source item."""
    return SourceItem("his", "DocumentReference", id_, digest)


def signed(signer: Actor = PHYSICIAN) -> Attestation:
    """An attestation by login."""
    return Attestation("session", signer, NOW)


def note(text: str = "Feels better.", template: str = "course_note", section: str = "note") -> EntryContent:
    """An entry of one narrative section."""
    return EntryContent(template, 1, "Note", (Section(section, text),))


def narrative(template: str, *sections: str) -> EntryContent:
    """An entry with a text in each section."""
    return EntryContent(template, 1, sections=tuple(Section(code, "As written.") for code in sections))


MANDATORY = (
    narrative("admission_note", "chief_complaint", "history", "examination", "assessment"),
    note(),
    narrative("discharge_record", "admission_reason", "course", "condition", "instructions"),
    EntryContent(
        "front_page",
        1,
        sections=(
            Section(
                "diagnoses",
                fields=(Field("principal_diagnosis", coding=Coding("http://hl7.org/fhir/sid/icd-10", "I21.0")),),
            ),
        ),
    ),
    narrative("first_course_note", "case_features", "assessment", "plan"),
)
"""What the record of an inpatient who stays for more than a shift must hold before it is handed in."""


def front_page_with(*procedures: Coding) -> EntryContent:
    """A front page that codes what was done."""
    done = Section("procedures", fields=tuple(Field("procedure", coding=each) for each in procedures))
    return replace(MANDATORY[3], template_version=2, sections=(*MANDATORY[3].sections, done))


RESULT = EntryContent("result", 1, sections=(Section("results", fields=(Field("result", text="negative"),)),))
CONSENT = EntryContent(
    "informed_consent",
    1,
    sections=(
        Section(
            "subject",
            fields=(
                Field("kind", coding=Coding("urn:ledger:consent", "operation")),
                Field("proposed", text="Appendectomy"),
            ),
        ),
        Section("risks", "As explained."),
        Section(
            "decision",
            fields=(
                Field("decision", coding=Coding("urn:ledger:consent-decision", "agreed")),
                Field("decided_by", text="Mr. N."),
                Field("relation", text="self"),
                Field("decided_at", time=NOW),
            ),
        ),
    ),
)
"""To an operation."""


@dataclass
class Stream:
    """A stream in the hand of a test: every command goes through `decide` and `evolve`, as in the product."""

    stream_id: UUID = RECORD
    state: StreamState | None = None
    events: list[Event] = field(default_factory=list[Event])
    times: list[datetime] = field(default_factory=list[datetime])
    history: list[StreamState | None] = field(default_factory=lambda: [None])
    decision: Decision | None = None
    next_id: int = 1000

    @property
    def record(self) -> RecordState:
        """The state of a record."""
        assert isinstance(self.state, RecordState)
        return self.state

    @property
    def last_events(self) -> list[str]:
        """Names of the events of the last command."""
        return [type(each).__name__ for each in self.decision.events] if self.decision else []

    def when(self, command: Command, **changes: Any) -> Decision:
        """Decides a command and applies its events; its second person has endorsed it, but where `endorsed=False`."""
        if changes.pop("endorsed", True):
            self.endorse(command, changes.get("now", NOW))
        self.next_id += 100
        changes = changes if changes.get("historical") else as_signer(command) | changes
        known = facts(first_id=self.next_id, **changes)
        self.decision = decide(command, self.state, known)
        for event in self.decision.events:
            self.apply(event, known.now)
        return self.decision

    def endorse(self, command: Command, at: datetime = NOW) -> None:
        """Given that the second person whom an act of two names has endorsed it, as far as nobody has yet."""
        act = act_done(command, self.record) if isinstance(self.state, RecordState) else None
        second = None if act is None else second_of(command)
        said = None if act is None or second is None else used_by(command, self.record)
        if act is None or second is None or (said is not None and at <= said.expires_at):
            return
        self.next_id += 100
        meta = facts(first_id=self.next_id, now=at, actor=second).meta()
        named = (act.act, act.subject_id, act.template, act.content_sha256)
        self.apply(ActEndorsed(meta, UUID(int=self.next_id), *named, "looked at it", at + ENDORSED_FOR), at)

    def apply(self, event: Event, at: datetime = NOW) -> None:
        """Applies an event."""
        self.events.append(event)
        self.times.append(at)
        self.state = evolve(self.state, event, len(self.events), at)
        self.history.append(self.state)

    def copied(self) -> Stream:
        """The same stream, for one more attempt."""
        return replace(self, events=list(self.events), times=list(self.times), history=list(self.history))

    def refused(self, command: Command, **changes: Any) -> tuple[RefusalKind, list[tuple[str, str]]]:
        """Kind and (field, rule) of every fault of a command that must be refused, though it was endorsed as above."""
        if changes.pop("endorsed", True):
            self.endorse(command, changes.get("now", NOW))
        before = self.state
        with pytest.raises(Refused) as caught:
            self.when(command, endorsed=False, **changes)
        assert self.state is before
        return caught.value.kind, [(each.field, each.rule) for each in caught.value.violations]

    def entry(self, content: EntryContent | None = None, signer: Actor = PHYSICIAN, **changes: Any) -> UUID:
        """Records an entry; its id."""
        decision = self.when(RecordEntry(RECORD, content or note(), signed(signer)), **changes)
        made = decision.result["entry_id"]
        assert isinstance(made, UUID)
        return made


def patient(identity: IdentityStatus = IdentityStatus.MATCHED) -> StreamState:
    """A registered patient."""
    stream = Stream(PATIENT)
    stream.when(RegisterPatient("MRN-1", identity, PatientDetails(name="N. N.")))
    assert stream.state is not None
    return stream.state


def registered(visit: VisitType = VisitType.INPATIENT, **changes: Any) -> Stream:
    """A record that is registered."""
    stream = Stream()
    identity = changes.pop("identity", IdentityStatus.MATCHED)
    stream.when(RegisterRecord(PATIENT, visit, 1, "cardiology"), patient=patient(identity), **changes)
    return stream


def active(visit: VisitType = VisitType.INPATIENT, **changes: Any) -> Stream:
    """A record under care."""
    stream = registered(visit, **changes)
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), occurred_at=NOW - timedelta(days=3))
    return stream


def imported(visit: VisitType = VisitType.INPATIENT) -> Stream:
    """A record of an earlier system, its start of care included."""
    stream = registered(visit, historical=True)
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), historical=True)
    return stream


def closed(visit: VisitType = VisitType.INPATIENT, **changes: Any) -> Stream:
    """A record whose care has ended, with every mandatory entry."""
    stream = active(visit, **changes)
    for content in MANDATORY:
        if content.template != "front_page" or visit not in SHORT_PATH:
            stream.entry(content)
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    return stream


def emptied(visit: VisitType = VisitType.INPATIENT) -> Stream:
    """A record whose care has ended and whose every entry was retracted."""
    stream = closed(visit)
    for entry_id in stream.record.entries:
        stream.when(RetractEntry(RECORD, entry_id, "wrong patient"))
    return stream


def nowhere(record: RecordState) -> tuple[EntryTrace, ...]:
    """Of every entry, that it belongs into no record."""
    return tuple(EntryTrace(each, nowhere_reason="told twice") for each in record.entries)


def right_record(*, retracted: bool = False) -> dict[UUID, RecordState]:
    """The other record, in which an entry was recorded again, as a decision finds it."""
    stream = active()
    entry_id = stream.entry()
    if retracted:
        stream.when(RetractEntry(RECORD, entry_id, "wrong patient"))
    entry = replace(stream.record.entries[entry_id], entry_id=ELSEWHERE.entry_id)
    return {RIGHT: replace(stream.record, entries=stream.record.entries.having(ELSEWHERE.entry_id, entry))}


def wrong(visit: VisitType = VisitType.INPATIENT) -> Stream:
    """A record that was entered in error."""
    stream = emptied(visit)
    declared = DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, None, nowhere(stream.record))
    stream.when(declared, actor=ARCHIVIST)
    return stream


def wrong_and_due(visit: VisitType = VisitType.INPATIENT) -> Stream:
    """The same once its term is over."""
    stream = wrong(visit)
    stream.when(EndRetention(RECORD), now=NOW + TERM)
    return stream


def by_a_team() -> Stream:
    """An emergency that a team takes over now, with nobody in charge yet."""
    stream = registered(VisitType.EMERGENCY)
    stream.when(StartCare(RECORD, "emergency", "", None, "team on duty"))
    return stream


def left_to_a_team(*, asked: bool = False) -> Stream:
    """The same once it is over, with nobody ever in charge; `asked` = a consultant was asked for, and never came."""
    stream = by_a_team()
    stream.entry()
    if asked:
        stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"))
    stream.when(EndCare(RECORD, Disposition.HOME, None))
    return stream


def submitted() -> Stream:
    """A record under quality control."""
    stream = closed()
    stream.when(SubmitRecord(RECORD))
    return stream


def archived() -> Stream:
    """An archived case."""
    stream = submitted()
    stream.when(PassQuality(RECORD))
    stream.when(ArchiveRecord(RECORD))
    return stream


SUPERIOR = Actor(UUID(int=3), "Dr. Sun", "attending", "cardiology", "L-3")
ARCHIVIST = Actor(UUID(int=4), "Ms. Hu", "records_office", "records")
HEAD_OF_HOSPITAL = Actor(UUID(int=5), "Mr. He", "head", "direction")
CLOCK = Actor(UUID(int=6), "clock", "system")
QUALITY = Actor(UUID(int=7), "Ms. Tang", "quality_office", "quality")
AFFAIRS = Actor(UUID(int=8), "Mr. Qin", "medical_affairs", "affairs")
APPROVER = Actor(UUID(int=11), "Ms. Yu", "appraisal_group", "records")
PATIENTS_SIDE = Actor(UUID(int=12), "Ms. N.", "representative")
NOTARY = Actor(UUID(int=13), "Mr. Zhou", "notary")
STEWARD = Actor(UUID(int=17), "Ms. Mei", "identity_steward", "records")
NURSE = Actor(UUID(int=18), "Ms. Lan", "nurse", "cardiology")
LEGAL = Actor(UUID(int=14), "Ms. Ren", "legal", "direction")
SUPERVISORS = (
    Actor(UUID(int=15), "Ms. Zou", "records_office", "records"),
    Actor(UUID(int=16), "Mr. Kong", "security", "direction"),
)
_OFFICES: dict[type[Any], Actor] = {
    AcceptDeficiency: AFFAIRS,
    AssignPhysician: AFFAIRS,
    ArchiveRecord: ARCHIVIST,
    RearchiveRecord: ARCHIVIST,
    PlaceHold: LEGAL,
    LiftHold: LEGAL,
    AnswerPatientRequest: ARCHIVIST,
    LiftRestriction: ARCHIVIST,
    RecordHolderTold: ARCHIVIST,
    IdentifyPatient: ARCHIVIST,
    WithdrawIdentification: ARCHIVIST,
    LinkPatients: ARCHIVIST,
    UnlinkPatients: ARCHIVIST,
    MergePatients: ARCHIVIST,
    UnmergePatients: ARCHIVIST,
    WithdrawRecognition: ARCHIVIST,
    PassQuality: QUALITY,
    AssessSample: QUALITY,
    ReturnRecord: QUALITY,
    SealRecord: ARCHIVIST,
    ExtendSeal: ARCHIVIST,
    UnsealRecord: ARCHIVIST,
    IssueCopy: ARCHIVIST,
    LendRecord: ARCHIVIST,
    AccountForPaper: ARCHIVIST,
    MovePaper: ARCHIVIST,
    RequestConsultation: SUPERIOR,
    WithdrawConsultation: SUPERIOR,
    RenewLoan: ARCHIVIST,
    ExtendRetention: ARCHIVIST,
    AppraiseDisposal: ARCHIVIST,
    ApproveDisposal: APPROVER,
    DestroyRecord: ARCHIVIST,
    CorrectBirth: ARCHIVIST,
    WithdrawNewborn: ARCHIVIST,
    RestoreNewborn: ARCHIVIST,
    LinkNewborn: ARCHIVIST,
}
"""Who sends what the packs leave to offices, where a test does not say; and who asks for what another one answers."""
LIST = UUID(int=77)
LISTED = DisposalListState(
    version=2,
    title="2057, first list",
    records=(
        ListedRecord(
            RECORD, "MRN-1", VisitType.INPATIENT, 1, "", "", DisposalOpinion.DESTROY, "term over", 9_999, HEAD
        ),
    ),
    proposed_by=ARCHIVIST,
    drawn_up_at=NOW,
    phase=DisposalListPhase.APPROVED,
    approved_by=APPROVER,
    approver=HEAD_OF_HOSPITAL,
    approved_at=NOW,
    authorised_at=NOW,
    supervisors=SUPERVISORS,
)
"""The destruction list on which the record stands, approved and signed for by both supervisors."""
TERM = timedelta(days=31 * 366)
"""Longer than any retention term of the packs."""


def reopened(make: Callable[[], Stream] = archived, templates: tuple[str, ...] = ("course_note",)) -> Stream:
    """An archived case that is open for changes of its first entry, and for entries of these templates."""
    stream = make()
    named = next(iter(stream.record.entries))
    asked = stream.when(RequestReopen(RECORD, "a mistake", (named,), templates))
    reopen_id = asked.result["reopen_id"]
    assert isinstance(reopen_id, UUID)
    stream.when(ApproveReopen(RECORD, reopen_id, None), actor=AFFAIRS)
    return stream


def unanswered() -> Stream:
    """An archived case with a consultation that nobody answered."""
    stream = active()
    for content in MANDATORY:
        stream.entry(content)
    stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"))
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    stream.when(AcceptDeficiency(RECORD, None, "consultation", "nobody came"))
    for command in (SubmitRecord(RECORD), PassQuality(RECORD), ArchiveRecord(RECORD)):
        stream.when(command)
    return stream


def visit_of(stream: Stream) -> Visit:
    """The record as one of its patient's visits."""
    record = stream.record
    standing = (record.visit_type, record.retention_class, record.phase, last_said_end(record))
    return Visit(RECORD, *standing, record.archiving.in_error, registered_here(record))


def due() -> Stream:
    """A record whose retention term is over."""
    stream = archived()
    stream.when(EndRetention(RECORD), now=NOW + TERM)
    return stream


def appraised(opinion: DisposalOpinion = DisposalOpinion.DESTROY) -> Stream:
    """A record whose term is over, and of which somebody has said what is to become of it."""
    stream = due()
    stream.when(AppraiseDisposal(RECORD, opinion, "term over", ""), actor=ARCHIVIST, now=NOW + TERM)
    return stream


def condemned() -> Stream:
    """A record whose destruction was approved."""
    stream = appraised()
    stream.when(ApproveDisposal(RECORD, LIST), actor=APPROVER, now=NOW + TERM)
    return stream


def permanent() -> Stream:
    """A record that is kept for ever."""
    stream = appraised(DisposalOpinion.KEEP)
    stream.when(ApproveDisposal(RECORD, None), actor=APPROVER, now=NOW + TERM)
    return stream


DEFECTS_FOUND = ((), (Defect("LANGUAGE"),), (Defect("CONSENT_MISSING"),), (Defect("D1"),))
"""Nothing, a slip, a veto, and a code that no pack knows."""
PACKAGE = PackageFacts(5, HEAD, 5, DIGEST, 1234)
CHECKED = CertificateVerdict(
    signed_bytes=b"the version",
    checked=CheckedCertificate(
        subject="CN=Dr. Wu",
        issuer="CN=Issuing of North",
        serial="2a",
        certificate_sha256=DIGEST,
        not_before=NOW - timedelta(days=30),
        not_after=NOW + timedelta(days=300),
        checked_at=NOW,
        revocation="crl",
        evidence_at=NOW,
        anchor_sha256=OTHER_DIGEST,
        anchors_sha256=OTHER_DIGEST,
    ),
)
"""What the check of a right signature found."""
