"""Refusals outside the declaration that nothing else shows: what a command brings that is missing, too long or ahead."""

# ruff: noqa: E501 - one line a case, so that the table can be read down
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import (
    AmendPatient,
    Command,
    RecordEntry,
    RegisterPatient,
    RegisterRecord,
    RequestConsultation,
    RetractEntry,
    StartCare,
)
from ledger.domain.decide_reopen import NAMED_MAX
from ledger.domain.decision import ClaimedItem, KnownFact
from ledger.domain.disposal_commands import ApproveDisposalList, DrawUpDisposalList, RecordDisposalReport
from ledger.domain.disposal_values import ReportedRecord
from ledger.domain.entry_traces import EntryTrace
from ledger.domain.identity_commands import LinkPatients
from ledger.domain.keeping_values import (
    DisposalOpinion,
    PaperOutcome,
    RequestKind,
    SealMode,
    SealParty,
    UnsealGround,
)
from ledger.domain.newborn_commands import LinkNewborn, RegisterNewborn
from ledger.domain.rulebook_commands import AddTemplates, ChooseRulePack
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState
from ledger.domain.transfer_commands import (
    AnswerPackage,
    ClearPackageFork,
    ExpireTransfer,
    MarkPackageOutdated,
    MarkPackageSinceFork,
    OfferTransfer,
    PackageFault,
    RecordTransferAnswer,
    WithdrawTransfer,
)
from ledger.domain.values import (
    Attachment,
    Field,
    IdentityStatus,
    PatientDetails,
    Section,
    SourceItem,
    TransferAnswer,
    TransferKind,
    Urgency,
    VisitType,
)
from tests.unit.domain.given import (
    APPROVER,
    ARCHIVIST,
    CLOCK,
    DIGEST,
    ELSEWHERE,
    HEAD_OF_HOSPITAL,
    LIST,
    LISTED,
    NOTARY,
    NOW,
    OTHER_DIGEST,
    PACKAGE,
    PATIENT,
    PHYSICIAN,
    RECORD,
    RESULT,
    SUPERIOR,
    Stream,
    active,
    archived,
    closed,
    condemned,
    due,
    note,
    patient,
    registered,
    signed,
    source,
)
from tests.unit.domain.refusals import (
    LATER,
    NOBODY,
    OTHER,
    answer,
    asked,
    consulted,
    destroy,
    made,
    scanned,
    seal,
    shelve,
    with_entry,
)
from tests.unit.domain.test_disposal_list import DRAWN_UP, listed
from tests.unit.domain.test_package import ACCEPT, PACKAGE_ID, RECEIVE, received, since_fork
from tests.unit.domain.test_published_maps import FIRST, KNOWN

LONG = "x" * 5000
AHEAD = {"occurred_at": NOW + timedelta(hours=1)}
NAMELESS = replace(SUPERIOR, name="")
TIME = ("context.occurred_at", "TIME_IN_FUTURE")
Build = Callable[[], tuple[Stream, Command]]


@dataclass
class Faulty:
    """A command that is refused, among others, with this fault."""

    place: str
    rule: str
    build: Build
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{type(self.build()[1]).__name__}-{self.place}-{self.rule}"


def _known(patient_id: UUID = PATIENT) -> Stream:
    return Stream(patient_id, patient())


def _list(approved: bool = True) -> Stream:
    return Stream(LIST, LISTED if approved else DRAWN_UP)


def _draw_up(title: str = "List", *ids: UUID) -> Build:
    return lambda: (Stream(), DrawUpDisposalList(title, ids or (RECORD,)))


def _declare(*traces: EntryTrace) -> Command:
    return course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None, traces)


def _report(*rules: str) -> Build:
    return lambda: (
        _list(),
        RecordDisposalReport(LIST, (), (ReportedRecord(RECORD, False, rules or ("HELD",)),)),
    )


def _scan(**changes: Any) -> Build:
    scan = keeping.FilePaperScan(RECORD, "consent", 2, 300, ARCHIVIST, SUPERIOR, DIGEST, "shelf 4")
    return lambda: (active(), replace(scan, **changes))


def _register(**changes: Any) -> Build:
    return lambda: (Stream(), replace(RegisterRecord(PATIENT, VisitType.INPATIENT, 1, "cardiology"), **changes))


def _new_patient(**changes: Any) -> Build:
    return lambda: (
        Stream(),
        replace(RegisterPatient("MRN-9", IdentityStatus.MATCHED, PatientDetails(name="N.")), **changes),
    )


def _offered(do: Callable[[UUID], Command]) -> Build:
    def build() -> tuple[Stream, Command]:
        stream = active()
        offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
        return stream, do(made(stream, offer, "transfer_id", counterpart_known=True, package=PACKAGE))

    return build


def _expired() -> tuple[Stream, Command]:
    stream, command = _offered(lambda sent: ExpireTransfer(RECORD, sent))()
    stream.when(command, now=NOW + timedelta(days=8))
    return stream, command


def _kept_by_appraisal() -> Stream:
    stream = due()
    stream.when(keeping.AppraiseDisposal(RECORD, DisposalOpinion.KEEP, "of interest", ""), now=LATER)
    return stream


def _appraised() -> Stream:
    stream = due()
    stream.when(keeping.AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", ""), now=LATER)
    return stream


def _link(stream: Stream, reason: str = "") -> LinkNewborn:
    born = made(stream, RegisterNewborn(RECORD, 1, None), "subject_id")
    return LinkNewborn(RECORD, born, LIST, reason)


def _with_paper() -> Stream:
    stream = condemned()
    stream.when(keeping.AccountForPaper(RECORD, scanned(stream), PaperOutcome.KEPT, "on its shelf"), now=LATER)
    return stream


def _full_of_restrictions() -> tuple[Stream, Command]:
    stream = archived()
    wish = keeping.RecordPatientRequest(RECORD, RequestKind.RESTRICTION, "Mr. N.", "self", "please")
    request_id = made(stream, wish, "request_id")
    many = tuple(UUID(int=5000 + number) for number in range(90))
    stream.state = replace(stream.record, overlays=replace(stream.record.overlays, restrictions=many))
    return stream, keeping.AnswerPatientRequest(
        RECORD, request_id, granted=True, ground="law", statement="", entry_id=None
    )


def _unverified() -> Stream:
    return active(identity=IdentityStatus.UNVERIFIED)


def _late_result() -> course.FileLateItem:
    return course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None)


def _sealing(party_name: str) -> Command:
    return keeping.SealRecord(RECORD, SealMode.COPY, SealParty.NOTARY, party_name, (), NOTARY)


def _draft(section: Section) -> Command:
    return course.DraftEntry(RECORD, None, replace(note(), sections=(section,)))


_ATTACHED = Attachment(DIGEST, 1, "image/png", "Scan")
_AMONG_LISTED = {"actor": ARCHIVIST, "now": LATER, "listed": listed(condemned())}
_REGISTERING = {"patient": patient()}
_STATED = KnownFact(b"", "another", False, ClaimedItem(OTHER, None, DIGEST, Taken.ENTRY))
_NAMELESS_SOURCE = SourceItem("", "Document", "doc-1", DIGEST)

FAULTY: list[Faulty] = [
    Faulty("responsible.name", "REQUIRED", lambda: (registered(), StartCare(RECORD, "cardiology", "12", NAMELESS, ""))),
    Faulty("department", "REQUIRED", lambda: (registered(), StartCare(RECORD, "", "12", PHYSICIAN, ""))),
    Faulty("to_department", "REQUIRED", lambda: (active(), RequestConsultation(RECORD, "", Urgency.ROUTINE, "Why?"))),
    Faulty("to_department", "TOO_LONG", lambda: (active(), RequestConsultation(RECORD, LONG, Urgency.ROUTINE, "Why?"))),
    Faulty("question", "TOO_LONG", lambda: (active(), RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, LONG))),
    Faulty("opinion", "TOO_LONG", with_entry(active, lambda s: replace(answer(consulted(s)), opinion=LONG))),
    Faulty("reason", "TOO_LONG", with_entry(active, lambda s: replace(answer(consulted(s)), reason=LONG))),
    Faulty("result_id", "REQUIRED", lambda: (active(), course.RepeatExamination(RECORD, "", "south", "unclear"))),
    Faulty("result_id", "TOO_LONG", lambda: (active(), course.RecogniseResult(RECORD, LONG, "south", None))),
    Faulty("context.source", "REQUIRED", lambda: (active(), course.LinkDuplicate(RECORD, None))),
    Faulty("patient_id", "UNKNOWN_PATIENT", lambda: (_unverified(), course.IdentifyPatient(RECORD, PATIENT))),
    Faulty("patient_id", "IDENTITY_UNVERIFIED", lambda: (_unverified(), course.IdentifyPatient(RECORD, PATIENT)), {"patient": patient(IdentityStatus.UNVERIFIED)}),
    Faulty("reason", "TOO_LONG", lambda: (active(), course.AssignPhysician(RECORD, SUPERIOR, LONG))),
    Faulty("originated_at", "TIME_IN_FUTURE", lambda: (archived(), replace(_late_result(), originated_at=NOW + timedelta(hours=1)))),
    Faulty("context.source", "SOURCE_ELSEWHERE", lambda: (archived(), _late_result()), {"source": source(), "claimed": ClaimedItem(OTHER, NOBODY, OTHER_DIGEST, Taken.ENTRY)}),
    Faulty("template", "TOO_LONG", lambda: (closed(), course.AcceptDeficiency(RECORD, None, LONG, "gone"))),
    Faulty("entry_id", "REQUIRED", lambda: (closed(), course.AcceptDeficiency(RECORD, None, "", "gone"))),
    Faulty("reason", "TOO_LONG", with_entry(active, lambda s: course.ArriveAtConsultation(RECORD, consulted(s), LONG))),
    Faulty("reason", "REQUIRED", lambda: (closed(), course.ResumeCare(RECORD, ""))),
    Faulty("reason", "TOO_LONG", lambda: (closed(), course.ResumeCare(RECORD, LONG))),
    Faulty("correct_record_id", "SAME_RECORD", lambda: (active(), course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, RECORD))),
    Faulty("reason", "REQUIRED", lambda: (active(), course.DeclareEnteredInError(RECORD, "", SUPERIOR, None))),
    Faulty("nowhere_reason", "TOO_LONG", with_entry(active, lambda s: RetractEntry(RECORD, s.entry(), "wrong patient", None, LONG))),
    Faulty("traces", "TOO_MANY", lambda: (active(), _declare(*[EntryTrace(NOBODY, None, "twice")] * 2001))),
    Faulty("traces[0].nowhere_reason", "TOO_LONG", lambda: (active(), _declare(EntryTrace(NOBODY, None, LONG)))),
    Faulty("traces", "TOO_MANY_RECORDS", lambda: (active(), _declare(*(EntryTrace(UUID(int=each), replace(ELSEWHERE, record_id=UUID(int=each))) for each in range(21))))),
    Faulty("born_at", "TIME_IN_FUTURE", lambda: (active(), RegisterNewborn(RECORD, 1, NOW + timedelta(hours=1)))),
    Faulty("number", "OUT_OF_RANGE", lambda: (active(), RegisterNewborn(RECORD, 2, None))),
    Faulty("reason", "TOO_LONG", lambda: (active(), RegisterNewborn(RECORD, 1, None, LONG))),
    Faulty("reason", "TOO_LONG", with_entry(active, lambda s: _link(s, LONG)), {"patient": patient()}),
    Faulty("patient_id", "UNKNOWN_PATIENT", with_entry(active, lambda s: _link(s))),
    Faulty("patient_id", "MERGED", with_entry(active, lambda s: _link(s)), {"patient": replace(cast("PatientState", patient()), merged_into=LIST)}),
    Faulty("reason", "REQUIRED", with_entry(active, lambda s: course.WithdrawConsultation(RECORD, consulted(s), " "))),
    Faulty("cause", "UNKNOWN_VALUE", lambda: (archived(), keeping.ExtendRetention(RECORD, "2090-01-01", "a whim", None))),
    Faulty("retain_until", "NOT_APPLICABLE", lambda: (due(), keeping.AppraiseDisposal(RECORD, DisposalOpinion.KEEP, "of interest", "2090-01-01")), {"now": LATER}),
    Faulty("list_id", "REQUIRED", lambda: (_appraised(), keeping.ApproveDisposal(RECORD, None)), {"now": LATER}),
    Faulty("list_id", "NOT_APPLICABLE", lambda: (_kept_by_appraisal(), keeping.ApproveDisposal(RECORD, LIST)), {"now": LATER}),
    Faulty("covers[0]", "UNKNOWN_VALUE", lambda: (condemned(), replace(destroy(), covers=("gold",))), {"now": LATER}),
    Faulty("covers", "PAPER_NOT_NAMED", lambda: (_with_paper(), replace(destroy(), covers=())), {"now": LATER}),
    Faulty("shelf", "REQUIRED", with_entry(archived, lambda s: replace(shelve(scanned(s)), shelf=""))),
    Faulty("reason", "REQUIRED", with_entry(archived, lambda s: replace(shelve(scanned(s)), reason=""))),
    Faulty("title", "REQUIRED", _draw_up(""), _AMONG_LISTED),
    Faulty("title", "TOO_LONG", _draw_up(LONG), _AMONG_LISTED),
    Faulty("record_ids", "REPEATED", _draw_up("List", RECORD, RECORD), _AMONG_LISTED),
    Faulty(*TIME, lambda: (_list(approved=False), ApproveDisposalList(LIST)), {"actor": APPROVER, **AHEAD}),
    Faulty("approver", "NOT_APPLICABLE", lambda: (_list(approved=False), ApproveDisposalList(LIST, HEAD_OF_HOSPITAL)), {"actor": APPROVER, "now": LATER}),
    Faulty("outcomes[0].rules", "TOO_MANY", _report(*["HELD"] * 51), _AMONG_LISTED),
    Faulty("outcomes[0].rules[0]", "TOO_LONG", _report(LONG), _AMONG_LISTED),
    Faulty("context.source.system", "REQUIRED", lambda: (active(), RecordEntry(RECORD, note(), signed())), {"source": _NAMELESS_SOURCE}),
    Faulty("context.fact_sha256", "MALFORMED_DIGEST", lambda: (active(), RecordEntry(RECORD, note(), signed())), {"fact_sha256": b"1"}),
    Faulty("party_name", "TOO_LONG", lambda: (closed(), _sealing(LONG)), {"leaves": (DIGEST,) * 20}),
    Faulty("party_name", "TOO_LONG", with_entry(closed, lambda s: keeping.UnsealRecord(RECORD, seal(s), UnsealGround.BOTH_PRESENT, LONG, NOTARY))),
    Faulty(*TIME, lambda: (_known(), LinkPatients(PATIENT, OTHER, "same name")), {**AHEAD, "other_patient": patient()}),
    Faulty(*TIME, lambda: (Stream(), FIRST), {**KNOWN, **AHEAD}),
    Faulty(*TIME, lambda: (Stream(), RECEIVE), AHEAD),
    Faulty(*TIME, lambda: (received(), ACCEPT), AHEAD),
    Faulty(*TIME, lambda: (received(), MarkPackageOutdated(PACKAGE_ID)), AHEAD),
    Faulty(*TIME, lambda: (received(), MarkPackageSinceFork(PACKAGE_ID, "north/1", 7)), AHEAD),
    Faulty("log", "REQUIRED", lambda: (received(), MarkPackageSinceFork(PACKAGE_ID, "", 7))),
    Faulty("log", "TOO_LONG", lambda: (received(), MarkPackageSinceFork(PACKAGE_ID, LONG, 7))),
    Faulty(*TIME, lambda: (since_fork(), ClearPackageFork(PACKAGE_ID, "compared")), AHEAD),
    Faulty("context.actor", "PERSON_REQUIRED", lambda: (since_fork(), ClearPackageFork(PACKAGE_ID, "compared")), {"actor": CLOCK}),
    Faulty("reason", "REQUIRED", lambda: (since_fork(), ClearPackageFork(PACKAGE_ID, " "))),
    Faulty("reason", "TOO_LONG", lambda: (since_fork(), ClearPackageFork(PACKAGE_ID, LONG))),
    Faulty("fault.code", "REQUIRED", lambda: (Stream(), replace(RECEIVE, verified=None, fault=PackageFault("")))),
    Faulty("fault.code", "TOO_LONG", lambda: (Stream(), replace(RECEIVE, verified=None, fault=PackageFault(LONG)))),
    Faulty("text", "TOO_LONG", lambda: (received(), AnswerPackage(PACKAGE_ID, accept=False, code="NO", text=LONG))),
    Faulty("case_number", "TOO_LONG", _new_patient(case_number=LONG)),
    Faulty("details.name", "TOO_LONG", _new_patient(details=PatientDetails(name=LONG))),
    Faulty(*TIME, _new_patient(), AHEAD),
    Faulty("reason", "TOO_LONG", lambda: (_known(), AmendPatient(PATIENT, PatientDetails(name="M."), LONG))),
    Faulty(*TIME, lambda: (_known(), AmendPatient(PATIENT, PatientDetails(name="M."), "misheard")), AHEAD),
    Faulty("borrower", "REQUIRED", lambda: (archived(), keeping.LendRecord(RECORD, None, "", out_of_house=False))),
    Faulty("borrower.name", "REQUIRED", lambda: (archived(), keeping.LendRecord(RECORD, NAMELESS, "", out_of_house=False))),
    Faulty("due_on", "MALFORMED_DATE", lambda: (archived(), keeping.LendRecord(RECORD, SUPERIOR, "soon", out_of_house=False))),
    Faulty("sha256", "MALFORMED_DIGEST", _scan(sha256=b"1")),
    Faulty("operator", "REQUIRED", _scan(operator=None)),
    Faulty("checker", "REQUIRED", _scan(checker=None)),
    Faulty("checker", "SAME_PERSON", _scan(checker=ARCHIVIST)),
    Faulty("pages", "OUT_OF_RANGE", _scan(pages=0)),
    Faulty("applicant", "REQUIRED", lambda: (active(), keeping.RecordPatientRequest(RECORD, RequestKind.ACCESS, "", "self", "please"))),
    Faulty("statement", "TOO_LONG", with_entry(closed, lambda s: keeping.AnswerPatientRequest(RECORD, asked(s), granted=True, ground="law", statement=LONG, entry_id=None))),
    Faulty("request_id", "TOO_MANY", _full_of_restrictions),
    Faulty("department", "TOO_LONG", _register(department=LONG), _REGISTERING),
    Faulty(*TIME, _register(), {**_REGISTERING, **AHEAD}),
    Faulty("context.source.system", "REQUIRED", _register(), {**_REGISTERING, "source": _NAMELESS_SOURCE}),
    Faulty("context.fact_sha256", "MALFORMED_DIGEST", _register(), {**_REGISTERING, "fact_sha256": b"1"}),
    Faulty("context.source", "DUPLICATE_FACT", _register(), {**_REGISTERING, "source": source(), "fact": _STATED, "fact_sha256": DIGEST}),
    Faulty("entry_ids", "REQUIRED", lambda: (archived(), keeping.RequestReopen(RECORD, "a mistake", (), ()))),
    Faulty("entry_ids", "TOO_MANY", lambda: (archived(), keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",) * (NAMED_MAX + 1)))),
    Faulty("templates[0]", "TOO_LONG", lambda: (archived(), keeping.RequestReopen(RECORD, "a mistake", (), (LONG,)))),
    Faulty("templates[0]", "UNKNOWN_TEMPLATE", lambda: (archived(), keeping.RequestReopen(RECORD, "a mistake", (), ("tea",)))),
    Faulty("reason", "TOO_LONG", _offered(lambda sent: WithdrawTransfer(RECORD, sent, LONG))),
    Faulty(*TIME, _expired, {"now": NOW + timedelta(days=8), "occurred_at": NOW + timedelta(days=9)}),
    Faulty("code", "TOO_LONG", _offered(lambda sent: RecordTransferAnswer(RECORD, sent, "south", TransferAnswer.REJECTED, LONG, ""))),
    Faulty("text", "TOO_LONG", _offered(lambda sent: RecordTransferAnswer(RECORD, sent, "south", TransferAnswer.REJECTED, "NO", LONG))),
    Faulty("content.sections[0].fields[0].code", "REQUIRED", lambda: (active(), _draft(Section("note", fields=(Field("", text="a"),))))),
    Faulty("content.template", "UNKNOWN_TEMPLATE", lambda: (active(), course.DraftEntry(RECORD, None, note(template="tea")))),
    Faulty("content.sections", "TOO_MANY", lambda: (active(), _draft(Section("note", fields=(Field("a", text="a"),) * 2001)))),
    Faulty("content.attachments", "TOO_MANY", lambda: (active(), course.DraftEntry(RECORD, None, replace(note(), attachments=(_ATTACHED,) * 101)))),
]  # fmt: skip

BOOK_FAULTS: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("pack_id", "TOO_LONG", ChooseRulePack(LONG, 1, "in force"), {}),
    (*TIME, ChooseRulePack("cn-2010", 1, "in force"), AHEAD),
    ("text", "BAD_TEMPLATES", AddTemplates("[[template]]\nid = 3\n"), {}),
]
