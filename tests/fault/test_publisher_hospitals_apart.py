"""What is wrong with one hospital stops no other, and it is said."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from psycopg.sql import SQL, Identifier

from ledger.config import Settings, load
from ledger.embedded.kafka import EmbeddedKafka
from ledger.publisher.role import run_publisher
from ledger.stream.topics import records_topic
from ledger.views.schema_versions import SCHEMA_VERSIONS
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import SECONDS_MAX, eventually_async
from tests.said import said_by
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY

pytestmark = pytest.mark.long


@pytest.fixture
def on_postgres(database: Database) -> Settings:
    return load({"LEDGER_POSTGRES_STREAM_URL": database.role_url("ledger_stream")})


@asynccontextmanager
async def publishing(settings: Settings) -> AsyncGenerator[None]:
    """A publisher while the block runs; what ends it early is raised."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set))
    try:
        yield
    finally:
        stop.set()
        await task


async def wait_until_published(ledger: LoadedLedger, *, seconds_max: float = SECONDS_MAX) -> None:
    published = lambda: asyncio.to_thread(lambda: ledger.progress() == ledger.head)  # noqa: E731
    await eventually_async(published, seconds_max=seconds_max, what=f"{ledger.hospital} published")


async def test_hospital_without_schema_stops_no_other(
    database: Database, on_postgres: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The registry names a hospital whose schema is gone: it is said once, by name; the others are published."""
    gone = await LoadedLedger.add(database, "gone", 1)
    sound = await LoadedLedger.add(database, "sound", 1)
    with psycopg.connect(database.url) as connection:
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(f"h_{gone.hospital}")))
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing(on_postgres):
            for _ in range(2):
                sound.append(10)
                await wait_until_published(sound)
    said = [record for record in caplog.records if "missing or must not be read" in record.message]
    assert [getattr(record, "hospital", "") for record in said] == ["gone"]


@pytest.mark.parametrize("version", [SCHEMA_VERSIONS.start - 1, SCHEMA_VERSIONS.stop])
async def test_hospital_of_another_schema_version_stops_no_other(
    database: Database, on_postgres: Settings, caplog: pytest.LogCaptureFixture, version: int
) -> None:
    """An older and a newer schema are left alone, said once, by name; the others are published."""
    other = await LoadedLedger.add(database, "other", 1)
    sound = await LoadedLedger.add(database, "sound", 1)
    other.append(10)
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE ledger_control.hospitals SET schema_version = %s WHERE id = 'other'", (version,))
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing(on_postgres):
            for _ in range(2):
                sound.append(10)
                await wait_until_published(sound)
    said = [record for record in caplog.records if "missing or must not be read" in record.message]
    assert [(getattr(record, "hospital", ""), getattr(record, "schema_version", 0)) for record in said] == [
        ("other", version)
    ]
    assert await asyncio.to_thread(other.progress) == 0


async def test_hospital_whose_topic_is_wrong_stops_no_other(
    database: Database, on_postgres: Settings, kafka_broker: EmbeddedKafka, caplog: pytest.LogCaptureFixture
) -> None:
    """A hospital that comes first and whose topic has another number of partitions; the next one is published."""
    settings = replace(on_postgres, stream="kafka", kafka_bootstrap=kafka_broker.bootstrap)
    stem = uuid4().hex[:6]
    broken = await LoadedLedger.add(database, f"a-{stem}", 1)
    with KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap) as admin:
        admin.create_topics([NewTopic(records_topic(broken.hospital), num_partitions=2)])
    sound = await LoadedLedger.add(database, f"b-{stem}", 1)
    broken.append(5)
    sound.append(5)
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing(settings):
            await wait_until_published(sound)
    assert broken.progress() == 0
    assert {getattr(each, "hospital", "") for each in said_by(caplog, "ledger")} == {broken.hospital}


async def test_failure_that_nobody_foresaw_costs_a_rest_and_stops_no_other(
    database: Database, on_postgres: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a try each second for ever: the rests grow, and it goes on by itself once the cause is gone."""
    barred = await LoadedLedger.add(database, "barred", 1)
    sound = await LoadedLedger.add(database, "sound", 1)
    with psycopg.connect(database.url, autocommit=True) as connection:
        events = SQL("{}.events").format(Identifier(f"h_{barred.hospital}"))
        connection.execute(SQL("REVOKE SELECT ON {} FROM ledger_stream").format(events))
        with caplog.at_level(logging.ERROR, "ledger"):
            async with publishing(on_postgres):
                barred.append(5)
                sound.append(5)
                await wait_until_published(sound)
                said = lambda: asyncio.sleep(0, [getattr(each, "failures", 0) for each in said_by(caplog, "ledger")])  # noqa: E731
                await eventually_async(lambda: _at_least(3, said), what="three failures")
                assert (await said())[:3] == [1, 2, 3]
                connection.execute(SQL("GRANT SELECT ON {} TO ledger_stream").format(events))
                await wait_until_published(barred)
    assert {getattr(each, "hospital", "") for each in said_by(caplog, "ledger")} == {"barred"}
    assert "InsufficientPrivilege" in str(vars(said_by(caplog, "ledger")[0]))


async def _at_least(count: int, said: Callable[[], Awaitable[list[int]]]) -> bool:
    return len(await said()) >= count
