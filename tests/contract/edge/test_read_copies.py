"""What a read tells of signatures and of copies that were handed out, over both protocols."""

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2, keeping_pb2
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.keeping_values_pb2 import REQUEST_KIND_CORRECTION
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import PHYSICIAN, Ward, context, open_record, record_entry
from tests.contract.edge.test_whole_life import ARCHIVIST, by

TRAINEE = common.Actor(id="5f0c1d2e-7a51-4c3e-8d0b-0a5f6c7d8e9f", name="Dr Young", role="trainee", department="MED")
MARK = "Certified copy, records office"


async def _record(client: EdgeClient, ward: Ward) -> records.Record:
    request = records.GetRecordRequest(hospital="north", record_id=ward.record_id)
    return (await client.call("RecordService/GetRecord", request)).record


async def test_both_names_of_a_countersigned_entry_can_be_read(client: EdgeClient) -> None:
    """Author and superior stand beside each other; a version that nobody countersigned names no superior."""
    ward = await open_record(client)
    await ward.enter()
    request = record_entry(ward.record_id, "Written by the trainee.")
    request.context.actor.CopyFrom(TRAINEE)
    request.attestation.signer.CopyFrom(TRAINEE)
    written = await client.call("RecordService/RecordEntry", request)
    countersign = course_pb2.CountersignEntryRequest(
        context=context(),
        record_id=ward.record_id,
        entry_id=written.entry_id,
        entry_version=1,
        attestation=common.Attestation(method="session", signer=PHYSICIAN),
    )
    await client.call("CourseService/CountersignEntry", countersign)
    own, both = [each.versions[-1] for each in (await _record(client, ward)).entries]
    assert not own.HasField("countersignature")
    assert both.state == common.ENTRY_STATE_COUNTERSIGNED
    assert (both.attestation.signer.name, both.countersignature.signer.name) == ("Dr Young", "Dr Hale")


async def test_a_copy_that_was_handed_out_can_be_read(client: EdgeClient) -> None:
    """Who has it, what it shows by entry and version, its mark, and the version and head of the record it shows."""
    ward = await open_record(client)
    entry = await ward.enter()
    before = await _record(client, ward)
    assert not before.copies
    request = keeping_pb2.IssueCopyRequest(
        context=by(ARCHIVIST), record_id=ward.record_id, applicant="N. N.", relation="the patient", mark=MARK
    )
    issued = await client.call("KeepingService/IssueCopy", request)
    (copy,) = (await _record(client, ward)).copies
    assert (copy.copy_id, copy.applicant, copy.relation, copy.mark) == (issued.copy_id, "N. N.", "the patient", MARK)
    assert [(each.entry_id, each.version) for each in copy.versions] == [(entry.entry_id, 1)]
    assert (copy.record_version, copy.head_leaf) == (before.version, before.head_leaf)
    assert copy.issuer == ARCHIVIST
    assert copy.issued_at.seconds > 0
    assert copy.recorded_at.seconds > 0


async def test_a_patient_s_statement_can_be_read(client: EdgeClient) -> None:
    """Beside the entry whose correction was refused."""
    ward = await open_record(client)
    entry = await ward.enter()
    ask = keeping_pb2.RecordPatientRequestRequest(
        context=context(),
        record_id=ward.record_id,
        kind=REQUEST_KIND_CORRECTION,
        applicant="N. N.",
        relation="self",
        text="Wrong.",
    )
    asked = await client.call("KeepingService/RecordPatientRequest", ask)
    answer = keeping_pb2.AnswerPatientRequestRequest(
        context=context(),
        record_id=ward.record_id,
        request_id=asked.request_id,
        ground="the entry is right",
        statement="I never smoked.",
        entry_id=entry.entry_id,
    )
    answer.context.actor.CopyFrom(ARCHIVIST)
    await client.call("KeepingService/AnswerPatientRequest", answer)
    (said,) = (await _record(client, ward)).statements
    assert (said.entry_id, said.text) == (entry.entry_id, "I never smoked.")


async def test_a_patient_can_be_read_as_known_then_and_now(client: EdgeClient) -> None:
    """Before an amendment by its server time, and after it; who is not there, or is no patient, is said by name."""
    ward = await open_record(client)
    told = (await _record(client, ward)).updated_at
    details = PatientDetails(name="Jane Married", birth_date="1950-01-31", gender="female")
    amend = records.AmendPatientRequest(
        context=context(), patient_id=ward.patient_id, details=details, reason="married"
    )
    await client.call("PatientService/AmendPatient", amend)
    ask = records.GetPatientRequest(hospital="north", patient_id=ward.patient_id)
    now: records.GetPatientResponse = await client.call("PatientService/GetPatient", ask)
    ask.time.CopyFrom(told)
    then: records.GetPatientResponse = await client.call("PatientService/GetPatient", ask)
    assert (then.version, then.details.name) == (1, "Jane Example")
    assert (now.version, now.details, now.identity) == (2, details, common.IDENTITY_STATUS_MATCHED)
    assert now.case_number == (await _record(client, ward)).case_number
    for nobody, reason in ((ward.record_id, "UNKNOWN_PATIENT"), ("seven", "VALIDATION_FAILED")):
        with pytest.raises(RpcFailed) as failure:
            await client.call(
                "PatientService/GetPatient", records.GetPatientRequest(hospital="north", patient_id=nobody)
            )
        assert failure.value.reason == reason
