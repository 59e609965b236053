"""Opens transfer topics on whatever carries the published stream here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from consumers.stream_topic import StreamTopic
from consumers.transfer_topic import OpenTopic, Place
from ledger.config import Settings
from ledger.stream.contract import StreamReader
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.postgres.reader import transfers_reader
from ledger.stream.topics import transfers_topic


def transfer_topics(settings: Settings) -> OpenTopic:
    """Opens the transfer topic of a hospital; StreamUnavailable where it cannot be read, or was not made yet."""

    def open_reader(hospital: str) -> StreamReader:
        if settings.stream == "kafka":
            return KafkaStreamReader(settings.kafka_bootstrap, transfers_topic(hospital))
        return transfers_reader(settings.postgres_stream_url, hospital)

    async def open_topic(hospital: str, places: Mapping[int, Place]) -> StreamTopic:
        return await StreamTopic.open(await asyncio.to_thread(open_reader, hospital), places)

    return open_topic
