"""When a service answers everything: every view of every hospital is there, and every topic that is named."""

from __future__ import annotations

import asyncio
import time

import grpc.aio
from kafka.admin import KafkaAdminClient

from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.served_hospitals import all_hospitals
from ledger.stream.contract import StreamUnavailable
from ledger.stream.kafka.connecting import broker_errors, build
from ledger.stream.topics import records_topic, transfers_topic

SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.1
_ABSENT = "absent"


class NotAnswering(Exception):
    """The service runs, but part of it did not answer in time."""

    def __init__(self, missing: list[str]) -> None:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        super().__init__(f"not there within {SECONDS_MAX:.0f} s: {missing[0]}{more}")
        self.missing = missing


async def until_everything_answers(channel: grpc.aio.Channel, kafka: str | None) -> None:
    """Waits until no view is absent and every topic is there; `kafka` is the broker's address where one is used.

    Raises NotAnswering.
    """
    deadline = time.monotonic() + SECONDS_MAX
    while missing := [*await _absent_views(channel), *await _absent_topics(channel, kafka)]:
        if time.monotonic() > deadline:
            raise NotAnswering(missing)
        await asyncio.sleep(_LOOK_SECONDS)


async def _absent_views(channel: grpc.aio.Channel) -> list[str]:
    answer = await OperationsServiceStub(channel).GetStatus(GetStatusRequest())
    return [
        f"view {view.view} of hospital {each.hospital}"
        for each in answer.hospitals
        for view in each.views
        if view.state == _ABSENT
    ]


async def _absent_topics(channel: grpc.aio.Channel, kafka: str | None) -> list[str]:
    if kafka is None:
        return []
    hospitals = [each.id for each in await all_hospitals(channel)]
    try:
        found = await asyncio.to_thread(_topics, kafka)
    except StreamUnavailable as error:
        return [str(error)]
    wanted = [name for each in hospitals for name in (records_topic(each), transfers_topic(each))]
    return [f"topic {name}" for name in wanted if name not in found]


def _topics(kafka: str) -> set[str]:
    with broker_errors("listing topics"), build(KafkaAdminClient, kafka) as client:
        return set(client.list_topics())
