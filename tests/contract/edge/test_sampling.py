"""Quality by sampling over both protocols: a draw that anybody repeats, what it found, and who may say so."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.api.v1 import boards_pb2 as boards
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import worklist_pb2 as worklist
from ledger.application.ledger import Ledger
from ledger.cli import sample_draws
from ledger.config import Settings
from tests.contract.edge.clients import ConnectClient, EdgeClient, GrpcClient, RpcFailed
from tests.contract.edge.composition import composed, projecting
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import PHYSICIAN, register_patient, stamp
from tests.contract.edge.test_whole_life import AFFAIRS, ARCHIVIST, QUALITY, Life, short_visit
from tests.eventually import SECONDS_MAX

BEGIN = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
"""Signatures are of the real time, and never ahead of the server's."""
_DRAW = "ArchiveService/DrawSample"


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """The clock of the server."""
    file = tmp_path / "clock"
    file.write_text(BEGIN.isoformat())
    return file


@pytest.fixture
def settings(settings: Settings, clock_file: Path) -> Settings:
    """Driven by that clock."""
    return replace(settings, clock_file=clock_file)


@pytest.fixture(params=[GrpcClient, ConnectClient], ids=["grpc", "connect"])
async def client(request: pytest.FixtureRequest, idle_edge: RunningEdge) -> AsyncGenerator[EdgeClient]:
    """A client of each protocol, of an edge with its views."""
    async with projecting(idle_edge.settings), composed(idle_edge) as edge:
        client = request.param(edge.addresses.grpc if request.param is GrpcClient else edge.addresses.http)
        yield client
        await client.close()


def at(clock_file: Path, since: timedelta) -> None:
    """So much after the beginning."""
    clock_file.write_text((BEGIN + since).isoformat())


def asked(hours: float = 1, **fields: Any) -> boards.DrawSampleRequest:
    """What was archived in so many hours since the beginning."""
    until = stamp(BEGIN + timedelta(hours=hours))
    return boards.DrawSampleRequest(hospital="north", archived_from=stamp(BEGIN), archived_before=until, **fields)


async def test_a_sample_is_drawn_assessed_mended_and_looked_at_again(client: EdgeClient, clock_file: Path) -> None:
    """The draw is the same before and after; what it found is shown everywhere, and waits until it is mended."""
    lives = {life.record_id: life for life in [(await short_visit(client))[1] for _ in range(3)]}
    at(clock_file, timedelta(hours=2))
    drawn = await client.call(_DRAW, asked(size=2))
    assert (drawn.draw.population, drawn.draw.size, len(drawn.draw.seed)) == (3, 2, 32)
    assert {each.standing for each in drawn.records} == {boards.SAMPLE_STANDING_UNSPECIFIED}
    fine, wrong = (lives[each.record_id] for each in drawn.records)
    await fine.keep("AssessSample", QUALITY, draw=drawn.draw)
    veto = [common.Defect(code="CONSENT_MISSING")]
    for actor, rule in ((PHYSICIAN, "SAME_PERSON"), (ARCHIVIST, "ROLE_NOT_ALLOWED")):
        assert rule in await wrong.refused(wrong.keep("AssessSample", actor, draw=drawn.draw, defects=veto))
    failed = await wrong.keep("AssessSample", QUALITY, draw=drawn.draw, defects=veto)
    for life, rule in ((wrong, "NOT_MENDED"), (fine, "PASSED_BY_DRAW")):
        assert rule in await life.refused(life.keep("AssessSample", QUALITY, draw=drawn.draw))
    again = await client.call(_DRAW, asked(size=2))
    assert again.draw == drawn.draw
    standings = [each.standing for each in again.records]
    assert standings == [boards.SAMPLE_STANDING_PASSED, boards.SAMPLE_STANDING_TO_MEND]
    found = (await wrong.read()).quality.sample
    assert (found.draw, found.passed, found.assessed_by.name) == (drawn.draw, False, QUALITY.name)
    defect = ["CONSENT_MISSING"]
    assert await waiting(client, failed.receipt.position) == [(wrong.record_id, "SAMPLE_NOT_PASSED", defect)]
    assert await waiting(client, await mend(wrong)) == [(wrong.record_id, "SAMPLE_TO_CHECK", defect)]
    passed = await wrong.keep("AssessSample", QUALITY, draw=drawn.draw)
    last = await client.call(_DRAW, asked(size=2))
    assert {each.standing for each in last.records} == {boards.SAMPLE_STANDING_PASSED}
    assert await waiting(client, passed.receipt.position) == []


async def test_a_register_that_lacks_events_draws_nothing(idle_edge: RunningEdge, clock_file: Path) -> None:
    """Nobody would draw what it has not handled yet, and the seed would be another one later."""
    async with composed(idle_edge, 0.2) as edge:
        client = GrpcClient(edge.addresses.grpc)
        await short_visit(client)
        at(clock_file, timedelta(hours=2))
        with pytest.raises(RpcFailed) as caught:
            await client.call(_DRAW, asked())
        await client.close()
    assert (caught.value.reason, caught.value.facts["view"]) == ("VIEW_BEHIND", "archive_register")


async def test_a_hospital_that_writes_without_pause_is_drawn_from(
    idle_edge: RunningEdge, clock_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks where its ledger stands finds it further each time: what came since is in no span that is over."""
    async with projecting(idle_edge.settings), composed(idle_edge, SECONDS_MAX / 10) as edge:
        client = GrpcClient(edge.addresses.grpc)
        _, life = await short_visit(client)
        at(clock_file, timedelta(hours=2))
        read_head = Ledger.head

        async def written_on(ledger: Ledger, hospital: str) -> int:
            await client.call("PatientService/RegisterPatient", register_patient())
            return await read_head(ledger, hospital)

        monkeypatch.setattr(Ledger, "head", written_on)
        found = await client.call(_DRAW, asked())
        await client.close()
    assert [each.record_id for each in found.records] == [life.record_id]


async def test_a_draw_says_what_it_lacks(client: EdgeClient, clock_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A span that is not over, that is none, or without times; the pack's number where none is asked for."""
    assert await refused(client, boards.DrawSampleRequest(hospital="north", size=1001)) == [
        ("archived_from", "REQUIRED"),
        ("archived_before", "REQUIRED"),
        ("size", "OUT_OF_RANGE"),
    ]
    at(clock_file, timedelta(hours=1))
    assert await refused(client, asked(0)) == [("archived_before", "OUT_OF_RANGE")]
    at(clock_file, timedelta())
    await short_visit(client)
    at(clock_file, timedelta(minutes=65, seconds=-1))
    assert await refused(client, asked()) == [("archived_before", "SPAN_NOT_OVER")]
    at(clock_file, timedelta(minutes=65))
    drawn = await client.call(_DRAW, asked())
    assert (drawn.draw.population, drawn.draw.size) == (1, 1)
    monkeypatch.setattr(sample_draws, "POPULATION_MAX", 0)
    assert await refused(client, asked()) == [("archived_before", "SPAN_TOO_LONG")]
    nobody = asked()
    nobody.archived_from.CopyFrom(stamp(BEGIN + timedelta(minutes=30)))
    assert await client.call(_DRAW, nobody) == boards.DrawSampleResponse()


async def refused(client: EdgeClient, request: boards.DrawSampleRequest) -> list[tuple[str, str]]:
    """Field and rule of every fault."""
    with pytest.raises(RpcFailed) as caught:
        await client.call(_DRAW, request)
    return caught.value.violations


async def waiting(client: EdgeClient, position: int) -> list[tuple[str, str, list[str]]]:
    """What samples found that waits, by the list of the office."""
    request = worklist.GetWorklistRequest(hospital="north", records_office=True, kind=worklist.WORK_KIND_SAMPLE)
    request.min_position = position
    answer = await client.call("BoardService/GetWorklist", request)
    return [(item.record_id, item.rule, [each.code for each in item.defects]) for item in answer.items]


async def mend(life: Life) -> int:
    """Reopened by two, and archived again, at this position."""
    (entry,) = (await life.read()).entries
    asked_for = await life.keep("RequestReopen", reason="a consent is missing", entry_ids=[entry.entry_id])
    await life.keep("ApproveReopen", AFFAIRS, reopen_id=asked_for.reopen_id)
    return (await life.keep("RearchiveRecord", PHYSICIAN)).receipt.position
