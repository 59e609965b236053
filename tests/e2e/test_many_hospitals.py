"""The whole service with many hospitals: an idle hospital costs no connection."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.service_folder import ServiceFolder
from ledger.embedded.kafka_jars import default_cache
from ledger.store.hospitals import add_hospital
from ledger.store.roles import LOGIN_ROLES
from projections.views import ALL
from tests.eventually import eventually_async
from tests.fault.load import Load, open_channel
from tests.services.whole_service import WholeService

HOSPITALS = 300
BUSY = 5
RECORDS = 8
CONNECTIONS_MAX = 60
_LOOK_SECONDS = 0.1


@pytest.fixture
def service(services_folder: Path) -> Iterator[WholeService]:
    """Everything in processes of its own, the stream on the PostgreSQL log: there every reader is a connection."""
    found = WholeService(services_folder / "many", "postgres", Path(__file__).parents[2] / default_cache())
    found.start()
    yield found
    found.stop_if_running()


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_five_busy_hospitals_of_many(service: WholeService) -> None:
    """serve, publish, project and consume together never hold more than 60 connections; the busy ones are served."""
    url = service.settings.postgres_migrate_url
    names = [f"h{number:03}" for number in range(HOSPITALS - 2)]
    for name in names:
        await add_hospital(url, name, origin_prefix="ledger.test", partitions=1)
    async with (
        # Of others' sessions nobody else is told what kind they are.
        await psycopg.AsyncConnection.connect(
            ServiceFolder.look(service.folder).superuser_url(), autocommit=True
        ) as watch,
        open_channel(service.grpc) as channel,
    ):
        peak, stop = Counter[str](), asyncio.Event()
        watching = asyncio.create_task(highest(watch, peak, stop))
        loads = [Load(channel, hospital) for hospital in names[:BUSY]]
        async with asyncio.TaskGroup() as group:
            for load in loads:
                group.create_task(load.run(RECORDS))
        heads = {
            name: max(each.position for each in load.acknowledged) for name, load in zip(names, loads, strict=False)
        }
        stub = OperationsServiceStub(channel)

        async def followed() -> bool:
            found = [(await stub.GetStatus(GetStatusRequest(hospital=name))).hospitals[0] for name in heads]
            return all(
                each.published_position == view.events == heads[each.hospital] and len(each.views) == len(ALL)
                for each in found
                for view in each.views
            )

        await eventually_async(followed, seconds_max=240, what="every view of the busy hospitals at its head")
        stop.set()
        await watching
    assert peak.keys() >= set(LOGIN_ROLES) - {"ledger_migrate"}, "every role was seen"
    assert sum(peak.values()) <= CONNECTIONS_MAX, peak


async def highest(watch: psycopg.AsyncConnection, peak: Counter[str], stop: asyncio.Event) -> None:
    """Keeps the connections by role as they were when there were most of them; this one does not count."""
    question = (
        "SELECT usename, count(*) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY usename"
    )
    while not stop.is_set():
        now = Counter[str](dict(await (await watch.execute(question)).fetchall()))
        if now.total() > peak.total():
            peak.clear()
            peak.update(now)
        try:
            await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)
        except TimeoutError:
            continue
