"""Where a topic stands, read from the topic itself: no second truth that could lag or expire."""

from __future__ import annotations

import time

from ledger.stream.contract import StreamUnavailable
from ledger.stream.kafka.reader import KafkaStreamReader

_WINDOW_FIRST = 64
_WIDEN = 8
_SECONDS_MAX = 30.0
_POLL_S = 0.2
_POLL_MAX = 2000


def last_positions(reader: KafkaStreamReader) -> list[int]:
    """The last ledger position in every partition; 0 where a partition holds none.

    For each partition the last w offsets are read; where only markers or aborted batches lie there, w grows eightfold.
    """
    beginnings, ends = reader.beginnings(), reader.ends()
    return [_last(reader, number, first, end) for number, (first, end) in enumerate(zip(beginnings, ends, strict=True))]


def _last(reader: KafkaStreamReader, partition: int, first: int, end: int) -> int:
    window = _WINDOW_FIRST
    while first < end:
        start = max(first, end - window)
        found = _highest(reader, partition, start, end)
        if found or start == first:
            return found
        window *= _WIDEN
    return 0


def _highest(reader: KafkaStreamReader, partition: int, start: int, end: int) -> int:
    others = [number for number in range(reader.partitions()) if number != partition]
    reader.only(partition, others)
    reader.seek(partition, start)
    deadline = time.monotonic() + _SECONDS_MAX
    highest = 0
    while reader.position(partition) < end:
        if time.monotonic() > deadline:
            raise StreamUnavailable(f"the tail of partition {partition} cannot be read", "no READ right on the topic")
        for event in reader.poll(_POLL_S, _POLL_MAX):
            highest = max(highest, event.position)
    return highest
