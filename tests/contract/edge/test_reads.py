"""Reads from the write side, over both protocols."""

from hashlib import sha256
from typing import Any

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.transfers_pb2 import FetchPackageRequest, OfferTransferRequest, TransferPackage
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import context, open_record, record_entry, register_patient, register_record

_CHUNK_BYTES_MAX = 256 * 1024


async def _record(client: EdgeClient, record_id: str, **as_of: Any) -> records.Record:
    request = records.GetRecordRequest(hospital="north", record_id=record_id, **as_of)
    answer: records.GetRecordResponse = await client.call("RecordService/GetRecord", request)
    return answer.record


async def test_a_record_comes_back_as_it_was_written(client: EdgeClient) -> None:
    """Up to date with the last answer, every part of it."""
    ward = await open_record(client)
    entry = await ward.enter("Feels better.")
    request = records.RequestConsultationRequest(
        context=context(),
        record_id=ward.record_id,
        to_department="CARD",
        urgency=common.URGENCY_ROUTINE,
        question="Rhythm?",
    )
    consultation = await client.call("RecordService/RequestConsultation", request)
    record = await _record(client, ward.record_id)
    assert (record.version, record.phase, record.department, record.bed) == (4, common.PHASE_ACTIVE, "MED", "12")
    assert (record.patient_id, record.visit_type) == (ward.patient_id, common.VISIT_TYPE_INPATIENT)
    assert record.identity == common.IDENTITY_STATUS_MATCHED
    assert record.responsible.name == "Dr Hale"
    assert len(record.head_leaf) == 32
    assert record.updated_at.seconds > 0
    assert record.entries[0].entry_id == entry.entry_id
    assert record.entries[0].state == common.ENTRY_STATE_SIGNED
    assert record.entries[0].versions[0].content.sections[0].text == "Feels better."
    (waiting,) = record.consultations
    assert (waiting.consultation_id, waiting.answered) == (consultation.consultation_id, False)
    assert waiting.urgency == common.URGENCY_ROUTINE


async def test_a_record_as_of_a_version_and_a_time(client: EdgeClient) -> None:
    """The past stays readable; a version that is not there yet is out of range, before the first there was nothing."""
    ward = await open_record(client)
    registered = await _record(client, ward.record_id, version=1)
    assert (registered.version, registered.phase, len(registered.entries)) == (1, common.PHASE_REGISTERED, 0)
    await ward.enter()
    then = await _record(client, ward.record_id, time=registered.updated_at)
    assert then.version == 1
    with pytest.raises(RpcFailed) as failure:
        await _record(client, ward.record_id, version=9)
    assert (failure.value.code, failure.value.reason) == ("OUT_OF_RANGE", "VERSION_OUT_OF_RANGE")
    registered.updated_at.seconds -= 3600
    with pytest.raises(RpcFailed) as failure:
        await _record(client, ward.record_id, time=registered.updated_at)
    assert (failure.value.code, failure.value.reason) == ("NOT_FOUND", "UNKNOWN_RECORD")


async def test_an_entry_comes_with_every_version(client: EdgeClient) -> None:
    """An amendment hides nothing: the old version, the reason and the kind stay."""
    ward = await open_record(client)
    entry = await ward.enter("Left knee.")
    changed = record_entry(ward.record_id, "Right knee.")
    amend = records.AmendEntryRequest(
        context=context(),
        record_id=ward.record_id,
        entry_id=entry.entry_id,
        kind=common.AMENDMENT_KIND_CORRECTION,
        reason="wrong side",
        content=changed.content,
        attestation=changed.attestation,
    )
    await client.call("RecordService/AmendEntry", amend)
    ask = records.GetEntryRequest(hospital="north", record_id=ward.record_id, entry_id=entry.entry_id)
    found = (await client.call("RecordService/GetEntry", ask)).entry
    assert [each.version for each in found.versions] == [1, 2]
    assert [each.content.sections[0].text for each in found.versions] == ["Left knee.", "Right knee."]
    assert (found.versions[1].kind, found.versions[1].reason) == (common.AMENDMENT_KIND_CORRECTION, "wrong side")
    assert found.versions[1].record_version == 4


async def test_records_are_found_by_case_number_and_by_source(client: EdgeClient) -> None:
    """By what a person knows, and by what another system knows."""
    patient = await client.call("PatientService/RegisterPatient", register_patient(case_number="C1"))
    first = register_record(patient.receipt.record_id, sequence=1)
    source = common.SourceItem(system="his", type="Encounter", id="e1", content_sha256=sha256(b"e1").digest())
    first.context.source.CopyFrom(source)
    second = register_record(patient.receipt.record_id, sequence=2)
    ids = [(await client.call("RecordService/RegisterRecord", each)).receipt.record_id for each in (first, second)]
    by_case = records.FindRecordsRequest(hospital="north", case_number="C1")
    found = await client.call("RecordService/FindRecords", by_case)
    assert [each.record_id for each in found.records] == sorted(ids)
    by_source = records.FindRecordsRequest(hospital="north", source=source)
    (reference,) = (await client.call("RecordService/FindRecords", by_source)).records
    assert (reference.record_id, reference.kind, reference.entry_id) == (ids[0], "record", "")
    nobody = records.FindRecordsRequest(hospital="south", case_number="C1")
    assert not (await client.call("RecordService/FindRecords", nobody)).records


async def test_the_records_of_a_case_number_come_in_pages(client: EdgeClient) -> None:
    """Each once though one is registered meanwhile; a token is of one case number."""
    patient = await client.call("PatientService/RegisterPatient", register_patient(case_number="C1"))

    async def registered(sequence: int) -> str:
        asked = register_record(patient.receipt.record_id, sequence=sequence)
        return (await client.call("RecordService/RegisterRecord", asked)).receipt.record_id

    ids = [await registered(sequence) for sequence in (1, 2, 3)]
    asked = records.FindRecordsRequest(hospital="north", case_number="C1", page_size=2)
    first = await client.call("RecordService/FindRecords", asked)
    await registered(4)
    asked.page_token, asked.page_size = first.next_page_token, 100
    rest = await client.call("RecordService/FindRecords", asked)
    shown = [each.record_id for each in (*first.records, *rest.records)]
    assert shown == sorted(shown)
    assert len(first.records) == 2
    assert set(ids) <= set(shown)
    assert len(shown) == len(set(shown))
    asked.case_number = "C2"
    with pytest.raises(RpcFailed) as failure:
        await client.call("RecordService/FindRecords", asked)
    assert failure.value.reason == "FOREIGN_PAGE_TOKEN"


async def test_a_package_is_fetched_byte_for_byte_by_its_recipient_alone(client: EdgeClient, edge: RunningEdge) -> None:
    """In chunks of at most 256 KiB, whose digest is the offer's; nobody else gets it."""
    ward = await open_record(client)
    await ward.enter("x" * (300 * 1024))
    offer = OfferTransferRequest(
        context=context(), record_id=ward.record_id, recipient="south", kind=common.TRANSFER_KIND_REFERRAL
    )
    offered = await client.call("TransferService/OfferTransfer", offer)
    fetch = FetchPackageRequest(
        hospital="north", record_id=ward.record_id, transfer_id=offered.transfer_id, recipient="south"
    )
    chunks = [each.chunk async for each in client.stream("TransferService/FetchPackage", fetch)]
    assert len(chunks) > 1
    assert max(map(len, chunks)) <= _CHUNK_BYTES_MAX
    data = b"".join(chunks)
    assert sha256(data).digest() == offered.package_sha256
    stored = await edge.ledger.read_positions("north", 4, 3)
    assert [each.envelope for each in TransferPackage.FromString(data).events] == [each.envelope for each in stored]
    (transfer,) = (await _record(client, ward.record_id)).transfers
    assert (transfer.counterpart, transfer.state) == ("south", common.TRANSFER_STATE_OFFERED)
    fetch.recipient = "north"
    with pytest.raises(RpcFailed) as failure:
        await anext(client.stream("TransferService/FetchPackage", fetch))
    assert failure.value.reason == "UNKNOWN_PACKAGE"
