"""The views on Kafka."""

import asyncio

import pytest
from kafka.admin import KafkaAdminClient

from ledger.stream.topics import records_topic
from projections.digests import view_digest
from projections.views import ALL
from tests.contract.views.conftest import Published
from tests.contract.views.follow_stream import FollowsStream, all_handled, append_history, recomputed, running
from tests.eventually import eventually_async


class TestOnKafka(FollowsStream):
    """All promises, on a real Kafka."""

    @pytest.fixture
    def published(self, on_kafka: Published) -> Published:
        return on_kafka

    async def test_a_topic_made_anew_is_skipped_up_to_what_was_handled(self, published: Published) -> None:
        """Deleted while no view reads: filled again by the publisher, each event is handled once all the same."""
        async with running(published):
            append_history(published, 10)
            await all_handled(published)
        await delete_topic(published)
        append_history(published, 3)
        async with running(published):
            await each_handled_once(published)

    @pytest.mark.long
    async def test_a_topic_made_anew_under_a_view_that_reads(self, published: Published) -> None:
        """The reader has the old topic's offsets in hand; the view finds its place in the new one."""
        async with running(published):
            append_history(published, 10)
            await all_handled(published)
            await delete_topic(published)
            append_history(published, 3)
            await each_handled_once(published)


async def delete_topic(published: Published) -> None:
    """Deletes the records topic, as an administrator by mistake."""

    def delete() -> None:
        with KafkaAdminClient(bootstrap_servers=published.settings.kafka_bootstrap) as admin:
            admin.delete_topics([records_topic(published.hospital)])

    await asyncio.to_thread(delete)


async def each_handled_once(published: Published) -> None:
    """Waits until every view's digests are those of the ledger."""

    async def equal() -> bool:
        found = [await view_digest(published.ground.pool, published.hospital, view) for view in ALL]
        digests = [{number: each.digest for number, each in handled.items() if each.events} for handled in found]
        return digests == [recomputed(published)] * len(ALL)

    await eventually_async(equal, seconds_max=60, what="digests of the ledger")
