"""Reads back what a topic holds above a position, for a ledger that has lost it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from ledger.stream.contract import UNREADABLE, MalformedMessage, PublishedEvent, StreamUnavailable
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.message import read_message

_WINDOW_FIRST = 1024
_WIDEN = 8
_SILENT_SECONDS_MAX = 30.0
_POLL_S = 0.2
_POLL_MAX = 2000


def events_above(reader: KafkaStreamReader, origin: str, position: int, events_max: int) -> list[PublishedEvent]:
    """The events of a log that follow a position without a gap, at most so many; empty where the next one is not there.

    Nothing is said of them but that envelope, key and headers agree. Raises StreamUnavailable.
    """
    beginnings, ends = reader.beginnings(), reader.ends()
    window = _WINDOW_FIRST
    while True:
        starts = {
            number: max(beginnings[number], end - window) for number, end in enumerate(ends) if beginnings[number] < end
        }
        found: dict[int, PublishedEvent] = {}
        lowest = dict.fromkeys(starts, position + 1)
        for event in _events(reader, starts, ends):
            lowest[event.partition] = min(lowest[event.partition], event.position)
            if event.origin == origin and event.type != UNREADABLE and 0 < event.position - position <= events_max:
                found[event.position] = event
        if all(lowest[number] <= position or start == beginnings[number] for number, start in starts.items()):
            break
        window *= _WIDEN
    following: list[PublishedEvent] = []
    while (event := found.get(position + len(following) + 1)) is not None:
        following.append(event)
    return following


def _events(reader: KafkaStreamReader, starts: Mapping[int, int], ends: list[int]) -> Iterator[PublishedEvent]:
    reader.read_only(starts)
    for number, start in starts.items():
        reader.seek(number, start)
    heard = time.monotonic()
    while any(reader.position(number) < ends[number] for number in starts):
        if time.monotonic() - heard > _SILENT_SECONDS_MAX:
            raise StreamUnavailable("the topic cannot be read to its end", "no READ right on it")
        for message in reader.poll_messages(_POLL_S, _POLL_MAX):
            heard = time.monotonic()
            try:
                yield read_message(message)
            except MalformedMessage:
                continue  # not ours, or torn: what it would have been is missing then
