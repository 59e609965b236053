"""Who a patient is, over the wire and on a real store: whose word counts, and what a wrong name leaves behind."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.events_pb2 import PatientDetails, PatientIdentifier
from ledger.api.v1.transfers_pb2 import (
    TRANSFER_ANSWER_ACCEPTED,
    FetchPackageRequest,
    OfferTransferRequest,
    RecordTransferAnswerRequest,
)
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import context, register_patient, register_record, stamp
from tests.contract.edge.test_whole_life import AFFAIRS, ARCHIVIST, Life, by, short_visit

PASSPORT = PatientIdentifier(system="urn:passport", value="P-1")


async def said_by(client: EdgeClient, system: str, number: str, **details: str) -> str:
    """A system's item says this of who bears the passport; the patient's id."""
    own = PatientIdentifier(system=f"urn:{system}", value=number)
    request = register_patient(case_number=number)
    request.details.CopyFrom(PatientDetails(identifiers=[PASSPORT, own], **details))
    digest = sha256(repr((system, sorted(details.items()))).encode()).digest()
    request.context.source.CopyFrom(common.SourceItem(system=system, type="Patient", id="p-1", content_sha256=digest))
    patient_id: str = (await client.call("PatientService/RegisterPatient", request)).receipt.record_id
    return patient_id


async def shown(client: EdgeClient, patient_id: str) -> records.GetPatientResponse:
    """The patient as read."""
    asked = records.GetPatientRequest(hospital="north", patient_id=patient_id)
    answer: records.GetPatientResponse = await client.call("PatientService/GetPatient", asked)
    return answer


async def test_a_laboratory_wipes_no_patient_and_its_other_word_is_shown(client: EdgeClient) -> None:
    """What it leaves blank stays, what it says otherwise stands beside what is in force, and is gone with it."""
    full = {"name": "Li Wei", "birth_date": "1950-01-02", "gender": "male"}
    patient_id = await said_by(client, "his", "MRN-1", **full)
    assert await said_by(client, "lab", "Y-7") == patient_id
    await said_by(client, "lab", "Y-7", birth_date="1951-01-02")
    found = await shown(client, patient_id)
    assert (found.details.name, found.details.birth_date, found.details.gender) == tuple(full.values())
    (other,) = found.others_say
    assert other == records.DetailsSaid(system="lab", type="Patient", id="p-1", birth_date="1951-01-02")
    await said_by(client, "lab", "Y-7", deceased_at="2026-11-01")
    found = await shown(client, patient_id)
    assert (found.details.birth_date, found.details.deceased_at) == ("1950-01-02", "2026-11-01")
    assert not found.others_say


async def test_who_may_be_the_same_is_found_by_what_is_known_now(client: EdgeClient) -> None:
    """By the new name and not by the old one, however often it changes, at the desk and by a source."""

    async def alike(name: str) -> list[UUID]:
        request = register_patient()
        request.details.name = name
        matches: bytes = (await client.call("PatientService/RegisterPatient", request)).possible_matches
        return [UUID(bytes=matches[at : at + 16]) for at in range(0, len(matches), 16)]

    born = {"birth_date": "1950-01-31", "gender": "female"}
    patient_id = await said_by(client, "his", "MRN-1", name="Ann One", **born)
    for name in ("Ann Two", "Ann One", "Ann Two"):
        await said_by(client, "his", "MRN-1", name=name, **born)
    assert UUID(patient_id) not in await alike("Ann One")
    assert await alike("Ann Two") == [UUID(patient_id)]
    details = (await shown(client, patient_id)).details
    for name in ("Ann Three", "Ann Two", "Ann Three"):
        details.name = name
        amended = records.AmendPatientRequest(context=context(), patient_id=patient_id, details=details, reason="wed")
        await client.call("PatientService/AmendPatient", amended)
    assert await alike("Ann Three") == [UUID(patient_id)]


async def test_a_stay_that_is_identified_again_has_its_number_and_no_offer_of_before(client: EdgeClient) -> None:
    """The claim of the first time is found and used; what was offered in between is handed over to nobody."""
    known = (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id
    await client.call("RecordService/RegisterRecord", register_record(known))
    unknown = register_patient()
    unknown.identity = common.IDENTITY_STATUS_UNVERIFIED
    provisional = (await client.call("PatientService/RegisterPatient", unknown)).receipt.record_id
    stay = Life(
        client, (await client.call("RecordService/RegisterRecord", register_record(provisional))).receipt.record_id
    )
    await stay.record("StartCare", department="MED", bed="12", responsible=by().actor)
    await stay.course("IdentifyPatient", ARCHIVIST, patient_id=known, visit_sequence=2)
    offer = OfferTransferRequest(
        context=context(), record_id=stay.record_id, recipient="south", kind=common.TRANSFER_KIND_REFERRAL
    )
    offered = await client.call("TransferService/OfferTransfer", offer)
    back = identity.WithdrawIdentificationRequest(
        context=by(ARCHIVIST), record_id=stay.record_id, reason="his brother's papers", confirmed_by=AFFAIRS
    )
    await stay.endorse(AFFAIRS, values.ENDORSED_ACT_IDENTIFICATION_WITHDRAWN)
    await client.call("IdentityService/WithdrawIdentification", back)
    fetch = FetchPackageRequest(
        hospital="north", record_id=stay.record_id, transfer_id=offered.transfer_id, recipient="south"
    )
    with pytest.raises(RpcFailed):
        await anext(client.stream("TransferService/FetchPackage", fetch))
    (transfer,) = (await stay.read()).transfers
    assert transfer.state == common.TRANSFER_STATE_WITHDRAWN
    await stay.course("IdentifyPatient", ARCHIVIST, patient_id=known)
    found = await stay.read()
    assert (found.patient_id, found.visit_sequence) == (known, 2)
    other = (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id
    for patient_id in (other, known):
        corrected = course.IdentifyPatientRequest(
            context=by(ARCHIVIST), record_id=stay.record_id, patient_id=patient_id, reason="x", confirmed_by=AFFAIRS
        )
        await stay.endorse(AFFAIRS, values.ENDORSED_ACT_IDENTIFICATION_CORRECTED, subject_id=patient_id)
        await client.call("CourseService/IdentifyPatient", corrected)
    found = await stay.read()
    assert (found.patient_id, found.visit_sequence) == (known, 2)


async def test_what_was_received_under_a_wrong_name_is_not_handed_over_again(client: EdgeClient) -> None:
    """Who took it up may fetch it once more, until the record is somebody else's."""
    unknown = register_patient()
    unknown.identity = common.IDENTITY_STATUS_UNVERIFIED
    provisional = (await client.call("PatientService/RegisterPatient", unknown)).receipt.record_id
    wrong, right = [
        (await client.call("PatientService/RegisterPatient", register_patient())).receipt.record_id for _ in range(2)
    ]
    stay = Life(
        client, (await client.call("RecordService/RegisterRecord", register_record(provisional))).receipt.record_id
    )
    await stay.record("StartCare", department="MED", bed="12", responsible=by().actor)
    await stay.course("IdentifyPatient", ARCHIVIST, patient_id=wrong, visit_sequence=7)
    offer = OfferTransferRequest(
        context=context(), record_id=stay.record_id, recipient="south", kind=common.TRANSFER_KIND_REFERRAL
    )
    offered = await client.call("TransferService/OfferTransfer", offer)
    place = {"record_id": stay.record_id, "transfer_id": offered.transfer_id, "recipient": "south"}
    accepted = RecordTransferAnswerRequest(context=context(), answer=TRANSFER_ANSWER_ACCEPTED, **place)
    await client.call("TransferService/RecordTransferAnswer", accepted)
    fetch = FetchPackageRequest(hospital="north", **place)
    assert await anext(client.stream("TransferService/FetchPackage", fetch))
    corrected = course.IdentifyPatientRequest(
        context=by(ARCHIVIST), record_id=stay.record_id, patient_id=right, reason="namesake", confirmed_by=AFFAIRS
    )
    await stay.endorse(AFFAIRS, values.ENDORSED_ACT_IDENTIFICATION_CORRECTED, subject_id=right)
    await client.call("CourseService/IdentifyPatient", corrected)
    with pytest.raises(RpcFailed) as failure:
        await anext(client.stream("TransferService/FetchPackage", fetch))
    assert failure.value.reason == "UNKNOWN_PACKAGE"
    found = await stay.read()
    assert (found.patient_id, found.visit_sequence) == (right, 1)
    assert [each.state for each in found.transfers] == [common.TRANSFER_STATE_COMPLETED]


async def test_no_visit_that_began_here_ends_before_it(client: EdgeClient) -> None:
    """A second visit that is typed as one of long ago keeps the first for the whole term from today."""
    patient_id, old = await short_visit(client)

    async def term() -> Any:
        return await client.call(
            "KeepingService/GetRetention", keeping.GetRetentionRequest(hospital="north", record_id=old.record_id)
        )

    assert (await term()).term_over
    visit = register_record(patient_id, 2)
    visit.visit_type = common.VISIT_TYPE_OUTPATIENT
    again = Life(client, (await client.call("RecordService/RegisterRecord", visit)).receipt.record_id)
    long_ago = stamp(datetime(1985, 4, 1, 8, tzinfo=UTC))
    begun = records.StartCareRequest(
        context=by(occurred_at=long_ago), record_id=again.record_id, department="MED", responsible=by().actor
    )
    await client.call("RecordService/StartCare", begun)
    await again.record("EndCare", disposition=common.DISPOSITION_HOME, ended_at=long_ago)
    answer = await term()
    assert not answer.term_over
    assert answer.computed_until > "2040"
