"""Another hospital's results, recognised or examined again, over both protocols."""

from typing import Any
from uuid import uuid4

from ledger.api.v1 import records_pb2 as records
from tests.contract.edge.clients import EdgeClient
from tests.contract.edge.requests import PHYSICIAN, open_record, record_entry
from tests.contract.edge.test_whole_life import SUPERIOR, Life


async def test_what_became_of_another_hospitals_results_is_shown(client: EdgeClient) -> None:
    """One stands, quoted by an entry of this record; one was examined again, with who said why: as of then and now."""
    life = Life(client, (await open_record(client)).record_id)
    noted = await client.call("RecordService/RecordEntry", record_entry(life.record_id))
    ct: dict[str, Any] = {"result_id": "CT-7", "from_hospital": "south"}
    assert await life.refused(life.course("RecogniseResult", **ct, entry_id=str(uuid4()))) == ["UNKNOWN_ENTRY"]
    receipt = (await life.course("RecogniseResult", **ct, entry_id=noted.entry_id)).receipt
    again: dict[str, Any] = {"result_id": "MR-8", "from_hospital": "east"}
    assert await life.refused(life.course("RepeatExamination", **again)) == ["REQUIRED"]
    await life.course("RepeatExamination", SUPERIOR, **again, reason="the sequence was broken off")
    stands, repeated = (await life.read()).foreign_results
    assert (stands.result_id, stands.hospital, stands.entry_id) == ("CT-7", "south", noted.entry_id)
    assert (stands.repeated, stands.reason, stands.said_by) == (False, "", PHYSICIAN)
    assert (stands.record_version, stands.HasField("recorded_at")) == (receipt.record_version, True)
    assert (repeated.result_id, repeated.hospital, repeated.entry_id) == ("MR-8", "east", "")
    assert (repeated.repeated, repeated.reason) == (True, "the sequence was broken off")
    assert repeated.said_by == SUPERIOR
    then = records.GetRecordRequest(hospital="north", record_id=life.record_id, version=receipt.record_version)
    before = (await client.call("RecordService/GetRecord", then)).record
    assert list(before.foreign_results) == [stands]
