"""kill -9 of every process of the service in the middle of a load: nothing acknowledged is missing, doubled, moved."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.demo.checks import Checks, Subject, check_kept
from tests.eventually import eventually, eventually_async
from tests.fault.load import AT_ONCE, COMMANDS_A_RECORD, HOSPITAL, Load, not_kept, open_channel, opened
from tests.services.whole_service import WholeService

PARTITIONS = 6
RECORDS = 240
RECORDS_BESIDE = 60
"""For a role that no command and no event has to pass on its way."""


@pytest.fixture(scope="module")
def service(services_folder: Path, kafka_jars: Path) -> Iterator[WholeService]:
    """One service for all kills: each goes on where the one before left it."""
    found = WholeService(services_folder / "kills", "kafka", kafka_jars)
    found.start()
    yield found
    assert found.stop() == 0


@pytest.fixture(scope="module")
def earlier() -> list[Load]:
    """The loads of the tests before, whose acknowledgements hold for ever."""
    return []


@pytest.fixture
async def load(service: WholeService, earlier: list[Load]) -> AsyncIterator[Load]:
    """A load that has not begun."""
    async with open_channel(service.grpc) as channel:
        found = Load(channel)
        earlier.append(found)
        yield found


async def test_commands_are_acknowledged_while_kafka_does_not_answer(
    service: WholeService, load: Load, earlier: list[Load]
) -> None:
    """Kafka is frozen, so that nobody starts it again: commands go on, and are published once it answers."""
    kafka = service.pid("kafka")
    os.kill(kafka, signal.SIGSTOP)
    try:
        published = await published_position(service)
        await load.run(AT_ONCE)
        assert await published_position(service) == published
    finally:
        os.kill(kafka, signal.SIGCONT)
    last = max(each.position for each in load.acknowledged)

    async def caught_up() -> bool:
        return await published_position(service) >= last

    await eventually_async(caught_up, seconds_max=60, what="everything published")
    await assert_kept(service, earlier)


@pytest.mark.parametrize(
    ("role", "records"),
    [
        ("serve", RECORDS),
        *(pytest.param(role, RECORDS, marks=pytest.mark.long) for role in ("postgres", "kafka")),
        # Each of these is killed in a test of its own too, at more moments.
        *(pytest.param(role, RECORDS, marks=pytest.mark.long) for role in ("publish", "project")),
        *(pytest.param(role, RECORDS_BESIDE, marks=pytest.mark.long) for role in ("consume", "deadlines", "integrate")),
    ],
)
async def test_nothing_acknowledged_is_lost_by_a_kill(
    service: WholeService, load: Load, earlier: list[Load], role: str, records: int
) -> None:
    """5,040 commands, one kill -9 a third of the way through; the ledger is checked from its first event."""
    running = asyncio.create_task(load.run(records))
    await load.reaches(records * COMMANDS_A_RECORD // 3)
    killed = service.pid(role)
    service.kill9(role)
    assert not running.done()
    await running
    assert len(load.acknowledged) == records * COMMANDS_A_RECORD
    assert load.sent_again or role not in ("serve", "postgres"), "the kill hit commands on their way"
    eventually(lambda: service.pids.get(role, killed) != killed, what=f"{role} started again")
    await assert_kept(service, earlier)


@pytest.mark.long
async def test_nothing_acknowledged_is_lost_by_a_kill_of_everything(
    service: WholeService, load: Load, earlier: list[Load]
) -> None:
    """The power goes in the middle of the load; the clients wait until somebody starts the service again."""
    running = asyncio.create_task(load.run(RECORDS))
    await load.reaches(RECORDS * COMMANDS_A_RECORD // 3)
    service.kill9_all()
    assert not running.done()
    await asyncio.to_thread(service.start)
    await running
    assert load.sent_again
    await assert_kept(service, earlier)


async def published_position(service: WholeService) -> int:
    """What the service says is published."""
    async with open_channel(service.grpc) as channel:
        status = await OperationsServiceStub(channel).GetStatus(GetStatusRequest(hospital=HOSPITAL))
    return status.hospitals[0].published_position


async def assert_kept(service: WholeService, loads: list[Load]) -> None:
    """The store, the stream and every view hold what was acknowledged: each event once, in order, unchanged."""
    acknowledged = [each for load in loads for each in load.acknowledged]
    said = StringIO()
    checks = Checks(Console(file=said, width=200))
    async with bodies_with_keys(service.settings) as bodies:
        subject = Subject(HOSPITAL, PARTITIONS, len(acknowledged), "", service.settings, bodies.opener)
        rows = await check_kept(subject, checks)
    assert not checks.failed, said.getvalue()
    assert checks.held >= 3
    assert not not_kept(await opened(service.settings, rows), acknowledged)
