"""The same transfer over the real Kafka."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.config import Settings
from ledger.embedded.kafka import EmbeddedKafka
from tests.integration.consumers.hospitals import Hospitals


@pytest.fixture
def settings(settings: Settings, own_kafka: EmbeddedKafka) -> Settings:
    """The published stream on a broker of this test alone, since topics are named by hospitals."""
    return replace(settings, stream="kafka", kafka_bootstrap=own_kafka.bootstrap)


async def test_a_record_is_transferred_over_kafka_once(hospitals: Hospitals) -> None:
    """Consumers that stop and start in between read on where they were."""
    record_id = await hospitals.record()
    first = await hospitals.offer(record_id)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(record_id, first, common.TRANSFER_STATE_COMPLETED)
    other = await hospitals.record()
    second = await hospitals.offer(other)
    async with hospitals.following("north", "south"):
        await hospitals.sent_state(other, second, common.TRANSFER_STATE_COMPLETED)
    assert await hospitals.event_types("south") == ["PackageReceived", "PackageVerified", "PackageAccepted"] * 2
