"""A transfer topic that was deleted or emptied gets back what each sender had put there, and it is said."""

import logging
from uuid import uuid4

import pytest

from ledger.config import Settings
from ledger.stream.contract import PublishedEvent
from ledger.stream.topics import records_topic, transfers_topic
from tests.contract.stream.loaded_ledger import LoadedLedger, assert_exactly_once
from tests.fault.topic_contents import (
    Publishing,
    cut,
    delete_topic,
    headers_on,
    on_topic,
    wait_for_events,
    wait_until_noted,
)


def lose(bootstrap: str, topic: str, how: str) -> None:
    if how == "deleted":
        delete_topic(bootstrap, topic)
    else:
        cut(bootstrap, topic, {0: -1})


def positions(events: list[PublishedEvent]) -> list[int]:
    return [each.position for each in events]


@pytest.mark.parametrize("how", ["deleted", pytest.param("emptied", marks=pytest.mark.long)])
async def test_transfer_topic_lost_between_two_runs_is_filled_again(
    how: str, ledger: LoadedLedger, publishing: Publishing, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Every offer that was there, marked, in the sender's order; the topic of its records is not touched."""
    to, other = f"e{uuid4().hex[:8]}", f"o{uuid4().hex[:8]}"
    offers = [ledger.offer(to), ledger.append(20) and ledger.offer(to)]
    elsewhere = ledger.offer(other)
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, transfers_topic(to), 2)
    lose(settings.kafka_bootstrap, transfers_topic(to), how)
    with caplog.at_level(logging.ERROR, "ledger"):
        async with publishing():
            found = await wait_for_events(settings.kafka_bootstrap, transfers_topic(to), 2)
            later = ledger.offer(to)
            await wait_for_events(settings.kafka_bootstrap, transfers_topic(to), 3)
    assert positions(found) == offers
    assert "transfer topics have lost events" in caplog.text
    said = headers_on(settings.kafka_bootstrap, transfers_topic(to))
    assert {int(each["ce_position"]): "ce_refilled" in each for each in said} == {
        **dict.fromkeys(offers, True),
        later: False,
    }
    assert positions(on_topic(settings.kafka_bootstrap, transfers_topic(other))) == [elsewhere]
    events = on_topic(settings.kafka_bootstrap, records_topic(ledger.hospital))
    assert_exactly_once(ledger, events)
    before = {each.position: each.prev_position for each in events}
    assert {each.position: each.prev_position for each in found} == {each: before[each] for each in offers}


@pytest.mark.long
@pytest.mark.parametrize("how", ["deleted", "emptied"])
async def test_transfer_topic_lost_while_publishing_is_filled_again(
    how: str, ledger: LoadedLedger, publishing: Publishing, settings: Settings
) -> None:
    """Within seconds, whether or not there is another offer to send."""
    to = f"e{uuid4().hex[:8]}"
    offers = [ledger.offer(to), ledger.offer(to)]
    async with publishing():
        await wait_for_events(settings.kafka_bootstrap, transfers_topic(to), 2)
        await wait_until_noted(ledger)
        lose(settings.kafka_bootstrap, transfers_topic(to), how)
        found = await wait_for_events(settings.kafka_bootstrap, transfers_topic(to), 2)
    assert sorted(set(positions(found))) == offers
