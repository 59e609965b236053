"""A laboratory's item with a mistyped passport, over the wire and on a real store, until it is where it belongs."""

from hashlib import sha256
from uuid import UUID

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.events_pb2 import PatientDetails, PatientIdentifier
from tests.contract.edge.clients import EdgeClient
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


async def _said(client: EdgeClient, passport: str, **details: str) -> records.RegisterPatientResponse:
    """The laboratory's item says this."""
    request = register_patient(case_number="Y-7")
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


async def test_an_item_that_was_taken_back_twice_registers_its_own_patient(client: EdgeClient) -> None:
    """Each time the claim says whose it is; the same content is led again as new, and not answered as a repetition."""
    wrong = await _known(client, "P-1")
    for _ in range(2):
        assert (await _said(client, "P-1")).recognised_id == wrong
        await _withdrawn(client, wrong)
    own = (await _said(client, "P-3")).receipt.record_id
    assert own != wrong
    assert await _holders(client) == [own]
    again = await _said(client, "P-3", name="Wu Mei")
    assert (again.receipt.record_id, (await _details(client, own)).name) == (own, "Wu Mei")
