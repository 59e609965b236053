"""Readers that are no views tell how they fare, and whoever looks at the service sees it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from ledger.api.v1.stream_pb2 import GetStatusRequest, ReaderStatus, ReportReaderRequest
from ledger.cli.consume import accepted_checkpoint
from ledger.cli.main import main
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.fault.test_integration_step import EVENTS
from tests.unit.consumers.test_end_before_successor import log_of, other_events, served
from tests.unit.trust.tlog_samples import LOG, ORIGIN


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
    async with httpx.AsyncClient(timeout=60) as http:
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


async def test_a_recipient_elsewhere_is_a_reader_too(client: EdgeClient) -> None:
    """By its hospital's id; anything else behind the colon is refused."""
    await client.call("OperationsService/ReportReader", report("recipient:far-away", "forked"))
    answer = await client.call("OperationsService/GetStatus", GetStatusRequest())
    (reader,) = [reader for each in answer.hospitals for reader in each.readers]
    assert (reader.reader, reader.state) == ("recipient:far-away", "forked")
    with pytest.raises(RpcFailed) as failure:
        await client.call("OperationsService/ReportReader", report("recipient:Far Away", "forked"))
    assert [field for field, _ in failure.value.violations] == ["status.reader"]


async def test_growth_that_was_not_proven_is_a_gauge(edge: RunningEdge, client: EdgeClient) -> None:
    """Of its own, beside that of forks: it may yet be proven."""
    await client.call("OperationsService/ReportReader", report("recipient:far-away", "unproven"))
    async with httpx.AsyncClient(timeout=60) as http:
        text = (await http.get(f"{edge.addresses.http}/metrics")).text
    assert 'ledger_reader_saw_no_proof{hospital="north",reader="recipient:far-away"} 1.0' in text
    assert 'ledger_reader_saw_fork{hospital="north",reader="recipient:far-away"} 0.0' in text


async def test_a_fork_that_the_archive_office_sees_is_shown_by_the_service_whose_log_it_is(
    edge: RunningEdge, tmp_path: Path
) -> None:
    """Status and one gauge alarm that side too; the office keeps both notes and takes nothing more."""
    policy = tmp_path / "policy"
    policy.write_text(f"log {LOG.verifier()}\nquorum none\n")
    log_of(tmp_path / "seen", ORIGIN, EVENTS[:20])
    log_of(tmp_path / "shown", ORIGIN, [*EVENTS[:10], *other_events(11, 20)])
    with served(tmp_path / "seen") as url:
        accepted_checkpoint(url, policy, tmp_path / "archive")
    with served(tmp_path / "shown") as url:
        command = ["consume", "archive-office", "north", str(tmp_path / "archive"), "--address", edge.addresses.grpc]
        run = await asyncio.to_thread(CliRunner().invoke, main, [*command, "--log", url, "--policy", str(policy)])
    assert (run.exit_code, "Both notes are kept" in run.output) == (1, True), run.output
    async with httpx.AsyncClient(timeout=60) as http:
        text = (await http.get(f"{edge.addresses.http}/metrics")).text
    assert 'ledger_reader_saw_fork{hospital="north",reader="archive-office"} 1.0' in text
