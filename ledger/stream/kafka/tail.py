"""Where a topic stands, read from the topic itself: no second truth that could lag or expire."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ledger.stream.contract import StreamUnavailable
from ledger.stream.kafka.reader import KafkaStreamReader

_WINDOW_FIRST = 64
_WIDEN = 8
_SECONDS_MAX = 30.0
_POLL_S = 0.2
_POLL_MAX = 2000


def last_positions(reader: KafkaStreamReader) -> list[int]:
    """The last ledger position in every partition; 0 where a partition holds none.

    The last w offsets of every partition are read; where only markers or aborted batches lie there, w grows eightfold.
    """
    beginnings, ends = reader.beginnings(), reader.ends()
    found = [0] * len(ends)
    window = _WINDOW_FIRST
    open_ones = [number for number, end in enumerate(ends) if beginnings[number] < end]
    while open_ones:
        starts = {number: max(beginnings[number], ends[number] - window) for number in open_ones}
        for number, position in _highest(reader, starts, ends).items():
            found[number] = position
        open_ones = [number for number in open_ones if not found[number] and starts[number] > beginnings[number]]
        window *= _WIDEN
    return found


def _highest(reader: KafkaStreamReader, starts: Mapping[int, int], ends: list[int]) -> dict[int, int]:
    reader.read_only(starts)
    for number, start in starts.items():
        reader.seek(number, start)
    deadline = time.monotonic() + _SECONDS_MAX
    highest: dict[int, int] = {}
    while any(reader.position(number) < ends[number] for number in starts):
        if time.monotonic() > deadline:
            raise StreamUnavailable("the end of the topic cannot be read", "no READ right on it")
        for event in reader.poll(_POLL_S, _POLL_MAX):
            highest[event.partition] = max(highest.get(event.partition, 0), event.position)
    return highest
