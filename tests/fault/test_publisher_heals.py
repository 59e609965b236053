"""A topic that was deleted, emptied or cut is filled again from the ledger, and it is said."""

import asyncio
import logging
from uuid import uuid4

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from ledger.config import Settings
from ledger.stream.contract import StreamError
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.topics import records_topic, transfers_topic
from tests.contract.stream.loaded_ledger import LoadedLedger, assert_exactly_once
from tests.eventually import eventually_async
from tests.fault.topic_contents import (
    Publishing,
    cut,
    delete_topic,
    headers_on,
    on_topic,
    wait_for_events,
    wait_until_whole,
)
from tests.services.postgres import Database


async def test_deleted_topic_is_made_and_filled_again(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A topic deleted between two runs comes back whole; the loss is logged as an error."""
    topic = records_topic(ledger.hospital)
    ledger.append(700)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 700)
    delete_topic(settings.kafka_bootstrap, topic)
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing():
            assert_exactly_once(ledger, await wait_for_events(settings.kafka_bootstrap, topic, 700))
    assert "the topic has lost events" in caplog.text


@pytest.mark.long
async def test_topic_deleted_while_publishing_is_filled_again(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """The publisher notices with the next event, begins anew, and fills the topic from the first event on."""
    topic = records_topic(ledger.hospital)
    ledger.append(300)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 300)
        delete_topic(settings.kafka_bootstrap, topic)
        ledger.append(50)
        await eventually_async(
            lambda: asyncio.to_thread(lambda: len(on_topic(settings.kafka_bootstrap, topic)) == 350), seconds_max=60
        )
        assert_exactly_once(ledger, on_topic(settings.kafka_bootstrap, topic))


@pytest.mark.parametrize("emptied", [(1,), pytest.param((0, 1, 2), marks=pytest.mark.long)])
async def test_emptied_partitions_are_filled_again_alone(
    emptied: tuple[int, ...], ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """What a partition lost is published again; what the others hold is not repeated."""
    topic = records_topic(ledger.hospital)
    ledger.append(900)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 900)
    cut(settings.kafka_bootstrap, topic, dict.fromkeys(emptied, -1))
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 900)
        ledger.append(100)
        assert_exactly_once(ledger, await wait_for_events(settings.kafka_bootstrap, topic, 1000))


@pytest.mark.long
async def test_topic_emptied_while_publishing_is_filled_again(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The publisher sees it within seconds, without an event to publish, and fills the topic from the first one on."""
    topic = records_topic(ledger.hospital)
    ledger.append(300)
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing():
            await wait_for_events(settings.kafka_bootstrap, topic, 300)
            cut(settings.kafka_bootstrap, topic, dict.fromkeys(range(3), -1))
            assert_exactly_once(ledger, await wait_until_whole(ledger, settings.kafka_bootstrap))
            ledger.append(20)
            assert_exactly_once(ledger, await wait_until_whole(ledger, settings.kafka_bootstrap))
    assert "the topic has lost events" in caplog.text


@pytest.mark.long
@pytest.mark.parametrize("running", [True, False])
async def test_partition_that_lost_its_beginning_is_emptied_and_filled_again(
    running: bool, ledger: LoadedLedger, publishing: Publishing, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Readers from the start would find a gap for ever; the partitions that lost nothing are left as they are."""
    topic = records_topic(ledger.hospital)
    ledger.append(300)
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing():
            await wait_for_events(settings.kafka_bootstrap, topic, 300)
            if running:
                cut(settings.kafka_bootstrap, topic, {1: 40})
                await eventually_async(lambda: asyncio.sleep(0, "lost its first events" in caplog.text))
        if not running:
            cut(settings.kafka_bootstrap, topic, {1: 40})
        async with publishing():
            assert_exactly_once(ledger, await wait_until_whole(ledger, settings.kafka_bootstrap))
    assert "lost its first events" in caplog.text
    said = headers_on(settings.kafka_bootstrap, topic)
    again = {each["ce_subject"] for each in said if "ce_refilled" in each}
    assert again
    assert not again & {each["ce_subject"] for each in said if "ce_refilled" not in each}


async def test_what_is_published_again_is_marked_and_nothing_else(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """Events that come for the first time carry no mark, though they ride in the same transaction."""
    topic = records_topic(ledger.hospital)
    ledger.append(200)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 200)
    cut(settings.kafka_bootstrap, topic, dict.fromkeys(range(3), -1))
    ledger.append(100)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 300)
    marks = {int(each["ce_position"]): "ce_refilled" in each for each in headers_on(settings.kafka_bootstrap, topic)}
    assert marks == {position: position <= 200 for position in range(1, 301)}


@pytest.mark.long
async def test_new_hospital_has_its_topics_at_once(
    publishing: Publishing, settings: Settings, database: Database
) -> None:
    """A hospital added while the publisher runs gets both topics before it has any event."""
    async with publishing():
        late = await LoadedLedger.add(database, f"n{uuid4().hex[:8]}", 2)
        for topic in (records_topic(late.hospital), transfers_topic(late.hospital)):
            await eventually_async(lambda topic=topic: asyncio.to_thread(_is_there, settings, topic))


def _is_there(settings: Settings, topic: str) -> bool:
    try:
        KafkaStreamReader(settings.kafka_bootstrap, topic).close()
    except StreamError:
        return False
    return True


@pytest.mark.long
async def test_offers_reach_a_hospital_that_is_not_in_this_registry(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """Its transfer topic is made with the first offer; a name that no hospital can have holds nothing up."""
    elsewhere = f"e{uuid4().hex[:8]}"
    offered = ledger.offer(elsewhere)
    ledger.offer("No such hospital!")
    ledger.append(5)
    async with publishing():
        (found,) = await wait_for_events(settings.kafka_bootstrap, transfers_topic(elsewhere), 1)
        assert (found.origin, found.position) == (f"ledger.test/{ledger.hospital}/1", offered)
        assert_exactly_once(
            ledger, await wait_for_events(settings.kafka_bootstrap, records_topic(ledger.hospital), ledger.head)
        )


@pytest.mark.long
async def test_topic_that_was_compacted_is_filled_anew(
    ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """Nobody knows what a compaction has taken away, so all of it is published again."""
    topic = records_topic(ledger.hospital)
    ledger.append(100)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, topic, 100)
    with KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": "compact"})])
    async with publishing():
        await eventually_async(lambda: asyncio.to_thread(lambda: _all_marked(settings, topic, 100)))
    assert_exactly_once(ledger, on_topic(settings.kafka_bootstrap, topic))


def _all_marked(settings: Settings, topic: str, count: int) -> bool:
    said = headers_on(settings.kafka_bootstrap, topic)
    return len(said) == count and all("ce_refilled" in each for each in said)
