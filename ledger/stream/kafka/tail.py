"""Where a topic stands, read from the topic itself: no second truth that could lag or expire."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from ledger.stream.contract import StreamUnavailable
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.message import Place, place_of

_WINDOW_FIRST = 64
_WIDEN = 8
_SECONDS_MAX = 30.0
_POLL_S = 0.2
_POLL_MAX = 2000


def last_places(reader: KafkaStreamReader) -> list[Place | None]:
    """The last event of every partition; None where a partition holds none.

    The last w offsets of every partition are read; where only markers or aborted batches lie there, w grows eightfold.
    """
    beginnings, ends = reader.beginnings(), reader.ends()
    found: list[Place | None] = [None] * len(ends)
    window = _WINDOW_FIRST
    open_ones = [number for number, end in enumerate(ends) if beginnings[number] < end]
    while open_ones:
        starts = {number: max(beginnings[number], ends[number] - window) for number in open_ones}
        for number, place in _places(reader, starts, ends):
            found[number] = max(found[number] or place, place, key=lambda each: each.position)
        open_ones = [number for number in open_ones if not found[number] and starts[number] > beginnings[number]]
        window *= _WIDEN
    return found


def beheaded(reader: KafkaStreamReader) -> list[int]:
    """The partitions whose first event names a predecessor: their beginning was deleted."""
    ends = reader.ends()
    # Where nothing was deleted the log begins at 0, and its first event need not be fetched.
    starts = {number: start for number, start in enumerate(reader.beginnings()) if 0 < start < ends[number]}
    firsts: dict[int, Place] = {}
    for number, place in _places(reader, starts, ends):
        firsts.setdefault(number, place)
        if len(firsts) == len(starts):
            break
    return sorted(number for number, place in firsts.items() if place.prev_position != 0)


def _places(reader: KafkaStreamReader, starts: Mapping[int, int], ends: list[int]) -> Iterator[tuple[int, Place]]:
    """Partition and place of every event between the starts and the ends."""
    reader.read_only(starts)
    for number, start in starts.items():
        reader.seek(number, start)
    deadline = time.monotonic() + _SECONDS_MAX
    while any(reader.position(number) < ends[number] for number in starts):
        if time.monotonic() > deadline:
            raise StreamUnavailable("the end of the topic cannot be read", "no READ right on it")
        for message in reader.poll_messages(_POLL_S, _POLL_MAX):
            place = place_of(message)
            if place is not None:
                yield message.partition, place
