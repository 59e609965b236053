"""A ledger that is not the one that was published: nothing of it reaches the stream, and it is said."""

import asyncio
import logging
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from kafka.admin import KafkaAdminClient
from prometheus_client import REGISTRY
from psycopg.sql import SQL, Identifier, Literal

from ledger.config import Settings
from ledger.publisher import hospital_publisher, metrics
from ledger.store.succession import end_log
from ledger.stream.topics import records_topic
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger, Record
from tests.eventually import eventually_async
from tests.fault.topic_contents import Publishing, headers_on, wait_for_events, wait_until_noted
from tests.integration.log.backups import Backups
from tests.services.postgres import Database


def change(ledger: LoadedLedger, *statements: LiteralString, **values: int) -> None:
    """What a restore from a backup leaves behind, or who has the database's own rights."""
    names = {"schema": Identifier(f"h_{ledger.hospital}"), "hospital": Literal(ledger.hospital)}
    names |= {name: Literal(value) for name, value in values.items()}
    with psycopg.connect(ledger.database.url) as connection:
        guards = ("ALTER TABLE {schema}.events DISABLE TRIGGER ALL", "ALTER TABLE {schema}.head DISABLE TRIGGER ALL")
        for statement in (*guards, *statements):
            connection.execute(SQL(statement).format(**names))


def roll_back(ledger: LoadedLedger, head: int) -> None:
    """The ledger as a backup had it; so is what the publisher has noted."""
    change(
        ledger,
        "DELETE FROM {schema}.events WHERE position > {head}",
        "UPDATE {schema}.head SET position = {head}",
        "UPDATE {schema}.head AS h SET leaf_hash = e.leaf_hash FROM {schema}.events AS e WHERE e.position = h.position",
        "UPDATE ledger_control.transfer_progress SET position = {head} WHERE hospital = {hospital}",
        head=head,
    )
    ledger.head = head
    ledger.records = [Record() for _ in range(50)]


def is_refused(ledger: LoadedLedger) -> bool:
    """As Prometheus is told."""
    return REGISTRY.get_sample_value("ledger_publish_refused", {"hospital": ledger.hospital}) == 1


async def wait_until_refused(ledger: LoadedLedger) -> None:
    async def refused() -> bool:
        return metrics.refused.labels(ledger.hospital)._value.get() == 1  # pyright: ignore

    await eventually_async(refused, seconds_max=60, what="the refusal")


async def test_ledger_restored_shorter_is_not_published(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither while it is behind the stream nor after it has grown past it with other events."""
    topic = records_topic(ledger.hospital)
    ledger.append(300)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 300)
    roll_back(ledger, 250)
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing():
            await wait_until_refused(ledger)
    assert "the ledger ends at 250" in str([vars(each) for each in caplog.records])
    metrics.refused.labels(ledger.hospital).set(0)
    ledger.append(100)
    async with publishing():
        await wait_until_refused(ledger)
    assert len(headers_on(settings.kafka_bootstrap, topic)) == 300
    assert ledger.progress() == 250


async def test_ledger_rolled_back_while_publishing_is_refused(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """The publisher at rest sees it with its next look."""
    ledger.append(30)
    async with publishing():
        await wait_until_noted(ledger)
        roll_back(ledger, 20)
        await wait_until_refused(ledger)
    assert len(headers_on(settings.kafka_bootstrap, records_topic(ledger.hospital))) == 30


async def test_ledger_put_right_is_published_again(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event was altered where it is stored: refused; once it is as it was, publishing goes on by itself."""
    monkeypatch.setattr(hospital_publisher, "REFUSED_SECONDS", 1.0)
    topic = records_topic(ledger.hospital)
    ledger.append(30)
    async with publishing():
        await wait_until_noted(ledger)
    flip = "UPDATE {schema}.events SET envelope = set_byte(envelope, 3, get_byte(envelope, 3) # 1) WHERE position = 30"
    change(ledger, flip)
    ledger.append(5)
    async with publishing():
        await wait_until_refused(ledger)
        assert len(await asyncio.to_thread(headers_on, settings.kafka_bootstrap, topic)) == 30
        change(ledger, flip)
        await wait_for_events(settings.kafka_bootstrap, topic, 35)
        assert metrics.refused.labels(ledger.hospital)._value.get() == 0  # pyright: ignore


async def test_note_left_behind_by_a_crash_is_put_right(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """Killed between Kafka's commit and the note: the topic is the truth, and the note follows it."""
    ledger.append(10)
    async with publishing():
        await wait_until_noted(ledger)
    change(ledger, "UPDATE ledger_control.transfer_progress SET position = 5 WHERE hospital = {hospital}")
    async with publishing():
        await wait_until_noted(ledger)
    assert len(headers_on(settings.kafka_bootstrap, records_topic(ledger.hospital))) == 10


async def test_the_topic_keeps_an_older_backup_out(
    ledger: LoadedLedger,
    publishing: Publishing,
    settings: Settings,
    empty_database: Database,
    tmp_path: Path,
) -> None:
    """A topic that reaches further refuses the backup; one that holds another event where it ends, too."""
    backups, broker = Backups(ledger, empty_database, tmp_path), settings.kafka_bootstrap
    ledger.append(20)
    await backups.taken()
    ledger.append(10)
    async with publishing():
        await wait_for_events(broker, records_topic(ledger.hospital), 30)
    done = await backups.restore("--kafka", broker)
    assert (done.exit_code, "positions 21 to 30 are missing: topic" in done.output) == (1, True), done.output
    roll_back(ledger, 20)
    ledger.append(30)
    later = Backups(ledger, empty_database, tmp_path / "later")
    await later.taken()
    done = await later.restore("--kafka", broker)
    assert (done.exit_code, "knows another history up to position 30" in done.output) == (1, True), done.output


async def test_a_topic_that_outlived_its_log_is_removed_by_a_person(
    ledger: LoadedLedger,
    publishing: Publishing,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It holds events that the ledger has lost for good: refused with its name; once it is gone it is filled again."""
    monkeypatch.setattr(hospital_publisher, "REFUSED_SECONDS", 1.0)
    topic, old = records_topic(ledger.hospital), f"{ORIGIN_PREFIX}/{ledger.hospital}/1"
    ledger.append(30)
    async with publishing():
        await wait_until_noted(ledger)
    roll_back(ledger, 20)
    await end_log(ledger.database.role_url("ledger_migrate"), ledger.hospital, old, old[:-1] + "2", 20)
    change(ledger)  # past the fence, whose own test is elsewhere: what is under test only reads the events
    ledger.append(15)
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing():
            await wait_until_refused(ledger)
            assert f"remove the topic {topic}" in str([vars(each) for each in caplog.records])
            admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
            await asyncio.to_thread(admin.delete_topics, [topic])
            await wait_for_events(settings.kafka_bootstrap, topic, 35)
    admin.close()
