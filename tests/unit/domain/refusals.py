"""For every demand of the declaration a record and a command that break it, and nothing else where that can be."""

# ruff: noqa: E501 - one line a case, so that the table can be read down
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import (
    AmendEntry,
    AnswerConsultation,
    ArchiveRecord,
    Command,
    EndCare,
    PassQuality,
    RecordEntry,
    RequestConsultation,
    RetractEntry,
    ReturnRecord,
    StartCare,
    SubmitRecord,
    TransferDepartment,
)
from ledger.domain.decision import Visit
from ledger.domain.disposal_values import DisposalListPhase
from ledger.domain.entry_traces import EntryTrace
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.keeping_events import RecordSealed
from ledger.domain.keeping_values import (
    DisposalOpinion,
    EntryRef,
    PaperOutcome,
    RequestKind,
    SealedVersion,
    SealMode,
    SealParty,
    UnsealGround,
)
from ledger.domain.newborn_commands import (
    CorrectBirth,
    LinkNewborn,
    RegisterNewborn,
    RestoreNewborn,
    WithdrawNewborn,
)
from ledger.domain.quality_sample import SampleDraw
from ledger.domain.sample_commands import AssessSample
from ledger.domain.transfer_commands import ExpireTransfer, OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.values import (
    Actor,
    AmendmentKind,
    Defect,
    Disposition,
    IdentityStatus,
    Phase,
    TimeOf,
    TransferAnswer,
    TransferKind,
    Urgency,
    VisitType,
)
from tests.unit.domain.given import (
    AFFAIRS,
    APPROVER,
    ARCHIVIST,
    CLOCK,
    DIGEST,
    ELSEWHERE,
    HEAD,
    HEAD_OF_HOSPITAL,
    LEGAL,
    LIST,
    LISTED,
    MANDATORY,
    NOTARY,
    NOW,
    NURSE,
    PACKAGE,
    PATIENT,
    PATIENTS_SIDE,
    PHYSICIAN,
    QUALITY,
    RECORD,
    RESULT,
    RIGHT,
    STEWARD,
    SUPERIOR,
    SUPERVISORS,
    TERM,
    TRAINEE,
    Stream,
    active,
    archived,
    closed,
    condemned,
    due,
    emptied,
    facts,
    left_to_a_team,
    narrative,
    note,
    nowhere,
    patient,
    registered,
    reopened,
    right_record,
    signed,
    submitted,
)

NOBODY = UUID(int=9)
MANY_DEFECTS = tuple(Defect("LANGUAGE", None, str(number)) for number in range(501))
DRAWN_UP = replace(LISTED, phase=DisposalListPhase.DRAWN_UP)
REPORTED = replace(LISTED, phase=DisposalListPhase.EXECUTED)
WITHOUT_IT = replace(LISTED, records=())
BEFORE_IT = replace(LISTED, records=(replace(LISTED.records[0], record_version=9),))
LATER = NOW + TERM
Build = Callable[[], tuple[Stream, Command]]


@dataclass
class Case:
    """A command that is refused with `rule`; `facts` are the changes of the facts it meets."""

    rule: str
    build: Build
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    @cached_property
    def command(self) -> type[Any]:
        """The command's class."""
        return type(self.build()[1])

    def __str__(self) -> str:
        return f"{self.command.__name__}-{self.rule}"


def first(stream: Stream) -> UUID:
    """The first entry."""
    return next(iter(stream.record.entries))


def made(stream: Stream, command: Command, name: str, **changes: Any) -> UUID:
    """Does a command; the id that it made."""
    value = stream.when(command, **changes).result[name]
    assert isinstance(value, UUID)
    return value


def leaves(stream: Stream) -> tuple[bytes, ...]:
    """A leaf hash for each event."""
    return tuple(bytes([index % 256]) * 32 for index in range(stream.record.version))


def hold(stream: Stream) -> UUID:
    """A hold on everything."""
    return made(stream, keeping.PlaceHold(RECORD, "court order", "district court", ()), "hold_id")


def seal(stream: Stream, mode: SealMode = SealMode.ORIGINAL, **changes: Any) -> UUID:
    """A seal on everything."""
    command = keeping.SealRecord(RECORD, mode, SealParty.PATIENT_SIDE, "", (), PATIENTS_SIDE)
    return made(stream, command, "seal_id", leaves=leaves(stream), **changes)


def amend(entry_id: UUID) -> AmendEntry:
    """An amendment."""
    return AmendEntry(RECORD, entry_id, AmendmentKind.CORRECTION, "typing", note("Mended."), signed())


def after(stream: Stream, do: Callable[[Stream], Any], command: Callable[[Stream], Command]) -> tuple[Stream, Command]:
    """The stream after something, and the command then."""
    do(stream)
    return stream, command(stream)


def lent(stream: Stream) -> UUID:
    """A loan."""
    return made(stream, keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=False), "loan_id")


SCAN = keeping.FilePaperScan(RECORD, "consent", 2, 300, ARCHIVIST, SUPERIOR, DIGEST, "shelf 4")


def scanned(stream: Stream) -> UUID:
    """A scanned paper."""
    return made(stream, SCAN, "scan_id")


def _paper(scan_id: UUID) -> Command:
    return keeping.AccountForPaper(RECORD, scan_id, PaperOutcome.DESTROYED, "list")


def shelve(scan_id: UUID) -> keeping.MovePaper:
    """A paper that goes to another shelf."""
    return keeping.MovePaper(RECORD, scan_id, "cellar, 7", "the shelf is full")


def _gone(stream: Stream) -> keeping.MovePaper:
    scan_id = scanned(stream)
    stream.when(_paper(scan_id))
    return shelve(scan_id)


def _move(to: str) -> Command:
    return TransferDepartment(RECORD, to, "2", None, PHYSICIAN)


def offered(stream: Stream) -> None:
    """An open transfer."""
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, LATER + timedelta(days=9))
    stream.when(offer, counterpart_known=True, package=PACKAGE)


def copied(stream: Stream) -> UUID:
    """A copy of what is finished."""
    return made(stream, keeping.IssueCopy(RECORD, "Mr. N.", "self", (), "true copy"), "copy_id")


def _offer(stream: Stream) -> UUID:
    return next(iter(stream.record.transfers))


def _taken_back() -> Stream:
    """An offer that was withdrawn."""
    stream = active()
    offered(stream)
    stream.when(WithdrawTransfer(RECORD, _offer(stream), "went home"))
    return stream


def asked(stream: Stream, kind: RequestKind = RequestKind.ACCESS) -> UUID:
    """A patient's request."""
    command = keeping.RecordPatientRequest(RECORD, kind, "Mr. N.", "self", "please")
    return made(stream, command, "request_id")


def consulted(stream: Stream) -> UUID:
    """An open consultation."""
    command = RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?")
    return made(stream, command, "consultation_id")


def answer(consultation_id: UUID) -> AnswerConsultation:
    """An answer."""
    return AnswerConsultation(RECORD, consultation_id, "So.", narrative("consultation", "opinion"), signed())


def destroy(*, approved_by: Actor = HEAD_OF_HOSPITAL, list_id: UUID = LIST) -> keeping.DestroyRecord:
    """The execution."""
    return keeping.DestroyRecord(RECORD, list_id, approved_by, (), ("paper",))


def countersign(entry_id: UUID, version: int = 1, signer: Actor = SUPERIOR) -> Command:
    """A countersignature."""
    return course.CountersignEntry(RECORD, entry_id, version, signed(signer))


def certify(entry_id: UUID, version: int = 1) -> Command:
    """A signature by certificate."""
    return course.CertifyEntry(RECORD, entry_id, version, b"cms")


def _certified(stream: Stream) -> UUID:
    entry_id = stream.entry()
    stream.when(certify(entry_id))
    return entry_id


def _retracted_entry(stream: Stream) -> UUID:
    entry_id = stream.entry()
    stream.when(RetractEntry(RECORD, entry_id, "wrong patient"))
    return entry_id


def trainees(stream: Stream) -> UUID:
    """An entry that a trainee signed."""
    return stream.entry(signer=TRAINEE)


def answered(stream: Stream) -> UUID:
    """A request that was answered."""
    request_id = asked(stream)
    stream.when(
        keeping.AnswerPatientRequest(RECORD, request_id, granted=True, ground="law", statement="", entry_id=None)
    )
    return request_id


def on_disposal(rule: str, do: Callable[[Stream], Any], **facts: Any) -> Case:
    """A condemned record that something still stands on."""
    return Case(rule, lambda: after(condemned(), do, lambda _: destroy()), {"now": LATER, "actor": ARCHIVIST, **facts})


def reopen(stream: Stream) -> Command:
    """A request to reopen."""
    return keeping.RequestReopen(RECORD, "a mistake", (first(stream),), ())


def approve(stream: Stream) -> Command:
    """The approval of what was asked."""
    return keeping.ApproveReopen(RECORD, made(stream, reopen(stream), "reopen_id"), None)


def approve_after(do: Callable[[Stream], Any]) -> Build:
    """An approval after something came between it and the request."""

    def build() -> tuple[Stream, Command]:
        stream = archived()
        command = approve(stream)
        do(stream)
        return stream, command

    return build


def draft_and(do: Callable[[UUID], Command]) -> Build:
    """Something with a draft."""

    def build() -> tuple[Stream, Command]:
        stream = active()
        return stream, do(made(stream, course.DraftEntry(RECORD, None, note("Draft.")), "entry_id"))

    return build


def with_entry(stream_of: Callable[[], Stream], do: Callable[[Stream], Command]) -> Build:
    """A command made from the stream."""

    def build() -> tuple[Stream, Command]:
        stream = stream_of()
        return stream, do(stream)

    return build


def retracted() -> Stream:
    """An entry, retracted."""
    stream = active()
    stream.when(RetractEntry(RECORD, stream.entry(), "wrong patient"))
    return stream


def held() -> Stream:
    """A held record with an entry."""
    stream = closed()
    hold(stream)
    return stream


def sealed() -> Stream:
    """A record whose original is sealed."""
    stream = closed()
    seal(stream)
    return stream


OTHER = UUID(int=555)
COLLEAGUE = replace(PHYSICIAN, id=OTHER)


def _told(stream: Stream) -> Command:
    copy_id = copied(stream)
    stream.when(RetractEntry(RECORD, first(stream), "wrong patient"))
    return keeping.RecordHolderTold(RECORD, copy_id, "by letter")


def _of_newborn(stream: Stream) -> UUID:
    born = made(stream, RegisterNewborn(RECORD, 1, None), "subject_id")
    return stream.entry(replace(note("Cries."), subject_id=born))


def _twins(stream: Stream | None = None, *, of: Callable[[UUID], Command] | None = None) -> Stream:
    """Two newborns; the second taken back as the first again where it is to be restored."""
    stream = stream or active()
    first_born, second = (
        made(stream, RegisterNewborn(RECORD, number, None, "told late"), "subject_id") for number in (1, 2)
    )
    if of is _restored_newborn:
        stream.when(WithdrawNewborn(RECORD, second, first_born, "registered twice"))
    return stream


def _last_newborn(stream: Stream) -> UUID:
    return list(stream.record.newborns)[-1]


def _birth(subject_id: UUID, *, by: timedelta = timedelta(hours=-1)) -> CorrectBirth:
    return CorrectBirth(RECORD, subject_id, NOW + by, "read off the wrong clock")


def _withdrawn_newborn(subject_id: UUID) -> WithdrawNewborn:
    return WithdrawNewborn(RECORD, subject_id, None, "nobody was born")


def _restored_newborn(subject_id: UUID) -> RestoreNewborn:
    return RestoreNewborn(RECORD, subject_id, "two were born")


CHILD = UUID(int=72)


def _linked(subject_id: UUID, *, to: UUID | None = CHILD) -> LinkNewborn:
    return LinkNewborn(RECORD, subject_id, to, "its own records")


def _linked_again(subject_of: Callable[[Stream], UUID], then: LinkNewborn) -> tuple[Stream, Command]:
    """A newborn that is linked already, and what is said of the one or the other next."""
    stream = _twins()
    stream.when(_linked(_last_newborn(stream)), patient=patient())
    return stream, replace(then, subject_id=subject_of(stream))


def _seal_first(stream: Stream) -> UUID:
    """A seal on the original of the first entry alone."""
    command = keeping.SealRecord(RECORD, SealMode.ORIGINAL, SealParty.PATIENT_SIDE, "", (first(stream),), PATIENTS_SIDE)
    return made(stream, command, "seal_id", leaves=leaves(stream))


def _hold_first(stream: Stream) -> UUID:
    """A hold on the first entry alone."""
    named = (EntryRef(first(stream), 1),)
    return made(stream, keeping.PlaceHold(RECORD, "court order", "district court", named), "hold_id")


def _kept_about(keep: Callable[[Stream], UUID], of: Callable[[UUID], Command]) -> tuple[Stream, Command]:
    """The last of two newborns, about whom something is kept as it is."""
    stream = _twins(of=of)
    last = _last_newborn(stream)
    stream.entry(replace(note("Cries."), subject_id=last))
    stream.entry()
    keep(stream)
    return stream, of(last)


def _restored_as(patient_id: UUID) -> tuple[Stream, Command]:
    """One who was taken back, whose patient is another newborn's by now."""
    stream = _twins()
    one, last = stream.record.newborns
    for each in (last, one):
        stream.when(_linked(each, to=patient_id), patient=patient())
        if each == last:
            stream.when(WithdrawNewborn(RECORD, last, one, "registered twice"))
    return stream, _restored_newborn(last)


def _born_as(patient_id: UUID, then: Command) -> tuple[Stream, Command]:
    """The record of a provisional person whose newborn is that patient; taken for somebody where that is taken back."""
    stream = _unverified()
    if isinstance(then, WithdrawIdentification):
        stream.when(course.IdentifyPatient(RECORD, OTHER), patient=patient())
    stream.when(_linked(made(stream, RegisterNewborn(RECORD, 1, None), "subject_id"), to=patient_id), patient=patient())
    return stream, then


def _about_newborn(stream: Stream) -> UUID:
    entry_id = _of_newborn(stream)
    return stream.record.entries[entry_id].last.content.subject_id or NOBODY


def _withdraw(consultation_id: UUID) -> Command:
    return course.WithdrawConsultation(RECORD, consultation_id, "asked for another patient")


def _withdrawal(stream: Stream, before: Callable[[UUID], Command]) -> Command:
    consultation_id = consulted(stream)
    stream.when(before(consultation_id))
    return _withdraw(consultation_id)


def _after_withdrawal(stream: Stream, then: Callable[[UUID], Command]) -> Command:
    consultation_id = consulted(stream)
    stream.when(_withdraw(consultation_id))
    return then(consultation_id)


def _short_path() -> Stream:
    return closed(VisitType.OUTPATIENT)


def sampled(*defects: Defect, **changes: Any) -> AssessSample:
    """What quality control says of a visit that a draw of yesterday's and today's names; `changes` are the draw's."""
    draw = SampleDraw(NOW - timedelta(days=1), NOW + timedelta(seconds=1), 200, 10, bytes(32))
    return AssessSample(RECORD, replace(draw, **changes), defects)


def confirmed() -> Stream:
    """An outpatient visit that its doctor's confirmation archived."""
    stream = _short_path()
    stream.when(ArchiveRecord(RECORD), actor=SUPERIOR)
    return stream


def found(*defects: Defect) -> Stream:
    """Such a visit, in which a sample found these defects."""
    stream = confirmed()
    stream.when(sampled(*defects), now=LATER)
    return stream


_CHANGES: tuple[Callable[[UUID], Command], ...] = (
    amend,
    lambda entry_id: RetractEntry(RECORD, entry_id, "wrong patient"),
)


def correct(
    of: TimeOf, *, entry_id: UUID | None = None, move: int = 0, by: timedelta = timedelta(hours=-1)
) -> course.CorrectTime:
    """A correction of a time, to so much before or after NOW."""
    return course.CorrectTime(RECORD, of, entry_id, move, NOW + by, "read off the wrong clock")


def moved() -> Stream:
    """A patient who moved once, now."""
    stream = active()
    stream.when(TransferDepartment(RECORD, "neurology", "2", None, PHYSICIAN))
    return stream


_UNCHANGEABLE: list[tuple[str, Callable[[], Stream], Callable[[Stream], UUID], dict[str, Any]]] = [
    ("UNKNOWN_ENTRY", active, lambda _: NOBODY, {}),
    ("ENTRY_RETRACTED", retracted, first, {}),
    ("ENTRY_HELD", held, first, {}),
    ("ENTRY_SEALED", sealed, first, {}),
    ("NOT_NAMED", reopened, lambda stream: list(stream.record.entries)[1], {}),
    ("WINDOW_OVER", reopened, first, {"now": NOW + timedelta(days=4)}),
]
_NOT_TWO_SIDES: list[tuple[str, Actor, dict[str, Any]]] = [
    ("SAME_PERSON", replace(ARCHIVIST, role="representative"), {}),
    ("NOT_A_PERSON", CLOCK, {}),
    ("WRONG_SIDE", PHYSICIAN, {}),
    ("WRONG_SIDE", NOTARY, {"actor": PATIENTS_SIDE}),
    ("ROLE_NOT_ALLOWED", NOTARY, {"actor": PHYSICIAN}),
]
"""The hospital's person beside itself, beside a program, beside a colleague, the other side alone, and a wrong role."""
_BY_NO_PROGRAM: tuple[Build, ...] = (
    lambda: (registered(), course.VoidRecord(RECORD, "by mistake")),
    with_entry(active, lambda s: course.ArriveAtConsultation(RECORD, consulted(s))),
    with_entry(active, lambda s: replace(answer(consulted(s)), attestation=signed(CLOCK))),
    lambda: (active(), EndCare(RECORD, Disposition.DEATH, NOW)),
    lambda: (closed(), course.ResumeCare(RECORD, "still here")),
    lambda: (closed(), SubmitRecord(RECORD)),
    lambda: (submitted(), course.RecallRecord(RECORD, "something is to be added")),
    with_entry(active, lambda s: _paper(scanned(s))),
)
"""What people do and answer for."""
_KNOWN: dict[str, Any] = {"patient": patient()}
"""The patient whom a command names is there."""
CASES: list[Case] = [
    *[
        Case(rule, with_entry(stream_of, lambda stream, change=change, pick=pick: change(pick(stream))), known)
        for change in _CHANGES
        for rule, stream_of, pick, known in _UNCHANGEABLE
    ],
    *[
        Case(rule, with_entry(stream_of, lambda stream, pick=pick: correct(TimeOf.ENTRY, entry_id=pick(stream))), known)
        for rule, stream_of, pick, known in _UNCHANGEABLE
        if rule != "UNKNOWN_ENTRY"
    ],
    Case("UNKNOWN_TIME", lambda: (active(), correct(TimeOf.ENTRY, entry_id=NOBODY))),
    Case("DRAFT", draft_and(lambda draft: correct(TimeOf.ENTRY, entry_id=draft))),
    Case("HELD", lambda: (held(), correct(TimeOf.CARE_END))),
    Case("NOT_AUTHOR", with_entry(closed, lambda s: correct(TimeOf.ENTRY, entry_id=first(s))), {"actor": COLLEAGUE}),
    Case("FULLY_SEALED", lambda: (sealed(), correct(TimeOf.CARE_END))),
    Case("UNKNOWN_TIME", lambda: (moved(), correct(TimeOf.MOVE, move=2))),
    Case("UNKNOWN_TIME", lambda: (active(), correct(TimeOf.CARE_END))),
    Case("UNKNOWN_TIME", with_entry(active, lambda s: replace(correct(TimeOf.CONSULTATION_ARRIVAL), consultation_id=consulted(s)))),
    Case("SAME_TIME", lambda: (moved(), correct(TimeOf.MOVE, move=1, by=timedelta()))),
    Case("OUT_OF_ORDER", lambda: (moved(), correct(TimeOf.MOVE, move=1, by=timedelta(days=-4)))),
    Case("OUT_OF_ORDER", lambda: (moved(), correct(TimeOf.CARE_START, by=timedelta(seconds=1)))),
    Case("OUT_OF_ORDER", with_entry(active, lambda s: (s.entry(), correct(TimeOf.CARE_START, by=timedelta(seconds=1)))[1])),
    Case("OUT_OF_ORDER", with_entry(active, lambda s: (consulted(s), correct(TimeOf.CARE_START, by=timedelta(seconds=1)))[1])),
    Case("NOT_A_PERSON", lambda: (moved(), correct(TimeOf.MOVE, move=1)), {"actor": CLOCK}),
    Case("IN_CHARGE_ALREADY", lambda: (active(), course.AssignPhysician(RECORD, PHYSICIAN, ""))),
    Case("NOT_QUALIFIED", lambda: (active(), course.AssignPhysician(RECORD, TRAINEE, ""))),
    Case("NOT_QUALIFIED", lambda: (active(), course.AssignPhysician(RECORD, CLOCK, ""))),
    Case("ROLE_NOT_ALLOWED", lambda: (moved(), correct(TimeOf.MOVE, move=1)), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (active(), course.AssignPhysician(RECORD, SUPERIOR, "")), {"actor": ARCHIVIST}),
    Case("NO_TRANSFER_NOTE", lambda: (active(), OfferTransfer(RECORD, "south", TransferKind.TRANSFER, None)), {"counterpart_known": True, "package": PACKAGE}),
    Case("NOT_QUALIFIED", lambda: (registered(), StartCare(RECORD, "cardiology", "12", TRAINEE, ""))),
    Case("NOT_QUALIFIED", lambda: (active(), TransferDepartment(RECORD, "icu", "", None, TRAINEE))),
    *[Case("NOT_A_PERSON", build, {"actor": CLOCK}) for build in _BY_NO_PROGRAM],
    Case("ROLE_NOT_ALLOWED", with_entry(active, lambda s: _paper(scanned(s))), {"actor": TRAINEE}),
    Case("NOT_A_PERSON", lambda: (active(), replace(SCAN, operator=CLOCK))),
    Case("NOT_A_PERSON", lambda: (active(), replace(SCAN, checker=CLOCK))),
    Case("SAME_PERSON", with_entry(active, lambda s: course.ArriveAtConsultation(RECORD, consulted(s))), {"actor": SUPERIOR}),
    Case("SAME_PERSON", with_entry(active, lambda s: replace(answer(consulted(s)), attestation=signed(SUPERIOR)))),
    Case("OUT_OF_ORDER", lambda: (active(), _move("neurology")), {"occurred_at": NOW - timedelta(days=3, seconds=1)}),
    Case("OUT_OF_ORDER", lambda: (moved(), _move("icu")), {"occurred_at": NOW - timedelta(seconds=1)}),
    Case("OUT_OF_ORDER", lambda: (moved(), EndCare(RECORD, Disposition.HOME, NOW - timedelta(seconds=1)))),
    Case("HELD", with_entry(held, lambda s: _unseal(seal(s), UnsealGround.NO_CLAIM, LEGAL)), {"now": LATER}),
    Case("SEALED", with_entry(archived, lambda s: (seal(s), keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=True))[1])),
    Case("DRAFT", draft_and(amend)),
    Case("VERSION_CHANGED", with_entry(closed, lambda s: replace(amend(first(s)), entry_version=7))),
    Case("UNKNOWN_ENTRY", lambda: (active(), course.DraftEntry(RECORD, NOBODY, note()))),
    Case("NOT_A_DRAFT", with_entry(closed, lambda stream: course.DraftEntry(RECORD, first(stream), note()))),
    Case("NOT_NAMED", lambda: (reopened(), RecordEntry(RECORD, RESULT, signed()))),
    Case("WINDOW_OVER", lambda: (reopened(), RecordEntry(RECORD, note(), signed())), {"now": NOW + timedelta(days=4)}),
    Case("NOT_NAMED", lambda: (reopened(), answer(NOBODY))),
    Case("WINDOW_OVER", lambda: (reopened(), answer(NOBODY)), {"now": NOW + timedelta(days=4)}),
    Case("IN_ERROR", lambda: (_kept_in_error(), _late_result()), {"now": LATER}),
    Case("IN_ERROR", lambda: (_kept_in_error(), keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",))), {"now": LATER}),
    Case("IN_ERROR", lambda: (_kept_in_error(), OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)), {"now": LATER, "counterpart_known": True, "package": PACKAGE}),
    Case("HAS_ENTRIES", lambda: (with_one_entry_before_care(), course.VoidRecord(RECORD, "by mistake"))),
    Case("HELD", with_entry(registered, lambda s: (hold(s), course.VoidRecord(RECORD, "by mistake"))[1])),
    Case("OPEN_REQUEST", with_entry(registered, lambda s: (asked(s), course.VoidRecord(RECORD, "by mistake"))[1])),
    Case("UNKNOWN_ENTRY", lambda: (archived(), _late_correction(NOBODY))),
    Case("ENTRY_RETRACTED", with_entry(lambda: _archived_with_retracted(), lambda s: _late_correction(_retracted_of(s)))),
    Case("NOT_A_LATE_ITEM", lambda: (archived(), replace(_late_result(), content=note()))),
    Case("NOT_QUALIFIED", lambda: (archived(), replace(_late_result(), attestation=signed(replace(TRAINEE, role="records_office"))))),
    Case("ROLE_NOT_ALLOWED", lambda: (archived(), replace(_late_result(), attestation=signed(replace(TRAINEE, role="nurse"))))),
    Case("SAME_PERSON", lambda: (_held_case(), replace(_late_result(), content=note()))),
    Case("ROLE_NOT_ALLOWED", lambda: (_held_case(), replace(_late_result(), content=note(), confirmed_by=SUPERIOR))),
    Case("NOT_ITS_REPORT", with_entry(archived, lambda s: _late_correction(first(s)))),
    Case("ENTRY_SEALED", with_entry(archived, lambda s: _late_correction(_sealed_report(s)))),
    Case("ENTRY_HELD", lambda: _held_draft(lambda draft: course.DraftEntry(RECORD, draft, note()))),
    Case("ENTRY_HELD", lambda: _held_draft(lambda draft: RecordEntry(RECORD, note(), signed(), draft))),
    Case("ENTRY_SEALED", lambda: _sealed_draft(lambda draft: course.DraftEntry(RECORD, draft, note()))),
    Case("ENTRY_SEALED", lambda: _sealed_draft(lambda draft: RecordEntry(RECORD, note(), signed(), draft))),
    Case("OPEN_DRAFT", with_entry(closed, lambda s: _seal_command((_draft(s),)))),
    Case("APPRAISED_SINCE_LIST", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"actor": SUPERIOR, "now": LATER, "disposal_list": BEFORE_IT}),
    Case("NOT_APPRAISED", lambda: (due(), keeping.RejectAppraisal(RECORD, "of interest")), {"actor": SUPERIOR, "now": LATER}),
    Case("NOT_A_PERSON", lambda: (condemned(), keeping.RejectAppraisal(RECORD, "of interest")), {"actor": CLOCK, "now": LATER}),
    Case("ROLE_NOT_ALLOWED", lambda: (condemned(), keeping.RejectAppraisal(RECORD, "of interest")), {"actor": PHYSICIAN, "now": LATER}),
    Case("UNKNOWN_ENTRY", lambda: (active(), countersign(NOBODY))),
    Case("ENTRY_RETRACTED", with_entry(lambda: _retracted_of_trainee(), lambda s: countersign(first(s)))),
    Case("VERSION_CHANGED", with_entry(active, lambda stream: countersign(trainees(stream), version=2))),
    Case("NOT_AUTHORED", with_entry(closed, lambda stream: countersign(first(stream)))),
    Case("SAME_PERSON", with_entry(active, lambda stream: countersign(trainees(stream), signer=replace(SUPERIOR, id=TRAINEE.id)))),
    Case("NOT_QUALIFIED", with_entry(active, lambda stream: countersign(trainees(stream), signer=replace(TRAINEE, id=OTHER)))),
    Case("NOT_A_PERSON", with_entry(active, lambda stream: countersign(stream.entry(RESULT, signer=TRAINEE), signer=replace(CLOCK, role="interface")))),
    Case("CERTIFICATES_OFF", with_entry(active, lambda s: certify(s.entry())), {"certifies": False}),
    Case("UNKNOWN_ENTRY", lambda: (active(), certify(NOBODY))),
    Case("ENTRY_RETRACTED", with_entry(active, lambda s: certify(_retracted_entry(s)))),
    Case("VERSION_CHANGED", with_entry(active, lambda s: certify(s.entry(), version=2))),
    Case("NOT_SIGNER", with_entry(active, lambda s: certify(s.entry())), {"actor": SUPERIOR}),
    Case("NOT_SIGNER", with_entry(active, lambda s: certify(_draft(s)))),
    Case("ALREADY_CERTIFIED", with_entry(active, lambda s: certify(_certified(s)))),
    Case("NOT_A_PERSON", with_entry(active, lambda s: certify(s.entry(RESULT, signer=CLOCK))), {"actor": CLOCK}),
    Case("UNKNOWN_CONSULTATION", lambda: (active(), course.ArriveAtConsultation(RECORD, NOBODY))),
    Case("ALREADY_ARRIVED", with_entry(active, lambda stream: _arrived_twice(stream))),
    Case("BEFORE_REQUEST", with_entry(active, lambda s: course.ArriveAtConsultation(RECORD, consulted(s))), {"occurred_at": NOW - timedelta(seconds=1)}),
    Case("REASON_REQUIRED", with_entry(active, lambda s: course.ArriveAtConsultation(RECORD, consulted(s))), {"now": NOW + timedelta(minutes=11), "occurred_at": NOW}),
    Case("BEFORE_REQUEST", with_entry(active, lambda s: answer(consulted(s))), {"occurred_at": NOW - timedelta(seconds=1)}),
    Case("UNKNOWN_CONSULTATION", lambda: (active(), answer(NOBODY))),
    Case("ALREADY_ANSWERED", with_entry(active, lambda stream: _answered_twice(stream))),
    Case("UNKNOWN_ENTRY", lambda: (active(), course.RecogniseResult(RECORD, "lab-1", "south", NOBODY))),
    Case("UNKNOWN_ENTRY", lambda: (active(), course.LinkDuplicate(RECORD, NOBODY))),
    Case("IDENTITY_MATCHED", lambda: (active(), course.IdentifyPatient(RECORD, PATIENT)), {"patient": patient()}),
    Case("UNKNOWN_ENTRY", lambda: (closed(), course.AcceptDeficiency(RECORD, NOBODY, "", "gone"))),
    Case("NOT_A_PERSON", lambda: (left_to_a_team(), course.AcceptDeficiency(RECORD, None, "physician_in_charge", "gone")), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", lambda: (left_to_a_team(), course.AcceptDeficiency(RECORD, None, "physician_in_charge", "gone")), {"actor": ARCHIVIST}),
    Case("NOT_AUTHOR", with_entry(closed, lambda s: RetractEntry(RECORD, first(s), "wrong patient")), {"actor": SUPERIOR}),
    Case("ROLE_NOT_ALLOWED", lambda: (submitted(), ReturnRecord(RECORD, (Defect("LANGUAGE"),))), {"actor": PHYSICIAN}),
    Case("NOT_A_PERSON", lambda: (submitted(), ReturnRecord(RECORD, (Defect("LANGUAGE"),))), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", lambda: (submitted(), PassQuality(RECORD)), {"actor": PHYSICIAN}),
    Case("NOT_A_PERSON", lambda: (submitted(), PassQuality(RECORD)), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", with_entry(archived, approve), {"actor": SUPERIOR}),
    Case("ROLE_NOT_ALLOWED", lambda: (archived(), keeping.ExtendRetention(RECORD, "2090-01-01", "link", None)), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (closed(), keeping.IssueCopy(RECORD, "N.", "self", (), "copy")), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (archived(), keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=False)), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", with_entry(archived, lambda s: keeping.RenewLoan(RECORD, lent(s))), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (due(), _appraise(DisposalOpinion.KEEP)), {"now": LATER, "actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER, "actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (condemned(), destroy()), {"now": LATER, "actor": TRAINEE}),
    Case("NOT_AUTHOR", with_entry(closed, lambda s: replace(amend(first(s)), attestation=signed(COLLEAGUE)))),
    Case("NOT_AUTHOR", draft_and(lambda draft: course.DraftEntry(RECORD, draft, note())), {"actor": TRAINEE}),
    Case("NOT_AUTHOR", draft_and(lambda draft: RecordEntry(RECORD, note(), signed(TRAINEE), draft))),
    Case("NOT_A_PERSON", lambda: (_unverified(), course.IdentifyPatient(RECORD, PATIENT)), {"actor": CLOCK, "patient": patient()}),
    Case("SAME_PERSON", lambda: (_identified(), course.IdentifyPatient(RECORD, OTHER, 0, "a namesake", ARCHIVIST)), {"patient": patient()}),
    Case("ROLE_NOT_ALLOWED", lambda: (_unverified(), course.IdentifyPatient(RECORD, PATIENT)), {"actor": PHYSICIAN, "patient": patient()}),
    Case("ROLE_NOT_ALLOWED", lambda: (_identified(), course.IdentifyPatient(RECORD, OTHER, 0, "a namesake", SUPERIOR)), {"patient": patient()}),
    Case("HELD", lambda: after(_identified(), hold, lambda _: course.IdentifyPatient(RECORD, OTHER, 0, "a namesake", STEWARD)), {"patient": patient()}),
    Case("SEALED", lambda: after(_identified_after_care(), seal, lambda _: course.IdentifyPatient(RECORD, OTHER, 0, "a namesake", STEWARD)), {"patient": patient()}),
    Case("NOT_IDENTIFIED", lambda: (_unverified(), nobody_known())),
    Case("HELD", lambda: after(_identified(), hold, lambda _: nobody_known())),
    Case("SEALED", lambda: after(_identified_after_care(), seal, lambda _: nobody_known())),
    Case("SAME_PERSON", lambda: (_identified(), nobody_known(ARCHIVIST))),
    Case("NOT_A_PERSON", lambda: (_identified(), nobody_known()), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", lambda: (_identified(), nobody_known()), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (_identified(), nobody_known(SUPERIOR))),
    Case("ROLE_NOT_ALLOWED", lambda: (_passed(), ArchiveRecord(RECORD)), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", lambda: (_short_path(), ArchiveRecord(RECORD)), {"actor": TRAINEE}),
    Case("ROLE_NOT_ALLOWED", lambda: (reopened(), keeping.RearchiveRecord(RECORD)), {"actor": AFFAIRS}),
    Case("NOT_A_PERSON", lambda: (reopened(), keeping.RearchiveRecord(RECORD)), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", lambda: (closed(), keeping.PlaceHold(RECORD, "order", "court", ())), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", with_entry(closed, lambda s: keeping.LiftHold(RECORD, hold(s), "settled")), {"actor": ARCHIVIST}),
    Case("ROLE_NOT_ALLOWED", with_entry(closed, lambda s: _answer_request(asked(s))), {"actor": PHYSICIAN}),
    Case("ROLE_NOT_ALLOWED", with_entry(closed, lambda s: _unseal(seal(s), UnsealGround.DISPUTE_SETTLED, PHYSICIAN)), {"actor": ARCHIVIST}),
    Case("OTHER_SUPERVISORS", lambda: (condemned(), replace(destroy(), supervisors=(SUPERVISORS[0], PHYSICIAN))), {"now": LATER, "actor": ARCHIVIST}),
    Case("NOT_SUPERVISED", lambda: (condemned(), destroy()), {"now": LATER, "actor": ARCHIVIST, "disposal_list": replace(LISTED, supervisors=SUPERVISORS[:1])}),
    Case("BEFORE_START", lambda: (active(), EndCare(RECORD, Disposition.HOME, NOW - timedelta(days=4)))),
    Case("SAME_PERSON", lambda: (active(), keeping.FilePaperScan(RECORD, "consent", 2, 300, ARCHIVIST, ARCHIVIST, DIGEST, "shelf 4"))),
    Case("RETENTION_TERM", with_entry(archived, lambda s: _answer_request(asked(s, RequestKind.ERASURE)))),
    Case("UNKNOWN_TRANSFER", lambda: (active(), WithdrawTransfer(RECORD, NOBODY, "went home"))),
    Case("UNKNOWN_TRANSFER", lambda: (active(), ExpireTransfer(RECORD, NOBODY))),
    Case("UNKNOWN_TRANSFER", lambda: (active(), RecordTransferAnswer(RECORD, NOBODY, "south", TransferAnswer.ACCEPTED, "", ""))),
    Case("TRANSFER_NOT_OPEN", with_entry(_taken_back, lambda s: WithdrawTransfer(RECORD, _offer(s), "again"))),
    Case("TRANSFER_NOT_OPEN", with_entry(_taken_back, lambda s: ExpireTransfer(RECORD, _offer(s))), {"now": LATER + timedelta(days=9)}),
    Case("NOT_EXPIRED", lambda: after(active(), offered, lambda s: ExpireTransfer(RECORD, _offer(s)))),
    Case("PAPER_NOT_NAMED", lambda: after(condemned(), scanned, lambda _: replace(destroy(), covers=())), {"now": LATER, "actor": ARCHIVIST}),
    Case("NOT_IDENTIFIED", lambda: (_unverified(), course.IdentifyPatient(RECORD, PATIENT, 0, "a namesake", STEWARD)), {"patient": patient()}),
    Case("SAME_PATIENT", lambda: (_identified(), course.IdentifyPatient(RECORD, PATIENT, 0, "a namesake", STEWARD)), {"patient": patient()}),
    Case("ENTRIES_NOT_RETRACTED", lambda: (closed(), course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None))),
    Case("SAME_PERSON", lambda: (active(), course.DeclareEnteredInError(RECORD, "duplicate", PHYSICIAN, None))),
    Case("NOT_A_PERSON", lambda: (active(), course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", lambda: (active(), course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)), {"actor": NURSE}),
    Case("ROLE_NOT_ALLOWED", lambda: (active(), course.DeclareEnteredInError(RECORD, "duplicate", NURSE, None))),
    Case("NOT_RECORDED_THERE", with_entry(closed, lambda s: RetractEntry(RECORD, first(s), "wrong patient", ELSEWHERE))),
    Case("TRACE_UNCLEAR", with_entry(closed, lambda s: RetractEntry(RECORD, first(s), "wrong patient", ELSEWHERE, "told twice")), {"traced": right_record()}),
    Case("TRACE_UNCLEAR", with_entry(closed, lambda s: RetractEntry(RECORD, first(s), "wrong patient", None, " "))),
    Case("NOT_RECORDED_THERE", lambda: _declared(EntryTrace(NOBODY, ELSEWHERE), right=RIGHT), {"traced": right_record(retracted=True)}),
    Case("UNKNOWN_ENTRY", lambda: _declared(EntryTrace(NOBODY, None, "told twice"))),
    Case("TRACE_UNCLEAR", lambda: _declared(EntryTrace(NOBODY, ELSEWHERE, "told twice"), right=RIGHT), {"traced": right_record()}),
    Case("NOT_TRACED", lambda: (emptied(), course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None))),
    Case("RIGHT_RECORD_NOT_NAMED", lambda: _declared(EntryTrace(NOBODY, ELSEWHERE)), {"traced": right_record()}),
    Case("NOT_A_RIGHT_RECORD", lambda: (active(), course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, RIGHT))),
    Case("MISSING_ENTRY", lambda: (_ended_without_entries(), SubmitRecord(RECORD))),
    Case("NOT_SIGNED", with_entry(closed, lambda stream: (trainees(stream), SubmitRecord(RECORD))[1])),
    Case("OPEN_DRAFT", with_entry(closed, lambda stream: (_draft(stream), SubmitRecord(RECORD))[1])),
    Case("ALREADY_PASSED", with_entry(submitted, lambda stream: (stream.when(PassQuality(RECORD)), course.RecallRecord(RECORD, "x"))[1])),
    Case("ALREADY_PASSED", with_entry(submitted, lambda stream: (stream.when(PassQuality(RECORD)), PassQuality(RECORD))[1])),
    Case("UNKNOWN_DEFECT", lambda: (submitted(), ReturnRecord(RECORD, (Defect("D1"),)))),
    Case("UNKNOWN_ENTRY", lambda: (submitted(), ReturnRecord(RECORD, (Defect("LANGUAGE", NOBODY),)))),
    Case("REPEATED_DEFECT", lambda: (submitted(), ReturnRecord(RECORD, (Defect("LANGUAGE"), Defect("LANGUAGE"))))),
    Case("TOO_MANY", lambda: (submitted(), ReturnRecord(RECORD, MANY_DEFECTS))),
    Case("UNKNOWN_DEFECT", lambda: (submitted(), PassQuality(RECORD, 0, (Defect("D1"),)))),
    Case("UNKNOWN_ENTRY", lambda: (submitted(), PassQuality(RECORD, 0, (Defect("LANGUAGE", NOBODY),)))),
    Case("REPEATED_DEFECT", lambda: (submitted(), PassQuality(RECORD, 0, (Defect("LANGUAGE"), Defect("LANGUAGE"))))),
    Case("TOO_MANY", lambda: (submitted(), PassQuality(RECORD, 0, MANY_DEFECTS))),
    Case("SCORE_DISAGREES", lambda: (submitted(), PassQuality(RECORD, 93, (Defect("LANGUAGE"),)))),
    Case("SCORE_TOO_LOW", lambda: (submitted(), PassQuality(RECORD, 0, tuple(Defect("ROUND_LATE", None, str(n)) for n in range(6))))),
    Case("VETO", lambda: (submitted(), PassQuality(RECORD, 0, (Defect("CONSENT_MISSING"),)))),
    Case("IN_ERROR", lambda: (_kept_in_error(), sampled()), {"now": LATER}),
    Case("ALREADY_PASSED", lambda: (archived(), sampled()), {"now": LATER}),
    Case("IMPOSSIBLE_DRAW", lambda: (confirmed(), sampled(seed=bytes(31))), {"now": LATER}),
    Case("IMPOSSIBLE_DRAW", lambda: (confirmed(), sampled())),
    Case("NOT_DRAWN", lambda: (confirmed(), sampled(archived_before=NOW)), {"now": LATER}),
    Case("UNKNOWN_DEFECT", lambda: (confirmed(), sampled(Defect("D1"))), {"now": LATER}),
    Case("UNKNOWN_ENTRY", lambda: (confirmed(), sampled(Defect("LANGUAGE", NOBODY))), {"now": LATER}),
    Case("REPEATED_DEFECT", lambda: (confirmed(), sampled(*(Defect("LANGUAGE"),) * 2)), {"now": LATER}),
    Case("TOO_MANY", lambda: (confirmed(), sampled(*MANY_DEFECTS)), {"now": LATER}),
    Case("SCORE_DISAGREES", lambda: (confirmed(), replace(sampled(), score=93)), {"now": LATER}),
    Case("SAME_PERSON", lambda: (confirmed(), sampled()), {"now": LATER, "actor": replace(PHYSICIAN, role="quality_office")}),
    Case("NOT_MENDED", lambda: (found(Defect("CONSENT_MISSING")), sampled()), {"now": LATER}),
    Case("PASSED_BY_DRAW", lambda: (found(), sampled()), {"now": LATER}),
    Case("NOT_A_PERSON", lambda: (confirmed(), sampled()), {"now": LATER, "actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", lambda: (confirmed(), sampled()), {"now": LATER, "actor": ARCHIVIST}),
    Case("QUALITY_NOT_PASSED", lambda: (submitted(), ArchiveRecord(RECORD))),
    Case("NOT_SIGNED", with_entry(_short_path, lambda s: (trainees(s), ArchiveRecord(RECORD))[1])),
    Case("MISSING_ENTRY", lambda: (_passed_without(MANDATORY[0].template), ArchiveRecord(RECORD))),
    Case("NO_ENTRY", lambda: (_nothing_written(), ArchiveRecord(RECORD))),
    Case("NOBODY_IN_CHARGE", lambda: (left_to_a_team(), ArchiveRecord(RECORD))),
    Case("NOT_A_PERSON", lambda: (_short_path(), ArchiveRecord(RECORD)), {"actor": CLOCK}),
    Case("OPEN_DRAFT", with_entry(_short_path, lambda stream: (_draft(stream), ArchiveRecord(RECORD))[1])),
    Case("HELD", with_entry(archived, lambda stream: (hold(stream), reopen(stream))[1])),
    Case("FULLY_SEALED", with_entry(archived, lambda stream: (seal(stream), reopen(stream))[1])),
    Case("REOPENING_ASKED", with_entry(archived, lambda stream: (stream.when(reopen(stream)), reopen(stream))[1])),
    Case("UNKNOWN_ENTRY", lambda: (archived(), keeping.RequestReopen(RECORD, "a mistake", (NOBODY,), ()))),
    Case("NOT_A_PERSON", with_entry(archived, reopen), {"actor": CLOCK}),
    Case("NO_REOPENING", lambda: (archived(), keeping.ApproveReopen(RECORD, NOBODY, None)), {"actor": AFFAIRS}),
    Case("HELD", approve_after(hold), {"actor": AFFAIRS}),
    Case("FULLY_SEALED", approve_after(seal), {"actor": AFFAIRS}),
    Case("UNKNOWN_REOPENING", with_entry(archived, lambda s: (s.when(reopen(s)), keeping.ApproveReopen(RECORD, NOBODY, None))[1]), {"actor": AFFAIRS}),
    Case("REQUEST_LAPSED", with_entry(archived, approve), {"actor": AFFAIRS, "now": NOW + timedelta(days=4)}),
    Case("SAME_PERSON", with_entry(archived, approve)),
    Case("NOT_A_PERSON", with_entry(archived, approve), {"actor": CLOCK}),
    Case("OUT_OF_RANGE", with_entry(archived, lambda s: replace(approve(s), expires_at=NOW + timedelta(days=30))), {"actor": AFFAIRS}),
    Case("MISSING_ENTRY", with_entry(reopened, lambda s: (s.when(RetractEntry(RECORD, first(s), "typing")), keeping.RearchiveRecord(RECORD))[1])),
    Case("NOT_SIGNED", with_entry(reopened, lambda s: (s.entry(signer=TRAINEE), keeping.RearchiveRecord(RECORD))[1])),
    Case("OPEN_DRAFT", lambda: (_reopened_with_draft(), keeping.RearchiveRecord(RECORD))),
    Case("NOT_A_PERSON", lambda: (closed(), keeping.PlaceHold(RECORD, "order", "court", ())), {"actor": CLOCK}),
    Case("UNKNOWN_HOLD", lambda: (closed(), keeping.LiftHold(RECORD, NOBODY, "settled"))),
    Case("NOT_A_PERSON", with_entry(closed, lambda s: keeping.LiftHold(RECORD, hold(s), "settled")), {"actor": CLOCK}),
    Case("UNKNOWN_ENTRY", lambda: (closed(), _seal_command((NOBODY,)))),
    Case("NOT_A_PERSON", lambda: (closed(), _seal_command(())), {"actor": CLOCK, "leaves": (DIGEST,) * 20}),
    *[
        Case(rule, with_entry(closed, lambda stream, kind=kind, second=second: beside(stream, kind, second)), {"leaves": (DIGEST,) * 20, **known})
        for kind in (keeping.SealRecord, keeping.ExtendSeal, keeping.UnsealRecord)
        for rule, second, known in _NOT_TWO_SIDES
    ],
    Case("WRONG_SIDE", with_entry(closed, lambda s: _unseal(seal(s), UnsealGround.DISPUTE_SETTLED))),
    Case("WRONG_SIDE", lambda: (closed(), _seal_command((), PATIENTS_SIDE)), {"leaves": (DIGEST,) * 20}),
    Case("UNKNOWN_SEAL", lambda: (closed(), keeping.ExtendSeal(RECORD, NOBODY, PATIENTS_SIDE))),
    Case("NOT_A_PERSON", with_entry(closed, lambda s: _extension(s)), {"actor": CLOCK, "leaves": (DIGEST,) * 20}),
    Case("UNKNOWN_SEAL", lambda: (closed(), _unseal(NOBODY))),
    Case("TERM_NOT_OVER", with_entry(closed, lambda s: _unseal(seal(s), UnsealGround.NO_CLAIM, AFFAIRS)), {"now": NOW + timedelta(days=1000)}),
    Case("NOT_A_PERSON", with_entry(closed, lambda s: _unseal(seal(s))), {"actor": CLOCK}),
    Case("IDENTITY_UNVERIFIED", lambda: (_unverified(), keeping.IssueCopy(RECORD, "N.", "self", (), "copy"))),
    Case("UNKNOWN_ENTRY", lambda: (closed(), keeping.IssueCopy(RECORD, "N.", "self", (NOBODY,), "copy"))),
    Case("ENTRY_RETRACTED", with_entry(retracted, lambda s: keeping.IssueCopy(RECORD, "N.", "self", (first(s),), "copy"))),
    Case("UNKNOWN_SUBJECT", lambda: (closed(), keeping.IssueCopy(RECORD, "N.", "self", (), "copy", NOBODY))),
    Case("OTHER_SUBJECT", with_entry(active, lambda s: keeping.IssueCopy(RECORD, "N.", "self", (_of_newborn(s),), "copy"))),
    Case("IN_ERROR", lambda: (_kept_in_error(), RegisterNewborn(RECORD, 1, None, "told today")), {"now": LATER}),
    Case("REASON_REQUIRED", lambda: (archived(), RegisterNewborn(RECORD, 1, None, " "))),
    Case("ROLE_NOT_ALLOWED", lambda: (archived(), RegisterNewborn(RECORD, 1, None, "told today")), {"actor": QUALITY}),
    *[
        case
        for of in (_birth, _withdrawn_newborn, _restored_newborn)
        for case in (
            Case("UNKNOWN_SUBJECT", lambda of=of: (_twins(), of(NOBODY))),
            Case("WINDOW_OVER", with_entry(lambda of=of: _twins(reopened(), of=of), lambda s, of=of: of(_last_newborn(s))), {"now": NOW + timedelta(days=4)}),
            Case("HELD", with_entry(lambda of=of: _twins(closed(), of=of), lambda s, of=of: after(s, hold, lambda _: of(_last_newborn(s)))[1])),
            Case("ENTRY_HELD", lambda of=of: _kept_about(_hold_first, of)),
            Case("ENTRY_SEALED", lambda of=of: _kept_about(_seal_first, of)),
            Case("FULLY_SEALED", with_entry(lambda of=of: _twins(closed(), of=of), lambda s, of=of: after(s, seal, lambda _: of(_last_newborn(s)))[1])),
            Case("NOT_A_PERSON", with_entry(lambda of=of: _twins(of=of), lambda s, of=of: of(_last_newborn(s))), {"actor": CLOCK}),
            Case("ROLE_NOT_ALLOWED", with_entry(lambda of=of: _twins(of=of), lambda s, of=of: of(_last_newborn(s))), {"actor": TRAINEE}),
        )
    ],
    Case("SUBJECT_WITHDRAWN", with_entry(lambda: _twins(of=_restored_newborn), lambda s: _birth(_last_newborn(s)))),
    Case("SUBJECT_WITHDRAWN", with_entry(lambda: _twins(of=_restored_newborn), lambda s: _withdrawn_newborn(_last_newborn(s)))),
    Case("UNKNOWN_SUBJECT", lambda: (_twins(), _linked(NOBODY)), _KNOWN),
    Case("IN_ERROR", lambda: (_kept_in_error(), _linked(NOBODY)), {"now": LATER, **_KNOWN}),
    Case("NOT_ITS_OWN", lambda: _restored_as(CHILD)),
    Case("NOT_ITS_OWN", lambda: _born_as(CHILD, course.IdentifyPatient(RECORD, CHILD)), _KNOWN),
    Case("NOT_ITS_OWN", lambda: _born_as(PATIENT, nobody_known())),
    Case("SUBJECT_WITHDRAWN", with_entry(lambda: _twins(of=_restored_newborn), lambda s: _linked(_last_newborn(s))), _KNOWN),
    Case("SAME_PATIENT", lambda: _linked_again(_last_newborn, _linked(NOBODY)), _KNOWN),
    Case("NOT_ITS_OWN", lambda: _linked_again(lambda s: next(iter(s.record.newborns)), _linked(NOBODY)), _KNOWN),
    Case("NOT_ITS_OWN", with_entry(_twins, lambda s: _linked(_last_newborn(s), to=PATIENT)), _KNOWN),
    Case("REASON_REQUIRED", lambda: _linked_again(_last_newborn, LinkNewborn(RECORD, NOBODY, None, " "))),
    Case("NOT_A_PERSON", with_entry(_twins, lambda s: _linked(_last_newborn(s))), {"actor": CLOCK, **_KNOWN}),
    Case("ROLE_NOT_ALLOWED", with_entry(_twins, lambda s: _linked(_last_newborn(s))), {"actor": TRAINEE, **_KNOWN}),
    Case("SAME_TIME", with_entry(_twins, lambda s: _birth(_last_newborn(s), by=timedelta()))),
    Case("NOT_WITHDRAWN", with_entry(_twins, lambda s: _restored_newborn(_last_newborn(s)))),
    Case("UNKNOWN_SUBJECT", with_entry(_twins, lambda s: replace(_withdrawn_newborn(_last_newborn(s)), same_as_id=NOBODY))),
    Case("SAME_SUBJECT", with_entry(_twins, lambda s: replace(_withdrawn_newborn(_last_newborn(s)), same_as_id=_last_newborn(s)))),
    Case("HAS_ENTRIES", with_entry(active, lambda s: _withdrawn_newborn(_about_newborn(s)))),
    Case("UNKNOWN_CONSULTATION", lambda: (active(), course.WithdrawConsultation(RECORD, NOBODY, "asked for another"))),
    Case("ALREADY_ANSWERED", with_entry(active, lambda s: _withdrawal(s, answer))),
    Case("ALREADY_ARRIVED", with_entry(active, lambda s: _withdrawal(s, lambda asked: course.ArriveAtConsultation(RECORD, asked)))),
    Case("WINDOW_OVER", lambda: (reopened(), _withdraw(NOBODY)), {"now": NOW + timedelta(days=4)}),
    Case("CONSULTATION_WITHDRAWN", with_entry(active, lambda s: _withdrawal(s, _withdraw))),
    Case("CONSULTATION_WITHDRAWN", with_entry(active, lambda s: _after_withdrawal(s, answer))),
    Case("CONSULTATION_WITHDRAWN", with_entry(active, lambda s: _after_withdrawal(s, lambda asked: course.ArriveAtConsultation(RECORD, asked)))),
    Case("NOT_AUTHOR", with_entry(active, lambda s: _withdraw(consulted(s))), {"actor": COLLEAGUE}),
    Case("TEMPLATE_CHANGED", with_entry(active, lambda s: replace(amend(s.entry()), content=RESULT))),
    Case("NOT_SIGNED", with_entry(active, lambda s: keeping.IssueCopy(RECORD, "N.", "self", (trainees(s),), "copy"))),
    Case("USE_RESTRICTED", lambda: (_restricted(), keeping.IssueCopy(RECORD, "N.", "self", (), "copy")), {"purpose": "HRESCH"}),
    Case("USE_RESTRICTED", lambda: (_restricted(), keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=False)), {"purpose": "HRESCH"}),
    Case("USE_RESTRICTED", lambda: (_restricted(), OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)), {"purpose": "TREAT", "counterpart_known": True, "package": PACKAGE}),
    Case("NOT_RESTRICTED", lambda: (archived(), keeping.LiftRestriction(RECORD, "settled"))),
    Case("NOT_A_PERSON", lambda: (_restricted(), keeping.LiftRestriction(RECORD, "settled")), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", lambda: (_restricted(), keeping.LiftRestriction(RECORD, "settled")), {"actor": PHYSICIAN}),
    Case("UNKNOWN_HOLDER", lambda: (archived(), keeping.RecordHolderTold(RECORD, NOBODY, "by letter"))),
    Case("NOTHING_TO_TELL", with_entry(archived, lambda s: keeping.RecordHolderTold(RECORD, copied(s), "by letter"))),
    Case("NOT_A_PERSON", with_entry(closed, lambda s: _told(s)), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", with_entry(closed, lambda s: _told(s)), {"actor": PHYSICIAN}),
    Case("LENT", with_entry(archived, lambda s: (lent(s), keeping.LendRecord(RECORD, PHYSICIAN, "", out_of_house=False))[1])),
    Case("TRAINEE", lambda: (archived(), keeping.LendRecord(RECORD, TRAINEE, "", out_of_house=False))),
    Case("LOAN_TOO_LONG", lambda: (archived(), keeping.LendRecord(RECORD, SUPERIOR, "2026-06-01", out_of_house=False))),
    Case("NOT_A_PERSON", lambda: (archived(), keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=False)), {"actor": CLOCK}),
    Case("UNKNOWN_LOAN", lambda: (archived(), keeping.RenewLoan(RECORD, NOBODY))),
    Case("NO_RENEWAL_LEFT", with_entry(archived, lambda s: _renewed(s))),
    Case("RENEWAL_OVER", with_entry(archived, lambda s: keeping.RenewLoan(RECORD, lent(s))), {"now": LATER}),
    Case("UNKNOWN_LOAN", lambda: (archived(), keeping.ReturnLoan(RECORD, NOBODY))),
    Case("UNKNOWN_SCAN", lambda: (archived(), keeping.AccountForPaper(RECORD, NOBODY, PaperOutcome.KEPT, "list"))),
    Case("UNKNOWN_SCAN", lambda: (archived(), shelve(NOBODY))),
    Case("PAPER_GONE", with_entry(archived, lambda s: _gone(s))),
    Case("PAPER_GONE", with_entry(archived, lambda s: _paper(_gone(s).scan_id))),
    Case("NOT_A_PERSON", with_entry(archived, lambda s: shelve(scanned(s))), {"actor": CLOCK}),
    Case("ROLE_NOT_ALLOWED", with_entry(archived, lambda s: shelve(scanned(s))), {"actor": PHYSICIAN}),
    Case("UNKNOWN_REQUEST", lambda: (closed(), _answer_request(NOBODY))),
    Case("ALREADY_ANSWERED", with_entry(closed, lambda s: _answer_request(answered(s)))),
    Case("UNKNOWN_ENTRY", with_entry(closed, lambda s: replace(_answer_request(asked(s)), entry_id=NOBODY))),
    Case("NOT_A_PERSON", with_entry(closed, lambda s: _answer_request(asked(s))), {"actor": CLOCK}),
    Case("DATE_MOVES_BACK", lambda: (archived(), keeping.ExtendRetention(RECORD, "2030-01-01", "readmission", None))),
    Case("TERM_NOT_OVER", lambda: (archived(), keeping.EndRetention(RECORD))),
    Case("REOPENING_ASKED", with_entry(archived, lambda s: (s.when(reopen(s), now=LATER), keeping.EndRetention(RECORD))[1]), {"now": LATER}),
    Case("ALREADY_APPRAISED", lambda: (condemned(), _appraise(DisposalOpinion.KEEP)), {"now": LATER}),
    Case("DATE_MOVES_BACK", lambda: (due(), _appraise(DisposalOpinion.EXTEND, "2030-01-01")), {"now": LATER}),
    Case("NOT_A_PERSON", lambda: (due(), _appraise(DisposalOpinion.KEEP)), {"now": LATER, "actor": CLOCK}),
    Case("NOT_APPRAISED", lambda: (due(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER}),
    Case("ALREADY_APPROVED", lambda: (condemned(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER}),
    Case("LIST_NOT_OPEN", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER, "actor": APPROVER, "disposal_list": None}),
    Case("LIST_NOT_OPEN", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER, "actor": APPROVER, "disposal_list": DRAWN_UP}),
    Case("LIST_NOT_OPEN", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER, "actor": APPROVER, "disposal_list": WITHOUT_IT}),
    Case("NOT_APPROVER_OF_LIST", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER, "actor": AFFAIRS}),
    Case("LIST_NOT_OPEN", lambda: (condemned(), destroy()), {"now": LATER, "actor": ARCHIVIST, "disposal_list": REPORTED}),
    Case("OTHER_APPROVER", lambda: (condemned(), destroy(approved_by=TRAINEE)), {"now": LATER, "actor": ARCHIVIST}),
    Case("SAME_PERSON", lambda: (condemned(), destroy()), {"now": LATER, "actor": ARCHIVIST, "disposal_list": replace(LISTED, supervisors=(ARCHIVIST, SUPERVISORS[1]))}),
    Case("SAME_PERSON", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER, "actor": ARCHIVIST}),
    Case("NOT_A_PERSON", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER, "actor": CLOCK}),
    Case("NOT_APPROVED", lambda: (_appraised(), destroy()), {"now": LATER, "actor": ARCHIVIST}),
    on_disposal("CHANGED_SINCE_APPRAISAL", lambda s: s.when(course.FileLateItem(RECORD, RESULT, signed(), "late", None), now=LATER)),
    on_disposal("OPEN_REQUEST", asked),
    on_disposal("HELD", hold),
    on_disposal("SEALED", lambda stream: seal(stream, SealMode.COPY)),
    on_disposal("LENT", lent),
    on_disposal("OPEN_TRANSFER", offered),
    on_disposal("PAPER_NOT_ACCOUNTED", scanned),
    on_disposal("OPEN_STAY", lambda _: None, visits=(Visit(OTHER, VisitType.INPATIENT, "inpatient", Phase.ACTIVE, None),)),
    on_disposal("TERM_NOT_OVER", lambda _: None, visits=(Visit(OTHER, VisitType.INPATIENT, "inpatient", Phase.CLOSED, LATER),)),
    Case("IDENTITY_UNVERIFIED", lambda: (_unverified_condemned(), destroy()), {"now": LATER, "actor": ARCHIVIST}),
    Case("OTHER_LIST", lambda: (condemned(), destroy(list_id=OTHER)), {"now": LATER, "actor": ARCHIVIST}),
    Case("SAME_PERSON", lambda: (condemned(), destroy(approved_by=ARCHIVIST)), {"now": LATER, "actor": replace(ARCHIVIST, id=OTHER), "disposal_list": replace(LISTED, approver=ARCHIVIST)}),
    Case("NOT_A_PERSON", lambda: (condemned(), destroy()), {"now": LATER, "actor": CLOCK}),
    Case("IDENTITY_UNVERIFIED", lambda: (_unverified(), OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)), {"counterpart_known": True, "package": PACKAGE}),
]  # fmt: skip


def with_one_entry_before_care() -> Stream:
    """What no command makes: a registered record that holds an entry; the demand stands all the same."""
    stream, other = registered(), active()
    other.entry()
    stream.state = replace(stream.record, entries=other.record.entries)
    return stream


def _passed() -> Stream:
    stream = submitted()
    stream.when(PassQuality(RECORD))
    return stream


def _retracted_of_trainee() -> Stream:
    stream = active()
    stream.when(RetractEntry(RECORD, trainees(stream), "wrong patient"), actor=TRAINEE)
    return stream


def _arrived_twice(stream: Stream) -> Command:
    command = course.ArriveAtConsultation(RECORD, consulted(stream))
    stream.when(command)
    return command


def _answered_twice(stream: Stream) -> Command:
    command = answer(consulted(stream))
    stream.when(command)
    return command


def _nothing_written() -> Stream:
    stream = active(VisitType.OUTPATIENT)
    stream.when(EndCare(RECORD, Disposition.HOME, None))
    return stream


def _passed_without(template: str) -> Stream:
    """What no command makes: quality passed it and a mandatory entry is gone; the demand stands all the same."""
    stream = submitted()
    stream.when(PassQuality(RECORD))
    gone = next(each.entry_id for each in stream.record.entries.values() if each.last.content.template == template)
    entry = replace(stream.record.entries[gone], retraction_reason="gone")
    stream.state = replace(stream.record, entries=stream.record.entries.having(gone, entry))
    return stream


def _late_correction(entry_id: UUID) -> Command:
    return course.FileLateItem(RECORD, RESULT, signed(), "from the laboratory", None, corrects_entry_id=entry_id)


def _sealed_report(stream: Stream) -> UUID:
    report = made(stream, _late_result(), "entry_id")
    seal(stream)
    return report


def _held_draft(do: Callable[[UUID], Command]) -> tuple[Stream, Command]:
    stream = active()
    draft = _draft(stream)
    stream.when(keeping.PlaceHold(RECORD, "court order", "district court", (EntryRef(draft, 1),)))
    return stream, do(draft)


def _sealed_draft(do: Callable[[UUID], Command]) -> tuple[Stream, Command]:
    """As an earlier release sealed it; no command seals a draft any more."""
    stream = active()
    draft = _draft(stream)
    versions = (SealedVersion(draft, 1, HEAD),)
    meta = facts().meta()
    stream.apply(RecordSealed(meta, OTHER, SealMode.ORIGINAL, SealParty.PATIENT_SIDE, "", versions, unfinished=True))
    return stream, do(draft)


def _late_result() -> course.FileLateItem:
    return course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None)


def _held_case() -> Stream:
    stream = archived()
    hold(stream)
    return stream


def _declared(*traces: EntryTrace, right: UUID | None = None) -> tuple[Stream, Command]:
    """A declaration with these traces beside one of every entry; NOBODY stands for the record's first."""
    stream = emptied()
    every = nowhere(stream.record)
    own = [replace(each, entry_id=every[0].entry_id) if each.recorded_again else each for each in traces]
    rest = every if own == list(traces) else every[1:]
    return stream, course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, right, (*own, *rest))


def _kept_in_error() -> Stream:
    """A record that was entered in error and is kept for ever."""
    stream = active()
    stream.when(course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None))
    stream.when(keeping.EndRetention(RECORD), now=LATER)
    stream.when(_appraise(DisposalOpinion.KEEP), now=LATER)
    stream.when(keeping.ApproveDisposal(RECORD, None), now=LATER)
    return stream


def _archived_with_retracted() -> Stream:
    """An archived case of which one entry was retracted before."""
    stream = closed()
    stream.when(RetractEntry(RECORD, stream.entry(), "wrong patient"))
    for command in (SubmitRecord(RECORD), PassQuality(RECORD), ArchiveRecord(RECORD)):
        stream.when(command)
    return stream


def _retracted_of(stream: Stream) -> UUID:
    return next(each.entry_id for each in stream.record.entries.values() if each.retracted)


def _restricted() -> Stream:
    stream = archived()
    stream.state = replace(stream.record, overlays=replace(stream.record.overlays, restrictions=(NOBODY,)))
    return stream


def _ended_without_entries() -> Stream:
    stream = active()
    stream.when(EndCare(RECORD, Disposition.HOME, None))
    return stream


def _draft(stream: Stream) -> UUID:
    return made(stream, course.DraftEntry(RECORD, None, note("Draft.")), "entry_id")


def _reopened_with_draft() -> Stream:
    """What no command makes; a draft of an entry that is open then."""
    stream, other = reopened(), active()
    draft = _draft(other)
    stream.state = replace(stream.record, entries=stream.record.entries.having(draft, other.record.entries[draft]))
    return stream


def _seal_command(entry_ids: tuple[UUID, ...], second: Actor = NOTARY) -> Command:
    return keeping.SealRecord(RECORD, SealMode.COPY, SealParty.NOTARY, "", entry_ids, second)


def _extension(stream: Stream, second: Actor = PATIENTS_SIDE) -> Command:
    seal_id = seal(stream, SealMode.COPY)
    stream.entry()
    return keeping.ExtendSeal(RECORD, seal_id, second)


def beside(stream: Stream, kind: type[Any], second: Actor) -> Command:
    """Something that is done to a seal beside this person."""
    if kind is keeping.SealRecord:
        return _seal_command((), second)
    return _extension(stream, second) if kind is keeping.ExtendSeal else _unseal(seal(stream), second=second)


def _unseal(seal_id: UUID, ground: UnsealGround = UnsealGround.BOTH_PRESENT, second: Actor = PATIENTS_SIDE) -> Command:
    return keeping.UnsealRecord(RECORD, seal_id, ground, "", second)


def _unverified() -> Stream:
    stream = active(identity=IdentityStatus.UNVERIFIED)
    stream.entry()
    return stream


def _identified() -> Stream:
    """A provisional person who was taken for somebody."""
    stream = _unverified()
    stream.when(course.IdentifyPatient(RECORD, PATIENT), patient=patient())
    return stream


def _identified_after_care() -> Stream:
    """The same, once care has ended."""
    stream = closed(identity=IdentityStatus.UNVERIFIED)
    stream.when(course.IdentifyPatient(RECORD, PATIENT), patient=patient())
    return stream


def nobody_known(second: Actor = STEWARD) -> WithdrawIdentification:
    """That it is not who was named, and nobody knows who else."""
    return WithdrawIdentification(RECORD, "his brother's papers", second)


def _unverified_condemned() -> Stream:
    stream = condemned()
    stream.state = replace(stream.record, identity=IdentityStatus.UNVERIFIED)
    return stream


def _renewed(stream: Stream) -> Command:
    command = keeping.RenewLoan(RECORD, lent(stream))
    stream.when(command)
    return command


def _answer_request(request_id: UUID) -> keeping.AnswerPatientRequest:
    return keeping.AnswerPatientRequest(RECORD, request_id, granted=True, ground="law", statement="", entry_id=None)


def _appraise(opinion: DisposalOpinion, until: str = "") -> Command:
    return keeping.AppraiseDisposal(RECORD, opinion, "term over", until)


def _appraised() -> Stream:
    stream = due()
    stream.when(_appraise(DisposalOpinion.DESTROY), actor=ARCHIVIST, now=LATER)
    return stream
