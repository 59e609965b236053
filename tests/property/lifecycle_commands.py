"""A command of every kind for a record in any state: what it names is picked from what the record holds then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
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
from ledger.domain.content_digest import content_digest
from ledger.domain.deadlines import deadlines
from ledger.domain.decision import Facts
from ledger.domain.endorsed_acts import IN_ERROR_FROM
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.keeping_state import Endorsement
from ledger.domain.keeping_values import (
    DisposalOpinion,
    EndorsedAct,
    EntryRef,
    PaperOutcome,
    RequestKind,
    SealMode,
    SealParty,
    UnsealGround,
)
from ledger.domain.lifecycle import KEPT
from ledger.domain.missing_entries import missing_entries
from ledger.domain.newborn_commands import (
    CorrectBirth,
    LinkNewborn,
    RegisterNewborn,
    RestoreNewborn,
    WithdrawNewborn,
)
from ledger.domain.quality_sample import SampleDraw
from ledger.domain.sample_commands import AssessSample
from ledger.domain.state import RecordState
from ledger.domain.state_guards import PHYSICIAN_IN_CHARGE
from ledger.domain.transfer_commands import ExpireTransfer, OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.values import (
    Actor,
    AmendmentKind,
    Defect,
    Disposition,
    EntryState,
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
    DEFECTS_FOUND,
    DIGEST,
    HEAD_OF_HOSPITAL,
    LEGAL,
    LIST,
    MANDATORY,
    NOTARY,
    PATIENT,
    PATIENTS_SIDE,
    PHYSICIAN,
    RECORD,
    RESULT,
    STEWARD,
    SUPERIOR,
    SUPERVISORS,
    TRAINEE,
    narrative,
    note,
    nowhere,
    signed,
)

PEOPLE = (PHYSICIAN, SUPERIOR, ARCHIVIST, LEGAL, AFFAIRS, APPROVER, HEAD_OF_HOSPITAL, CLOCK)
_BESIDE = (PATIENTS_SIDE, NOTARY, PATIENTS_SIDE, ARCHIVIST, AFFAIRS, CLOCK)
"""Who may stand beside the hospital's person at a seal, rightly or not."""
_NOBODY = UUID(int=9)
_BROTHER = UUID(int=201)
_OUT = narrative("transfer_out_note", "course", "reason")
_CONTENTS = (*MANDATORY, RESULT, note("Second look."), _OUT)
_NAMED: tuple[tuple[str, ...], ...] = ((), ("course_note",), ("consultation",))
"""Templates that a reopening names."""
_DEPARTMENTS = ("cardiology", "neurology", "icu")


@dataclass(frozen=True)
class Pick:
    """Chooses among what the record holds, and among variants."""

    number: int
    trainee: bool = False

    def of(self, mapping: Mapping[UUID, object]) -> UUID:
        """One of the ids, or one that nobody has."""
        ids = list(mapping)
        return ids[self.number % len(ids)] if ids else _NOBODY

    def signer(self) -> Actor:
        """Who signs."""
        return TRAINEE if self.trainee else PHYSICIAN


Make = Callable[[RecordState, Facts, Pick], Command]


def _drafts(record: RecordState) -> dict[UUID, object]:
    return {each.entry_id: each for each in record.entries.values() if each.state is EntryState.DRAFT}


def _waiting(record: RecordState) -> dict[UUID, object]:
    return {each.entry_id: each for each in record.entries.values() if each.state is EntryState.AUTHORED}


def _never_written(record: RecordState, known: Facts, pick: Pick) -> str:
    """Something that the record lacks, mostly; else whatever template."""
    owed = [each.template for each in MANDATORY if pick.number % 9 == 0]
    lacking = [template for template, _, _ in missing_entries(record, known.pack.mandatory, known.pack.short_stay)]
    some = owed or lacking or [PHYSICIAN_IN_CHARGE]
    return some[pick.number % len(some)]


def _record_entry(record: RecordState, _: Facts, pick: Pick) -> Command:
    draft = pick.of(_drafts(record)) if _drafts(record) and pick.number % 2 else None
    # A window may name nothing else.
    contents = (*_CONTENTS, narrative("consultation", "opinion"))
    return RecordEntry(RECORD, contents[pick.number % len(contents)], signed(pick.signer()), draft)


def _amend(record: RecordState, _: Facts, pick: Pick) -> Command:
    entry_id = pick.of(record.entries)
    entry, kind = record.entries.get(entry_id), list(AmendmentKind)[pick.number % 3]
    kept = entry is not None and pick.number // 7 % 5 > 0
    same_template = replace(entry.last.content, title=f"Amended {pick.number}") if entry and kept else None
    return AmendEntry(RECORD, entry_id, kind, "checked", same_template or note("Amended."), signed(pick.signer()))


def _certify(record: RecordState, _: Facts, pick: Pick) -> Command:
    entry_id = pick.of(record.entries)
    entry = record.entries.get(entry_id)
    return course.CertifyEntry(RECORD, entry_id, entry.last.version if entry else 1, b"cms")


def _countersign(record: RecordState, _: Facts, pick: Pick) -> Command:
    entry_id = pick.of(_waiting(record) or dict(record.entries))
    entry = record.entries.get(entry_id)
    return course.CountersignEntry(RECORD, entry_id, entry.last.version if entry else 1, signed(SUPERIOR))


def _correct_time(record: RecordState, facts: Facts, pick: Pick) -> Command:
    of, earlier = list(TimeOf)[pick.number % len(TimeOf)], timedelta(minutes=pick.number % 90)
    begins = of is TimeOf.CARE_START and record.started_at is not None and pick.number % 4 < 2
    to = (record.started_at if begins and record.started_at else facts.now) - earlier
    # Another entry each time that the same kind of time is picked.
    which = Pick(pick.number // len(TimeOf))
    entry_id = which.of(record.entries) if of is TimeOf.ENTRY else None
    asked = which.of(record.consultations) if of.startswith("CONSULTATION") else None
    move = 1 + pick.number % 2 if of is TimeOf.MOVE else 0
    return course.CorrectTime(RECORD, of, entry_id, move, to, "read off the wrong clock", asked)


def _move(record: RecordState, _: Facts, pick: Pick) -> Command:
    outs = {each.entry_id: each for each in record.entries.values() if each.last.content.template == _OUT.template}
    # Of few notes the same one is picked again before long.
    note_id = Pick(pick.number // 3).of(outs or dict(record.entries)) if pick.number % 2 else None
    return TransferDepartment(RECORD, _DEPARTMENTS[pick.number % 3], "2", note_id, PHYSICIAN)


_ENDORSERS: dict[EndorsedAct, Actor] = {
    EndorsedAct.RECORD_IN_ERROR: SUPERIOR,
    EndorsedAct.UNSEALING_SETTLED: ARCHIVIST,
    EndorsedAct.UNSEALING_UNCLAIMED: AFFAIRS,
    EndorsedAct.LATE_ITEM: AFFAIRS,
    EndorsedAct.IDENTIFICATION_CORRECTED: STEWARD,
    EndorsedAct.IDENTIFICATION_WITHDRAWN: STEWARD,
}
"""Who endorses an act: whom its maker names then, where nobody has endorsed any."""


def _possible_acts(record: RecordState) -> list[EndorsedAct]:
    """Acts of which a second person may say something of the record, as its parts are; all where none may."""
    kinds = {
        EndorsedAct.RECORD_IN_ERROR: record.phase in IN_ERROR_FROM,
        EndorsedAct.UNSEALING_SETTLED: bool(record.overlays.seals),
        EndorsedAct.UNSEALING_UNCLAIMED: bool(record.overlays.seals),
        EndorsedAct.LATE_ITEM: record.phase in KEPT | {Phase.SUBMITTED, Phase.REOPENED}
        and not record.archiving.in_error,
        EndorsedAct.IDENTIFICATION_CORRECTED: record.established and record.identified,
        EndorsedAct.IDENTIFICATION_WITHDRAWN: record.identified,
    }
    return [each for each, possible in kinds.items() if possible] or list(EndorsedAct)


def _endorse(record: RecordState, _: Facts, pick: Pick) -> Command:
    acts = _possible_acts(record)
    act, number = acts[pick.number % len(acts)], pick.number // len(acts)
    subject = {
        EndorsedAct.UNSEALING_SETTLED: Pick(number).of(record.overlays.seals),
        EndorsedAct.UNSEALING_UNCLAIMED: Pick(number).of(record.overlays.seals),
        EndorsedAct.IDENTIFICATION_CORRECTED: (PATIENT, _BROTHER)[number % 2],
    }.get(act)
    content = _CONTENTS[number % len(_CONTENTS)] if act is EndorsedAct.LATE_ITEM else None
    return course.EndorseAct(RECORD, act, subject, content, "looked at it")


def _endorsed(record: RecordState, facts: Facts, *acts: EndorsedAct) -> list[Endorsement]:
    """What somebody has endorsed of these acts, and holds."""
    found = record.overlays.endorsements.values()
    return [each for each in found if each.act in acts and facts.now <= each.expires_at]


def _second(record: RecordState, facts: Facts, act: EndorsedAct, pick: Pick) -> Actor:
    """Who has endorsed the act; else somebody who has not."""
    found = _endorsed(record, facts, act)
    return found[pick.number % len(found)].endorsed_by if found else _ENDORSERS[act]


def _late_item(record: RecordState, facts: Facts, pick: Pick) -> Command:
    endorsed = _endorsed(record, facts, EndorsedAct.LATE_ITEM)
    if endorsed and pick.number % 4 == 1:
        said = endorsed[pick.number // 4 % len(endorsed)]
        content = next(each for each in _CONTENTS if content_digest(each) == said.content_sha256)
        return course.FileLateItem(RECORD, content, signed(PHYSICIAN), "told late", None, confirmed_by=said.endorsed_by)
    return _unendorsed_late_item(record, facts, pick)


def _identify(record: RecordState, facts: Facts, pick: Pick) -> Command:
    if not record.identified:
        return course.IdentifyPatient(RECORD, PATIENT, pick.number % 3)
    said = _endorsed(record, facts, EndorsedAct.IDENTIFICATION_CORRECTED)
    named = said[pick.number % len(said)] if said and pick.number % 5 else None
    to = (named and named.subject_id) or (PATIENT, _BROTHER)[pick.number % 2]
    return course.IdentifyPatient(RECORD, to, pick.number % 3, "other papers", named.endorsed_by if named else STEWARD)


_GROUNDS = {
    EndorsedAct.UNSEALING_SETTLED: UnsealGround.DISPUTE_SETTLED,
    EndorsedAct.UNSEALING_UNCLAIMED: UnsealGround.NO_CLAIM,
}


def _unseal(record: RecordState, facts: Facts, pick: Pick) -> Command:
    said = _endorsed(record, facts, *_GROUNDS)
    if said and pick.number % 2:
        named = said[pick.number // 2 % len(said)]
        return keeping.UnsealRecord(RECORD, named.subject_id or _NOBODY, _GROUNDS[named.act], "", named.endorsed_by)
    return keeping.UnsealRecord(
        RECORD, pick.of(record.overlays.seals), list(UnsealGround)[pick.number % 3], "", _BESIDE[pick.number // 3 % 6]
    )


def _unendorsed_late_item(record: RecordState, _: Facts, pick: Pick) -> Command:
    standing = {each.entry_id: each for each in record.entries.values() if not each.retracted}
    reports = {id_: each for id_, each in standing.items() if each.last.content.template == RESULT.template}
    among = reports if reports and pick.number % 3 else standing
    corrected = pick.of(among) if among and pick.number % 2 else None
    content = RESULT if pick.number % 5 else _CONTENTS[pick.number // 5 % len(_CONTENTS)]
    attested = signed(SUPERIOR if pick.number % 7 == 3 else pick.signer())
    second = (None, AFFAIRS, SUPERIOR)[pick.number // 3 % 3]
    return course.FileLateItem(RECORD, content, attested, "late pathology", None, (), corrected, second)


def _missed(record: RecordState, facts: Facts, pick: Pick) -> Command:
    found = deadlines(record, facts.pack, facts.now)
    each = found[pick.number % len(found)] if found else None
    if each is None:
        return course.ReportMissedDeadline(RECORD, "none", None, None)
    return course.ReportMissedDeadline(RECORD, each.rule, each.subject_id, each.due_at)


def _withdraw(record: RecordState, _: Facts, pick: Pick) -> Command:
    tags = sorted(record.overlays.missed, key=lambda each: (each.rule, str(each.subject_id), each.due_at))
    each = tags[pick.number % len(tags)] if tags else None
    if each is None:
        return course.WithdrawMissedDeadline(RECORD, "none", None, None)
    return course.WithdrawMissedDeadline(RECORD, each.rule, each.subject_id, each.due_at)


def _hear(record: RecordState, _: Facts, pick: Pick) -> Command:
    transfer_id = pick.of(record.transfers)
    known = record.transfers.get(transfer_id)
    answer = list(TransferAnswer)[pick.number // 7 % 3]
    return RecordTransferAnswer(RECORD, transfer_id, known.counterpart if known else "south", answer, "CODE", "")


def _reopen_id(record: RecordState) -> UUID:
    return record.overlays.reopening.reopen_id if record.overlays.reopening else _NOBODY


def _later(facts: Facts, days: int) -> str:
    return (facts.now + timedelta(days=days)).date().isoformat()


def _assess_sample(record: RecordState, facts: Facts, pick: Pick) -> Command:
    archived_at = record.archiving.archived_at or facts.now
    seed = bytes([pick.number % 3]) * 32
    draw = SampleDraw(archived_at, max(facts.now, archived_at + timedelta(seconds=1)), 200, 10, seed)
    if pick.number % 5 == 0:
        draw = replace(draw, archived_from=archived_at + timedelta(microseconds=1))
    return AssessSample(RECORD, draw, DEFECTS_FOUND[pick.number // 5 % 4])


def _opinion(record: RecordState, facts: Facts, pick: Pick) -> Command:
    opinion = list(DisposalOpinion)[pick.number % 3]
    until = max(_later(facts, 400), record.retain_until + "x") if opinion is DisposalOpinion.EXTEND else ""
    return keeping.AppraiseDisposal(RECORD, opinion, "appraised", until[:10])


def _approve_disposal(record: RecordState, _: Facts, __: Pick) -> Command:
    disposal = record.archiving.disposal
    destroys = disposal is not None and disposal.opinion is DisposalOpinion.DESTROY
    return keeping.ApproveDisposal(RECORD, LIST if destroys else None)


COMMANDS: dict[type[Command], Make] = {
    StartCare: lambda record, _, pick: StartCare(
        RECORD,
        record.department,
        "1",
        None if pick.number % 3 == 0 and record.visit_type is VisitType.EMERGENCY else PHYSICIAN,
        "team on duty",
    ),
    course.VoidRecord: lambda _, __, ___: course.VoidRecord(RECORD, "by mistake"),
    course.DraftEntry: lambda record, _, pick: course.DraftEntry(
        RECORD, pick.of(_drafts(record)) if _drafts(record) and pick.number % 2 else None, note("Draft.")
    ),
    RecordEntry: _record_entry,
    AmendEntry: _amend,
    RetractEntry: lambda record, _, pick: RetractEntry(
        RECORD, pick.of(record.entries), "wrong patient", None, "told twice" if pick.number % 3 == 0 else ""
    ),
    course.CountersignEntry: _countersign,
    course.CertifyEntry: _certify,
    RequestConsultation: lambda _, __, pick: RequestConsultation(
        RECORD, _DEPARTMENTS[pick.number % 3], list(Urgency)[pick.number % 2], "Why?"
    ),
    course.ArriveAtConsultation: lambda record, _, pick: course.ArriveAtConsultation(
        RECORD, pick.of(record.consultations), "" if pick.number % 3 else "entered from paper"
    ),
    course.WithdrawConsultation: lambda record, _, pick: course.WithdrawConsultation(
        RECORD, pick.of(record.consultations), "asked for another patient"
    ),
    AnswerConsultation: lambda record, _, pick: AnswerConsultation(
        RECORD, pick.of(record.consultations), "So.", narrative("consultation", "opinion"), signed(pick.signer())
    ),
    TransferDepartment: _move,
    course.CorrectTime: _correct_time,
    course.AssignPhysician: lambda _, __, pick: course.AssignPhysician(RECORD, PEOPLE[pick.number % 2], "on leave"),
    RegisterNewborn: lambda record, _, pick: RegisterNewborn(
        RECORD, len(record.newborns) + 1, None, "told late" if pick.number % 4 else ""
    ),
    CorrectBirth: lambda record, facts, pick: CorrectBirth(
        RECORD, pick.of(record.newborns), facts.now - timedelta(minutes=pick.number), "read off the wrong clock"
    ),
    WithdrawNewborn: lambda record, _, pick: WithdrawNewborn(
        RECORD,
        pick.of(record.newborns),
        Pick(pick.number // 7).of(record.newborns) if record.newborns and pick.number // 3 % 3 else None,
        "twice",
    ),
    RestoreNewborn: lambda record, _, pick: RestoreNewborn(RECORD, pick.of(record.newborns), "twins after all"),
    LinkNewborn: lambda record, _, pick: LinkNewborn(
        RECORD, pick.of(record.newborns), (UUID(int=72), None, record.patient_id)[pick.number % 3], "its own records"
    ),
    course.RecogniseResult: lambda _, __, ___: course.RecogniseResult(RECORD, "lab-1", "south", None),
    course.RepeatExamination: lambda _, __, ___: course.RepeatExamination(RECORD, "lab-1", "south", "haemolysed"),
    course.LinkDuplicate: lambda record, _, pick: course.LinkDuplicate(RECORD, pick.of(record.entries)),
    WithdrawIdentification: lambda record, facts, pick: WithdrawIdentification(
        RECORD,
        "his brother's papers",
        _second(record, facts, EndorsedAct.IDENTIFICATION_WITHDRAWN, pick) if pick.number % 2 else SUPERIOR,
    ),
    course.IdentifyPatient: _identify,
    course.EndorseAct: _endorse,
    EndCare: lambda _, __, pick: EndCare(RECORD, list(Disposition)[pick.number % 5], None),
    course.ResumeCare: lambda _, __, ___: course.ResumeCare(RECORD, "bleeding again"),
    course.AcceptDeficiency: lambda record, known, pick: (
        course.AcceptDeficiency(RECORD, pick.of(_waiting(record)), "", "the author has left")
        if pick.number % 2
        else course.AcceptDeficiency(RECORD, None, _never_written(record, known, pick), "nobody knows")
    ),
    course.DeclareEnteredInError: lambda record, facts, pick: course.DeclareEnteredInError(
        RECORD,
        "duplicate",
        _second(record, facts, EndorsedAct.RECORD_IN_ERROR, pick),
        None,
        nowhere(record),
    ),
    SubmitRecord: lambda _, __, ___: SubmitRecord(RECORD),
    course.RecallRecord: lambda _, __, ___: course.RecallRecord(RECORD, "a page is missing"),
    ReturnRecord: lambda _, __, ___: ReturnRecord(RECORD, (Defect("LANGUAGE"),)),
    PassQuality: lambda _, __, pick: PassQuality(RECORD, 0, DEFECTS_FOUND[pick.number % 4]),
    ArchiveRecord: lambda _, __, ___: ArchiveRecord(RECORD),
    course.FileLateItem: _late_item,
    course.ReportMissedDeadline: _missed,
    course.WithdrawMissedDeadline: _withdraw,
    keeping.RequestReopen: lambda record, _, pick: keeping.RequestReopen(
        RECORD, "wrong side named", tuple(record.entries)[:2], _NAMED[pick.number % len(_NAMED)]
    ),
    keeping.ApproveReopen: lambda record, _, __: keeping.ApproveReopen(RECORD, _reopen_id(record), None),
    keeping.RearchiveRecord: lambda _, __, ___: keeping.RearchiveRecord(RECORD),
    keeping.PlaceHold: lambda record, _, pick: keeping.PlaceHold(
        RECORD,
        "court order",
        "district court",
        tuple(EntryRef(each, 1) for each in _drafts(record)) if pick.number % 3 == 0 else (),
    ),
    keeping.LiftHold: lambda record, _, pick: keeping.LiftHold(RECORD, pick.of(record.overlays.holds), "settled"),
    keeping.SealRecord: lambda record, _, pick: keeping.SealRecord(
        RECORD,
        list(SealMode)[pick.number % 2],
        SealParty.PATIENT_SIDE,
        "Mr. N.",
        tuple(record.entries)[:2] if pick.number // 6 % 2 else (),
        _BESIDE[pick.number % 6],
    ),
    keeping.ExtendSeal: lambda record, _, pick: keeping.ExtendSeal(
        RECORD, pick.of(record.overlays.seals), _BESIDE[pick.number % 6]
    ),
    keeping.UnsealRecord: _unseal,
    keeping.IssueCopy: lambda record, _, pick: keeping.IssueCopy(
        RECORD, "Mr. N.", "self", (pick.of(record.entries),) * (pick.number % 2), "true copy"
    ),
    keeping.LendRecord: lambda _, __, pick: keeping.LendRecord(RECORD, SUPERIOR, "", out_of_house=pick.number % 5 == 0),
    keeping.RenewLoan: lambda record, _, pick: keeping.RenewLoan(RECORD, pick.of(record.overlays.loans)),
    keeping.ReturnLoan: lambda record, _, pick: keeping.ReturnLoan(RECORD, pick.of(record.overlays.loans)),
    keeping.FilePaperScan: lambda _, __, ___: keeping.FilePaperScan(
        RECORD, "consent", 2, 300, ARCHIVIST, SUPERIOR, DIGEST, "shelf 4"
    ),
    keeping.MovePaper: lambda record, _, pick: keeping.MovePaper(
        RECORD, pick.of(record.overlays.papers), f"shelf {pick.number}", "the basement is full"
    ),
    keeping.AccountForPaper: lambda record, _, pick: keeping.AccountForPaper(
        RECORD, pick.of(record.overlays.papers), list(PaperOutcome)[pick.number % 3], "as the list says"
    ),
    keeping.RecordPatientRequest: lambda _, __, pick: keeping.RecordPatientRequest(
        RECORD, list(RequestKind)[pick.number % 6], "Mr. N.", "self", "please"
    ),
    keeping.AnswerPatientRequest: lambda record, _, pick: keeping.AnswerPatientRequest(
        RECORD, pick.of(record.overlays.requests), pick.number // 17 % 2 == 0, "the law", "I disagree.", None
    ),
    keeping.RecordHolderTold: lambda record, _, pick: keeping.RecordHolderTold(
        RECORD, pick.of({**record.overlays.copies, **record.transfers, **record.overlays.loans}), "by letter"
    ),
    AssessSample: _assess_sample,
    keeping.LiftRestriction: lambda record, _, pick: keeping.LiftRestriction(
        RECORD, "the claim is settled", pick.of(dict.fromkeys(record.overlays.restrictions))
    ),
    keeping.ExtendRetention: lambda record, facts, pick: keeping.ExtendRetention(
        RECORD, _later(facts, pick.number * 30), "readmission", None
    ),
    keeping.EndRetention: lambda _, __, ___: keeping.EndRetention(RECORD),
    keeping.AppraiseDisposal: _opinion,
    keeping.ApproveDisposal: _approve_disposal,
    keeping.RejectAppraisal: lambda _, __, ___: keeping.RejectAppraisal(RECORD, "of interest after all"),
    keeping.DestroyRecord: lambda _, __, pick: keeping.DestroyRecord(
        RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS if pick.number % 3 else SUPERVISORS[:1] * 2, ("paper",)
    ),
    OfferTransfer: lambda _, __, pick: OfferTransfer(
        RECORD, ("south", "west")[pick.number % 2], TransferKind.REFERRAL, None
    ),
    WithdrawTransfer: lambda record, _, pick: WithdrawTransfer(RECORD, pick.of(record.transfers), "went home"),
    ExpireTransfer: lambda record, _, pick: ExpireTransfer(RECORD, pick.of(record.transfers)),
    RecordTransferAnswer: _hear,
}
"""One maker for every command of the declaration."""

OFFICES: dict[type[Command], Actor] = {
    AssessSample: AFFAIRS,
    keeping.RequestReopen: AFFAIRS,
    keeping.ApproveReopen: AFFAIRS,
    keeping.AppraiseDisposal: APPROVER,
    keeping.RejectAppraisal: APPROVER,
    keeping.ApproveDisposal: APPROVER,
    course.AcceptDeficiency: AFFAIRS,
    course.EndorseAct: AFFAIRS,
}
"""To whom the packs leave what a person's own signature does not settle; who asks and who approves can be the same."""
