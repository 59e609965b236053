"""What a patient says beside an entry goes to another hospital with the record."""

from __future__ import annotations

from uuid import uuid4

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.keeping_events_pb2 import PatientRequestAnswered
from ledger.api.v1.keeping_pb2 import AnswerPatientRequestRequest, RecordPatientRequestRequest
from ledger.api.v1.keeping_pb2_grpc import KeepingServiceStub
from ledger.api.v1.keeping_values_pb2 import REQUEST_KIND_CORRECTION
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from ledger.api.v1.transfers_pb2 import TransferPackage
from ledger.trust.envelope import decode
from tests.integration.consumers.hospitals import Hospitals, context
from tests.services.sealed import plaintext_of

OFFICE = common.Actor(id=str(uuid4()), name="Ms Hu", role="records_office")
SAID = "I never smoked."


async def disagreed(hospitals: Hospitals, record_id: str) -> str:
    """The correction of the first entry is refused, and the patient's words stand beside it; the entry's id."""
    shown = await RecordServiceStub(hospitals.channel).GetRecord(
        records.GetRecordRequest(hospital="north", record_id=record_id)
    )
    entry_id: str = shown.record.entries[0].entry_id
    keeping = KeepingServiceStub(hospitals.channel)
    ask = RecordPatientRequestRequest(
        context=context("north"), record_id=record_id, applicant="N. N.", relation="self", text="Wrong."
    )
    ask.kind = REQUEST_KIND_CORRECTION
    request_id = (await keeping.RecordPatientRequest(ask)).request_id
    answer = AnswerPatientRequestRequest(context=context("north"), record_id=record_id, request_id=request_id)
    answer.ground, answer.statement, answer.entry_id = "the entry is right", SAID, entry_id
    answer.context.actor.CopyFrom(OFFICE)
    await keeping.AnswerPatientRequest(answer)
    return entry_id


def statements_in(package: TransferPackage) -> list[tuple[str, str]]:
    """Entry and words of each answer that a package holds."""
    name = "ledger.v1.PatientRequestAnswered"
    sealed = [(each.envelope, each.body) for each in package.events if decode(each.envelope).type == name]
    answers = [PatientRequestAnswered.FromString(plaintext_of(*each)) for each in sealed]
    return [(each.entry_id, each.statement) for each in answers]


async def test_a_package_holds_the_patients_statement(hospitals: Hospitals) -> None:
    """What south keeps names the entry and has the words; a package of before has them not, and is outdated by them."""
    record_id = await hospitals.record(1)
    before = await hospitals.offer(record_id)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(record_id, before, common.TRANSFER_STATE_COMPLETED)
        entry_id = await disagreed(hospitals, record_id)
        await hospitals.outdated(before)
        after = await hospitals.offer(record_id)
        await hospitals.sent_state(record_id, after, common.TRANSFER_STATE_COMPLETED)
    kept = [TransferPackage.FromString(hospitals.kept(each).read_bytes()) for each in (before, after)]
    assert [statements_in(each) for each in kept] == [[], [(entry_id, SAID)]]
