"""Deadlines and retention as the write side computes them, over both protocols."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.stream_pb2 import AddHospitalRequest
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import open_record, register_patient, register_record


async def test_every_deadline_comes_with_its_rule_and_source(client: EdgeClient) -> None:
    """What the record's own pack demands, counted from the start of care, open and not missed."""
    ward = await open_record(client)
    request = course.GetDeadlinesRequest(hospital="north", record_id=ward.record_id)
    answer: course.GetDeadlinesResponse = await client.call("CourseService/GetDeadlines", request)
    found = {each.rule: each for each in answer.deadlines}
    first = found["first_course_note"]
    assert first.due_at.ToDatetime() - first.since.ToDatetime() == timedelta(hours=8)
    assert first.source
    assert not first.missed
    assert not first.HasField("met_at")
    assert answer.record_version == 2
    assert not answer.reported


async def test_retention_counts_every_visit_of_the_patient(client: EdgeClient) -> None:
    """The class, the date as computed now, and the records that decide it; nothing is promised before archiving."""
    ward = await open_record(client)
    again: records.RegisterRecordResponse = await client.call(
        "RecordService/RegisterRecord", register_record(ward.patient_id, 2)
    )
    answer: keeping.GetRetentionResponse = await client.call(
        "KeepingService/GetRetention", keeping.GetRetentionRequest(hospital="north", record_id=ward.record_id)
    )
    assert (answer.phase, answer.retention_class, answer.retain_until) == (common.PHASE_ACTIVE, "inpatient", "")
    assert answer.computed_until > "2050"
    law = "regulation of medical records in medical institutions (2013)"
    assert (answer.term_years, answer.term_source, answer.term_pack) == (30, law, "cn-2010@1")
    assert not answer.term_over
    assert {each.record_id for each in answer.visits} == {ward.record_id, again.receipt.record_id}


async def test_a_minors_record_is_kept_until_the_age_of_the_pack(client: EdgeClient) -> None:
    """By the birth date that is known of the patient, to the day; no other patient's record is."""
    await client.call("HospitalService/AddHospital", AddHospitalRequest(hospital_id="west", rule_pack="us-generic"))
    found: list[tuple[str, int]] = []
    for born in ("2024-02-29", "1950-01-31"):
        person = register_patient()
        person.context.hospital, person.details.birth_date = "west", born
        patient = await client.call("PatientService/RegisterPatient", person)
        visit = register_record(patient.receipt.record_id)
        visit.context.hospital = "west"
        record = await client.call("RecordService/RegisterRecord", visit)
        request = keeping.GetRetentionRequest(hospital="west", record_id=record.receipt.record_id)
        answer: keeping.GetRetentionResponse = await client.call("KeepingService/GetRetention", request)
        found.append((answer.computed_until, answer.term_until_age))
    (child, by_age), (adult, by_years) = found
    assert (child, by_age, by_years) == ("2054-03-01", 30, 0)
    assert adult < child


@pytest.mark.parametrize(
    ("rpc", "request_type"),
    [
        ("CourseService/GetDeadlines", course.GetDeadlinesRequest),
        ("KeepingService/GetRetention", keeping.GetRetentionRequest),
    ],
)
async def test_a_record_that_is_not_there_is_named(
    client: EdgeClient, rpc: str, request_type: type[course.GetDeadlinesRequest] | type[keeping.GetRetentionRequest]
) -> None:
    """NOT_FOUND for an id that nobody has, INVALID_ARGUMENT for a text that is none."""
    with pytest.raises(RpcFailed) as failure:
        await client.call(rpc, request_type(hospital="north", record_id=str(uuid4())))
    assert failure.value.reason == "UNKNOWN_RECORD"
    with pytest.raises(RpcFailed) as failure:
        await client.call(rpc, request_type(hospital="north", record_id="twelve"))
    assert failure.value.reason == "VALIDATION_FAILED"


async def test_the_visits_of_a_patient_are_listed_by_the_patient(client: EdgeClient) -> None:
    """The same that decide a record's retention; a patient whom nobody has is named, a text that is no id refused."""
    ward = await open_record(client)
    request = keeping.GetPatientVisitsRequest(hospital="north", patient_id=ward.patient_id)
    answer: keeping.GetPatientVisitsResponse = await client.call("KeepingService/GetPatientVisits", request)
    assert [(each.record_id, each.phase) for each in answer.visits] == [(ward.record_id, common.PHASE_ACTIVE)]
    for asked, reason in (
        (str(uuid4()), "UNKNOWN_PATIENT"),
        (ward.record_id, "UNKNOWN_PATIENT"),
        ("x", "VALIDATION_FAILED"),
    ):
        request.patient_id = asked
        with pytest.raises(RpcFailed) as failure:
            await client.call("KeepingService/GetPatientVisits", request)
        assert failure.value.reason == reason
