"""A laboratory's item with a mistyped passport, over the wire and on a real store, until it is where it belongs."""

from hashlib import sha256
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.events_pb2 import PatientDetails, PatientIdentifier
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import register_patient
from tests.contract.edge.test_whole_life import ARCHIVIST, by

NUMBER = PatientIdentifier(system="urn:lab", value="Y-7")


def _passport(value: str) -> PatientIdentifier:
    return PatientIdentifier(system="urn:passport", value=value)


async def _known(client: EdgeClient, passport: str) -> str:
    """A patient whom a registrar registered with this passport."""
    request = register_patient()
    request.details.CopyFrom(PatientDetails(identifiers=[_passport(passport)], name=f"Who bears {passport}"))
    patient_id: str = (await client.call("PatientService/RegisterPatient", request)).receipt.record_id
    return patient_id


async def _said(
    client: EdgeClient, passport: str, case_number: str = "Y-7", **details: str
) -> records.RegisterPatientResponse:
    """The laboratory's item says this."""
    request = register_patient(case_number=case_number)
    request.details.CopyFrom(PatientDetails(identifiers=[_passport(passport), NUMBER], **details))
    digest = sha256(repr((passport, sorted(details.items()))).encode()).digest()
    request.context.source.CopyFrom(common.SourceItem(system="lab", type="Patient", id="p-1", content_sha256=digest))
    answer: records.RegisterPatientResponse = await client.call("PatientService/RegisterPatient", request)
    return answer


async def _withdrawn(client: EdgeClient, patient_id: str) -> None:
    request = identity.WithdrawRecognitionRequest(
        context=by(ARCHIVIST), patient_id=patient_id, system="lab", type="Patient", id="p-1", reason="a slip"
    )
    await client.call("IdentityService/WithdrawRecognition", request)


async def _details(client: EdgeClient, patient_id: str) -> PatientDetails:
    asked = records.GetPatientRequest(hospital="north", patient_id=patient_id)
    return (await client.call("PatientService/GetPatient", asked)).details


async def _holders(client: EdgeClient) -> list[str]:
    """Whose the item is."""
    item = common.SourceItem(system="lab", type="Patient", id="p-1")
    found = await client.call("RecordService/FindRecords", records.FindRecordsRequest(hospital="north", source=item))
    assert not any(each.entry_id for each in found.records)
    return [each.record_id for each in found.records]


async def test_an_item_that_was_led_to_the_wrong_patient_goes_to_the_right_one(client: EdgeClient) -> None:
    """The stranger's death goes with it, no number stays behind, and what it says later is the right one's."""
    wrong, right = await _known(client, "P-1"), await _known(client, "P-2")
    assert (await _said(client, "P-1", deceased_at="2026-11-01")).recognised_id == wrong
    assert (await _said(client, "P-2", deceased_at="2026-11-01")).possible_matches == UUID(right).bytes
    assert _passport("P-2") not in (await _details(client, wrong)).identifiers
    await _withdrawn(client, wrong)
    after = await _details(client, wrong)
    assert (after.deceased_at, list(after.identifiers)) == ("", [_passport("P-1")])
    assert await _holders(client) == []
    for death in ("2026-11-01", "2026-11-02"):
        await _said(client, "P-2", deceased_at=death)
        assert ((await _details(client, right)).deceased_at, await _holders(client)) == (death, [right])
    assert NUMBER in (await _details(client, right)).identifiers


async def test_a_source_that_nobody_corrected_is_led_to_neither_of_two_again(client: EdgeClient) -> None:
    """The same content too is a patient's of its own, who may be either; who goes on for one of them is not asked."""
    wrong, second, survivor = await _known(client, "P-1"), await _known(client, "P-2"), await _known(client, "P-4")
    for passport, led in (("P-1", wrong), ("P-2", second)):
        assert (await _said(client, passport)).recognised_id == led
        await _withdrawn(client, led)
    await _merged(client, wrong, survivor)
    answer = await _said(client, "P-1")
    own = answer.receipt.record_id
    assert own not in (wrong, second, survivor)
    assert (answer.recognised_id, answer.possible_matches) == ("", UUID(survivor).bytes)
    assert (list((await _details(client, own)).identifiers), await _holders(client)) == ([NUMBER], [own])
    again = await _said(client, "P-2", name="Wu Mei")
    assert (again.receipt.record_id, again.possible_matches) == (own, UUID(second).bytes)
    assert (await _details(client, own)).name == "Wu Mei"


async def test_no_case_number_is_made_up_for_who_has_another_patients(client: EdgeClient) -> None:
    """An item that was taken back and still says the wrong case number is refused by name, and filed nowhere."""
    known = await _known(client, "P-1")
    asked = records.GetPatientRequest(hospital="north", patient_id=known)
    number = (await client.call("PatientService/GetPatient", asked)).case_number
    await _said(client, "P-1", case_number=number)
    await _withdrawn(client, known)
    with pytest.raises(RpcFailed) as failed:
        await _said(client, "P-1", case_number=number)
    assert failed.value.violations == [("case_number", "ALREADY_EXISTS")]
    assert await _holders(client) == []


async def test_who_was_meant_after_all_goes_on_once_a_person_says_so(client: EdgeClient) -> None:
    """A merge leads the source's next word to the one from whom its item was taken back; nothing else does."""
    known = await _known(client, "P-1")
    await _said(client, "P-1")
    await _withdrawn(client, known)
    own = (await _said(client, "P-1")).receipt.record_id
    await _merged(client, own, known)
    assert (await _said(client, "P-1", name="Wu Mei")).recognised_id == known


async def _merged(client: EdgeClient, patient_id: str, survivor_id: str) -> None:
    request = identity.MergePatientsRequest(
        context=by(ARCHIVIST), patient_id=patient_id, survivor_id=survivor_id, reason="one person"
    )
    await client.call("IdentityService/MergePatients", request)
