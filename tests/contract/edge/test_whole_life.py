"""A record's life from registration to destruction, and links between patients, over both protocols."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import disposal_pb2 as disposal
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.disposal_values_pb2 import ReportedRecord
from ledger.cli.printed_copy.copied_record import CopyFace
from ledger.cli.printed_copy.seal_list import seal_list
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import (
    PHYSICIAN,
    open_record,
    record_entry,
    register_patient,
    register_record,
    stamp,
    taken_over,
)

RESULTS = common.Section(code="results", fields=[common.Field(code="result", text="negative")])
LONG_AGO = datetime(1985, 3, 1, 8, tzinfo=UTC)


def person(name: str, role: str) -> common.Actor:
    """Somebody with an id of their own."""
    return common.Actor(id=str(uuid4()), name=name, role=role)


SUPERIOR, ARCHIVIST = person("Dr Sun", "attending"), person("Ms Hu", "records_office")
HEAD = person("Mr He", "head")
AFFAIRS, QUALITY = person("Mr Qin", "medical_affairs"), person("Ms Tang", "quality_office")
SUPERVISORS = [person("Ms Zou", "records_office"), person("Mr Kong", "security")]
APPROVER, NOTARY = person("Ms Yu", "appraisal_group"), person("Mr Zhou", "notary")


def by(actor: common.Actor = PHYSICIAN, **fields: Any) -> common.CommandContext:
    """A context of this person."""
    return common.CommandContext(hospital="north", command_id=str(uuid4()), actor=actor, **fields)


class Life:
    """A record in the hand of a test: every command goes over the wire."""

    def __init__(self, client: EdgeClient, record_id: str) -> None:
        self.client = client
        self.record_id = record_id

    async def course(self, name: str, actor: common.Actor = PHYSICIAN, **fields: Any) -> Any:
        """A command of CourseService."""
        request: Message = getattr(course, f"{name}Request")(context=by(actor), record_id=self.record_id, **fields)
        return await self.client.call(f"CourseService/{name}", request)

    async def endorse(self, second: common.Actor, act: values.EndorsedAct.ValueType, **fields: Any) -> Any:
        """The word of the second person for an act, by that person's own command."""
        return await self.course("EndorseAct", second, act=act, reason="looked at it", **fields)

    async def keep(self, name: str, actor: common.Actor = ARCHIVIST, **fields: Any) -> Any:
        """A command of KeepingService."""
        request: Message = getattr(keeping, f"{name}Request")(context=by(actor), record_id=self.record_id, **fields)
        return await self.client.call(f"KeepingService/{name}", request)

    async def record(self, name: str, actor: common.Actor = PHYSICIAN, **fields: Any) -> Any:
        """A command of RecordService."""
        request: Message = getattr(records, f"{name}Request")(context=by(actor), record_id=self.record_id, **fields)
        return await self.client.call(f"RecordService/{name}", request)

    async def read(self) -> Any:
        """The record now."""
        request = records.GetRecordRequest(hospital="north", record_id=self.record_id)
        return (await self.client.call("RecordService/GetRecord", request)).record

    async def phase(self) -> str:
        """The record's phase now."""
        return common.Phase.Name((await self.read()).phase)

    async def approved_list(self) -> str:
        """A destruction list on which the record stands, approved and signed for by both supervisors."""
        drawn = disposal.DrawUpDisposalListRequest(context=by(ARCHIVIST), title="List", record_ids=[self.record_id])
        list_id: str = (await self.client.call("DisposalService/DrawUpDisposalList", drawn)).receipt.record_id
        await self.listed("Approve", APPROVER, list_id)
        await self.listed("Authorise", HEAD, list_id)
        for each in SUPERVISORS:
            await self.listed("Supervise", each, list_id)
        return list_id

    async def listed(self, step: str, actor: common.Actor, list_id: str) -> Any:
        """What one person does with a list, by an own command."""
        request: Message = getattr(disposal, f"{step}DisposalListRequest")(context=by(actor), list_id=list_id)
        return await self.client.call(f"DisposalService/{step}DisposalList", request)

    async def refused(self, call: Any) -> list[str]:
        """The rules of a refusal."""
        with pytest.raises(RpcFailed) as failure:
            await call
        return [rule for _, rule in failure.value.violations]


async def short_visit(
    client: EdgeClient, visit: Any = common.VISIT_TYPE_OUTPATIENT, *, archive: bool = True
) -> tuple[str, Life]:
    """A visit of long ago, archived at the doctor's confirmation where it is asked for."""
    patient = await client.call("PatientService/RegisterPatient", register_patient())
    request = register_record(patient.receipt.record_id)
    request.visit_type = visit
    # What is registered here is kept for the whole term from today.
    request.context.CopyFrom(taken_over())
    record = await client.call("RecordService/RegisterRecord", request)
    life = Life(client, record.receipt.record_id)
    started = records.StartCareRequest(
        context=by(occurred_at=stamp(LONG_AGO)), record_id=life.record_id, department="MED", responsible=PHYSICIAN
    )
    await client.call("RecordService/StartCare", started)
    await client.call("RecordService/RecordEntry", record_entry(life.record_id))
    await life.record("EndCare", disposition=common.DISPOSITION_HOME, ended_at=stamp(LONG_AGO))
    if archive:
        await life.record("ArchiveRecord")
    return patient.receipt.record_id, life


async def test_from_registration_to_destruction(client: EdgeClient) -> None:
    """Every step is a command over the wire; what may not be done is refused by its rule."""
    patient_id, life = await short_visit(client)
    assert await life.phase() == "PHASE_ARCHIVED"
    sealing: dict[str, Any] = {"mode": values.SEAL_MODE_COPY, "party": values.SEAL_PARTY_NOTARY}
    assert await life.refused(life.keep("SealRecord", **sealing)) == ["REQUIRED"]
    assert await life.refused(life.keep("SealRecord", **sealing, second_person=SUPERIOR)) == ["WRONG_SIDE"]
    await life.keep("SealRecord", **sealing, second_person=NOTARY)
    (seal,) = (await life.read()).keeping.seals
    assert list(seal.second_persons) == [NOTARY]
    sealed_at = records.GetRecordRequest(hospital="north", record_id=life.record_id, version=seal.reaches)
    then = (await client.call("RecordService/GetRecord", sealed_at)).record
    printed = seal_list(seal, then, CopyFace("North", "N. N.", ZoneInfo("UTC")))
    assert len(printed.entries) == len(seal.versions) == 1
    await life.keep("EndRetention")
    assert await life.phase() == "PHASE_DUE"
    await life.keep("AppraiseDisposal", opinion=values.DISPOSAL_OPINION_DESTROY, reason="term over")
    unknown = life.keep("ApproveDisposal", APPROVER, list_id=str(uuid4()))
    assert await life.refused(unknown) == ["LIST_NOT_OPEN"]
    list_id = await life.approved_list()
    same = life.keep("ApproveDisposal", list_id=list_id)
    assert await life.refused(same) == ["SAME_PERSON"]
    await life.keep("ApproveDisposal", APPROVER, list_id=list_id)
    execution: dict[str, Any] = {"list_id": list_id}
    assert await life.refused(life.keep("DestroyRecord", **execution)) == ["SEALED"]
    later = register_record(patient_id, 2)
    await client.call("RecordService/RegisterRecord", later)
    assert "OPEN_STAY" in await life.refused(life.keep("DestroyRecord", **execution))
    await life.keep("RejectAppraisal", APPROVER, reason="of interest after all")
    assert await life.refused(life.keep("RejectAppraisal", APPROVER, reason="again")) == ["NOT_APPRAISED"]


async def test_a_late_result_lies_beside_a_seal_and_corrects_no_note(client: EdgeClient) -> None:
    """It is taken and shown as come since; with the id of a note it is refused, and a new note takes two persons."""
    _, life = await short_visit(client)
    sealing: dict[str, Any] = {"mode": values.SEAL_MODE_ORIGINAL, "party": values.SEAL_PARTY_NOTARY}
    await life.keep("SealRecord", **sealing, second_person=NOTARY)
    (note,) = (await life.read()).entries
    late = course.FileLateItemRequest(
        context=by(),
        record_id=life.record_id,
        content=common.EntryContent(template="result", template_version=1, sections=[RESULTS]),
        attestation=common.Attestation(method="session", signer=PHYSICIAN),
        reason="late culture",
    )
    late.corrects_entry_id = note.entry_id
    refused = await life.refused(client.call("CourseService/FileLateItem", late))
    assert refused == ["NOT_ITS_REPORT", "ENTRY_SEALED"]
    late.corrects_entry_id = ""
    filed = await client.call("CourseService/FileLateItem", late)
    (seal,) = (await life.read()).keeping.seals
    assert [(each.entry_id, each.version) for each in seal.came_since] == [(filed.entry_id, 1)]
    late.content.CopyFrom(record_entry(life.record_id).content)
    late.context.command_id = str(uuid4())
    late.corrects_entry_id = note.entry_id
    refused = await life.refused(client.call("CourseService/FileLateItem", late))
    assert refused == ["NOT_A_LATE_ITEM", "ENTRY_SEALED"]
    # Nobody may reopen the case: what is new lies beside, a note too, of which two persons know.
    late.corrects_entry_id = ""
    assert await life.refused(client.call("CourseService/FileLateItem", late)) == ["SAME_PERSON"]
    late.confirmed_by.CopyFrom(AFFAIRS)
    assert await life.refused(client.call("CourseService/FileLateItem", late)) == ["NOT_ENDORSED"]
    await life.endorse(AFFAIRS, values.ENDORSED_ACT_LATE_ITEM, content=late.content)
    beside = await client.call("CourseService/FileLateItem", late)
    shown = {each.entry_id: each.confirmed_by for each in (await life.read()).entries}
    assert (shown[beside.entry_id], shown[filed.entry_id]) == (AFFAIRS, common.Actor())


async def test_a_stay_whose_number_is_taken_is_identified_under_another(client: EdgeClient) -> None:
    """The number in use is refused by name and nothing is written; with a free one the stay is the known patient's."""
    known = (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id
    await client.call("RecordService/RegisterRecord", register_record(known))
    unknown = register_patient()
    unknown.identity = common.IDENTITY_STATUS_UNVERIFIED
    provisional = (await client.call("PatientService/RegisterPatient", unknown)).receipt.record_id
    stay = (await client.call("RecordService/RegisterRecord", register_record(provisional))).receipt.record_id

    def identify(number: int) -> course.IdentifyPatientRequest:
        return course.IdentifyPatientRequest(
            context=by(ARCHIVIST), record_id=stay, patient_id=known, visit_sequence=number
        )

    with pytest.raises(RpcFailed) as taken:
        await client.call("CourseService/IdentifyPatient", identify(0))
    assert taken.value.violations == [("visit_sequence", "ALREADY_EXISTS")]
    await client.call("CourseService/IdentifyPatient", identify(2))
    found = (
        await client.call("RecordService/GetRecord", records.GetRecordRequest(hospital="north", record_id=stay))
    ).record
    assert (found.patient_id, found.visit_sequence) == (known, 2)
    with pytest.raises(RpcFailed) as taken:
        await client.call("RecordService/RegisterRecord", register_record(known, 2))
    assert taken.value.violations == [("visit_sequence", "ALREADY_EXISTS")]


async def test_who_turns_out_to_be_nobody_known_is_provisional_again(client: EdgeClient) -> None:
    """By two persons; the stay is the provisional person's under its old number, and is shown as nobody else's."""
    known = (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id
    unknown = register_patient()
    unknown.identity = common.IDENTITY_STATUS_UNVERIFIED
    provisional = (await client.call("PatientService/RegisterPatient", unknown)).receipt.record_id
    stay = (await client.call("RecordService/RegisterRecord", register_record(provisional))).receipt.record_id

    async def stays_of(patient_id: str) -> list[str]:
        asked = keeping.GetPatientVisitsRequest(hospital="north", patient_id=patient_id)
        answer: Any = await client.call("KeepingService/GetPatientVisits", asked)
        return [each.record_id for each in answer.visits]

    named = course.IdentifyPatientRequest(context=by(ARCHIVIST), record_id=stay, patient_id=known, visit_sequence=3)
    await client.call("CourseService/IdentifyPatient", named)
    assert (await stays_of(known), await stays_of(provisional)) == ([stay], [])
    back = identity.WithdrawIdentificationRequest(context=by(ARCHIVIST), record_id=stay, reason="his brother's papers")
    with pytest.raises(RpcFailed) as alone:
        await client.call("IdentityService/WithdrawIdentification", back)
    assert alone.value.violations == [("confirmed_by", "SAME_PERSON")]
    back = identity.WithdrawIdentificationRequest(
        context=by(ARCHIVIST), record_id=stay, reason=back.reason, confirmed_by=AFFAIRS
    )
    await Life(client, stay).endorse(AFFAIRS, values.ENDORSED_ACT_IDENTIFICATION_WITHDRAWN)
    await client.call("IdentityService/WithdrawIdentification", back)
    asked = records.GetRecordRequest(hospital="north", record_id=stay)
    found = (await client.call("RecordService/GetRecord", asked)).record
    assert (found.patient_id, found.visit_sequence, found.identity) == (provisional, 1, unknown.identity)
    assert (await stays_of(known), await stays_of(provisional)) == ([], [stay])


async def test_a_record_is_destroyed_once_nothing_stands_against_it(client: EdgeClient) -> None:
    """Afterwards nothing is accepted any more, and why is said by name."""
    _, life = await short_visit(client)
    await life.keep("EndRetention")
    await life.keep("AppraiseDisposal", opinion=values.DISPOSAL_OPINION_DESTROY, reason="term over")
    list_id = await life.approved_list()
    await life.keep("ApproveDisposal", APPROVER, list_id=list_id)
    await life.keep("DestroyRecord", list_id=list_id)
    assert await life.phase() == "PHASE_DESTROYED"
    outcome = ReportedRecord(record_id=life.record_id, destroyed=True)
    report = disposal.RecordDisposalReportRequest(context=by(ARCHIVIST), list_id=list_id, outcomes=[outcome])
    await client.call("DisposalService/RecordDisposalReport", report)
    asked = disposal.GetDisposalListRequest(hospital="north", list_id=list_id)
    listed = (await client.call("DisposalService/GetDisposalList", asked)).list
    assert [each.record_id for each in listed.records] == [life.record_id]
    assert (listed.approver, list(listed.outcomes), list(listed.supervisors)) == (HEAD, [outcome], SUPERVISORS)
    asked.list_id = life.record_id
    with pytest.raises(RpcFailed, match="NOT_FOUND"):
        await client.call("DisposalService/GetDisposalList", asked)
    request = course.GetAllowedActionsRequest(hospital="north", record_id=life.record_id)
    with pytest.raises(RpcFailed) as refused:
        await client.call("CourseService/GetAllowedActions", request)
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "RECORD_DESTROYED")


async def test_a_reopening_needs_two_persons_and_takes_what_it_names(client: EdgeClient) -> None:
    """Asked by one, approved by another; what is not named stays closed; archived again."""
    _, life = await short_visit(client)
    found = await client.call(
        "RecordService/GetRecord", records.GetRecordRequest(hospital="north", record_id=life.record_id)
    )
    (entry,) = found.record.entries
    asked = await life.keep("RequestReopen", reason="wrong side", entry_ids=[entry.entry_id])
    approval: dict[str, Any] = {"reopen_id": asked.reopen_id}
    assert await life.refused(life.keep("ApproveReopen", **approval)) == ["SAME_PERSON", "ROLE_NOT_ALLOWED"]
    await life.keep("ApproveReopen", AFFAIRS, **approval)
    with pytest.raises(RpcFailed) as failure:
        await client.call("RecordService/RecordEntry", record_entry(life.record_id))
    assert [rule for _, rule in failure.value.violations] == ["NOT_NAMED"]
    await life.keep("RearchiveRecord")
    assert await life.phase() == "PHASE_ARCHIVED"


async def test_a_draft_is_signed_and_a_trainees_note_countersigned(client: EdgeClient) -> None:
    """Ids come back in the answers; a countersignature is for the last version."""
    ward = await open_record(client)
    life = Life(client, ward.record_id)
    note = record_entry(ward.record_id)
    trainee = person("Dr Li", "trainee")
    drafted = await life.course("DraftEntry", trainee, content=note.content)
    note.draft_id = drafted.entry_id
    note.context.actor.CopyFrom(trainee)
    note.attestation.signer.CopyFrom(trainee)
    written = await client.call("RecordService/RecordEntry", note)
    assert written.entry_id == drafted.entry_id
    attestation = common.Attestation(method="session", signer=SUPERIOR)
    signature: dict[str, Any] = {"actor": SUPERIOR, "entry_id": written.entry_id, "attestation": attestation}
    assert await life.refused(life.course("CountersignEntry", entry_version=1, **signature)) == ["VERSION_CHANGED"]
    await life.course("CountersignEntry", entry_version=2, **signature)
    request = records.GetEntryRequest(hospital="north", record_id=ward.record_id, entry_id=written.entry_id)
    entry = (await client.call("RecordService/GetEntry", request)).entry
    assert entry.state == common.ENTRY_STATE_COUNTERSIGNED
    assert [each.state for each in entry.versions] == [common.ENTRY_STATE_DRAFT, common.ENTRY_STATE_COUNTERSIGNED]


async def test_an_arrival_that_is_entered_late_says_why(client: EdgeClient) -> None:
    """Without a reason it is refused; with one the record shows the time, the reason, and from when the clock ran."""
    ward = await open_record(client)
    life, long_ago = Life(client, ward.record_id), stamp(datetime.now(UTC) - timedelta(hours=2))
    ask = records.RequestConsultationRequest(
        context=by(occurred_at=long_ago),
        record_id=ward.record_id,
        to_department="NEUR",
        urgency=common.URGENCY_EMERGENCY,
        question="Why?",
    )
    asked = await client.call("RecordService/RequestConsultation", ask)
    arrive = course.ArriveAtConsultationRequest(
        context=by(SUPERIOR, occurred_at=long_ago), record_id=ward.record_id, consultation_id=asked.consultation_id
    )
    assert await life.refused(client.call("CourseService/ArriveAtConsultation", arrive)) == ["REASON_REQUIRED"]
    arrive.reason = "the ward's computer was down"
    assert (await client.call("CourseService/ArriveAtConsultation", arrive)).receipt.events == 2
    (shown,) = (await life.read()).consultations
    assert (shown.requested_at, shown.arrived_at, shown.arrival_reason) == (long_ago, long_ago, arrive.reason)
    assert not shown.HasField("answered_at")


async def test_a_call_by_telephone_and_an_answer_before_the_request_are_shown(client: EdgeClient) -> None:
    """The request names the call, from which its clock runs; who answered before it says why."""
    ward = await open_record(client)
    life, called = Life(client, ward.record_id), stamp(datetime.now(UTC) - timedelta(minutes=20))
    ask: dict[str, Any] = {"to_department": "NEUR", "urgency": common.URGENCY_EMERGENCY, "question": "Why?"}
    asked = await life.record("RequestConsultation", called_at=called, **ask)
    note = record_entry(ward.record_id)
    note.content.template = "consultation"
    note.content.sections[0].code = "opinion"
    note.attestation.signer.CopyFrom(SUPERIOR)
    answer = records.AnswerConsultationRequest(
        context=by(SUPERIOR, occurred_at=stamp(datetime.now(UTC) - timedelta(minutes=25))),
        record_id=ward.record_id,
        consultation_id=asked.consultation_id,
        opinion="So.",
        content=note.content,
        attestation=note.attestation,
    )
    assert await life.refused(client.call("RecordService/AnswerConsultation", answer)) == ["BEFORE_REQUEST"]
    answer.reason = "the consultant was in the room"
    await client.call("RecordService/AnswerConsultation", answer)
    (shown,) = (await life.read()).consultations
    assert (shown.called_at, shown.requested_at, shown.answer_reason) == (called, called, answer.reason)


async def test_a_corrected_time_and_another_physician_are_shown(client: EdgeClient) -> None:
    """The start as it counts now, beside what was said before, by whom and why; the physician in charge from now on."""
    ward = await open_record(client)
    life, right = Life(client, ward.record_id), stamp(datetime.now(UTC) - timedelta(hours=2))
    before = (await life.read()).started_at
    correct: dict[str, Any] = {"of": common.TIME_OF_CARE_START, "corrected_at": right, "reason": "wrong clock"}
    assert await life.refused(life.course("CorrectTime", **correct)) == ["ROLE_NOT_ALLOWED"]
    await life.course("CorrectTime", SUPERIOR, **correct)
    assert await life.refused(life.course("CorrectTime", SUPERIOR, **correct)) == ["SAME_TIME"]
    takes_over: dict[str, Any] = {"responsible": SUPERIOR, "reason": "on leave"}
    assert await life.refused(life.course("AssignPhysician", ARCHIVIST, **takes_over)) == ["ROLE_NOT_ALLOWED"]
    await life.course("AssignPhysician", SUPERIOR, **takes_over)
    shown = await life.read()
    assert (shown.started_at, shown.responsible) == (right, SUPERIOR)
    (made,) = shown.time_corrections
    assert (made.of, made.before, made.corrected_at) == (common.TIME_OF_CARE_START, before, right)
    assert (made.reason, made.corrected_by.id) == ("wrong clock", SUPERIOR.id)
    deadlines = course.GetDeadlinesRequest(hospital="north", record_id=ward.record_id)
    answer = await client.call("CourseService/GetDeadlines", deadlines)
    assert [each.since for each in answer.deadlines if each.rule == "admission_record"] == [right]


async def test_copied_text_names_its_source(client: EdgeClient) -> None:
    """Shown at the version that holds it; a source that is not there is refused."""
    ward = await open_record(client)
    life, note = Life(client, ward.record_id), record_entry(ward.record_id)
    first = await client.call("RecordService/RecordEntry", note)
    section = note.content.sections[0].code
    again = record_entry(ward.record_id)
    again.copied_from.add(section=section, entry_id=first.entry_id, entry_version=2)
    assert await life.refused(client.call("RecordService/RecordEntry", again)) == ["UNKNOWN_VERSION"]
    again.copied_from[0].entry_version = 1
    made = await client.call("RecordService/RecordEntry", again)
    request = records.GetEntryRequest(hospital="north", record_id=ward.record_id, entry_id=made.entry_id)
    (version,) = (await client.call("RecordService/GetEntry", request)).entry.versions
    assert list(version.copied_from) == list(again.copied_from)


async def test_links_stand_in_both_patients(client: EdgeClient) -> None:
    """One command, two streams, or nothing; it is taken back the same way, and never made of one patient alone."""
    ids = [
        (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id for _ in range(2)
    ]
    link = identity.LinkPatientsRequest(context=by(ARCHIVIST), patient_id=ids[0], other_id=ids[1], reason="same name")
    linked = await client.call("IdentityService/LinkPatients", link)
    assert (linked.receipt.record_id, linked.receipt.record_version, linked.receipt.events) == (ids[0], 2, 2)
    assert (await client.call("IdentityService/LinkPatients", link)).receipt.repeated
    back = identity.UnlinkPatientsRequest(
        context=by(ARCHIVIST), patient_id=ids[1], other_id=ids[0], reason="two persons"
    )
    assert (await client.call("IdentityService/UnlinkPatients", back)).receipt.record_version == 3
    itself = identity.MergePatientsRequest(
        context=by(ARCHIVIST), patient_id=ids[0], survivor_id=ids[0], reason="one person"
    )
    with pytest.raises(RpcFailed) as failure:
        await client.call("IdentityService/MergePatients", itself)
    assert failure.value.violations == [("survivor_id", "SAME_PATIENT")]


async def test_what_a_linked_patient_does_holds_back_the_disposal(client: EdgeClient) -> None:
    """The term and the open stays are those of everybody who may be the same person."""
    patient_id, life = await short_visit(client)
    other = (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id
    await client.call("RecordService/RegisterRecord", register_record(other))
    link = identity.LinkPatientsRequest(
        context=by(ARCHIVIST), patient_id=patient_id, other_id=other, reason="same name"
    )
    await client.call("IdentityService/LinkPatients", link)
    request = course.GetAllowedActionsRequest(hospital="north", record_id=life.record_id)
    answer = await client.call("CourseService/GetAllowedActions", request)
    (destroy,) = [each for each in answer.actions if each.action == "DestroyRecord"]
    assert "OPEN_STAY" in {each.rule for each in destroy.reasons}


async def test_a_front_end_is_told_what_the_role_of_its_user_may_do(client: EdgeClient) -> None:
    """Without a role only the state is looked at; with one the roles of the pack, too; an id alone is refused."""
    _, life = await short_visit(client)
    request = course.GetAllowedActionsRequest(hospital="north", record_id=life.record_id)

    async def against_copies() -> list[str]:
        answer = await client.call("CourseService/GetAllowedActions", request)
        (found,) = [each for each in answer.actions if each.action == "IssueCopy"]
        assert found.allowed is not bool(found.reasons)
        return [each.rule for each in found.reasons]

    assert await against_copies() == []
    request.role = "physician"
    assert await against_copies() == ["ROLE_NOT_ALLOWED"]
    request.role, request.actor_id = "records_office", ARCHIVIST.id
    assert await against_copies() == []
    request.role = ""
    assert await life.refused(client.call("CourseService/GetAllowedActions", request)) == ["REQUIRED"]


async def test_what_is_left_to_offices_is_refused_to_others_over_the_wire(client: EdgeClient) -> None:
    """A program links nobody, a physician places no hold, and nobody goes on with a trainee's draft but superiors."""
    ids = [
        (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id for _ in range(2)
    ]
    program = by(person("matcher", "system"))
    link = identity.LinkPatientsRequest(context=program, patient_id=ids[0], other_id=ids[1], reason="same name")
    with pytest.raises(RpcFailed) as failure:
        await client.call("IdentityService/LinkPatients", link)
    assert [rule for _, rule in failure.value.violations] == ["NOT_A_PERSON", "ROLE_NOT_ALLOWED"]
    life = Life(client, (await open_record(client)).record_id)
    held: dict[str, Any] = {"mandate": "case 7", "authority": "court"}
    assert await life.refused(life.keep("PlaceHold", PHYSICIAN, **held)) == ["ROLE_NOT_ALLOWED"]
    note = record_entry(life.record_id)
    trainee, other = person("Dr Li", "trainee"), person("Dr Bo", "trainee")
    draft = await life.course("DraftEntry", trainee, content=note.content)
    begun: dict[str, Any] = {"content": note.content, "entry_id": draft.entry_id}
    assert await life.refused(life.course("DraftEntry", other, **begun)) == ["NOT_AUTHOR"]
    await life.course("DraftEntry", **begun)
