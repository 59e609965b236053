"""Readers that are no views tell how they fare, and whoever looks at the service sees it."""

from __future__ import annotations

import httpx
import pytest

from ledger.api.v1.stream_pb2 import GetStatusRequest, ReaderStatus, ReportReaderRequest
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge


def report(
    reader: str = "transfers", state: str = "running", letters: int = 0, hospital: str = "north"
) -> ReportReaderRequest:
    status = ReaderStatus(reader=reader, state=state, dead_letters=letters, waiting=1)
    return ReportReaderRequest(hospital=hospital, status=status)


async def test_the_newest_report_stands_in_status_and_metrics(client: EdgeClient, edge: RunningEdge) -> None:
    """Of each reader of each hospital, with one gauge for all that stand at a gap."""
    for each in (report(), report(letters=2), report("deadline-clock", "gap"), report(hospital="south")):
        await client.call("OperationsService/ReportReader", each)
    answer = await client.call("OperationsService/GetStatus", GetStatusRequest())
    found = {(h.hospital, r.reader): (r.state, r.dead_letters, r.waiting) for h in answer.hospitals for r in h.readers}
    assert found == {
        ("north", "deadline-clock"): ("gap", 0, 1),
        ("north", "transfers"): ("running", 2, 1),
        ("south", "transfers"): ("running", 0, 1),
    }
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{edge.addresses.http}/metrics")).text
    assert 'ledger_reader_dead_letters{hospital="north",reader="transfers"} 2.0' in text
    assert 'ledger_reader_at_gap{hospital="north",reader="deadline-clock"} 1.0' in text
    assert 'ledger_reader_at_gap{hospital="south",reader="transfers"} 0.0' in text


async def test_a_reader_or_a_state_that_there_is_not(client: EdgeClient) -> None:
    """Refused with every fault, so that a slip of a name is no second reader for ever."""
    with pytest.raises(RpcFailed) as failure:
        await client.call("OperationsService/ReportReader", report("deadlines", "well", 2**31))
    assert {field for field, _ in failure.value.violations} == {
        "status.reader",
        "status.state",
        "status.dead_letters",
    }
    with pytest.raises(RpcFailed) as failure:
        await client.call("OperationsService/ReportReader", report(hospital="nowhere"))
    assert failure.value.reason == "UNKNOWN_HOSPITAL"
