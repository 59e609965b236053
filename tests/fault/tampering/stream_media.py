"""Messages of the published stream, on a real topic of each tampering's own, before the readers of views."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from random import Random

from kafka import KafkaProducer

from ledger.api.v1.events_pb2 import PublishedEvent
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.feeds import feed_opener
from ledger.stream.contract import GapFound
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.message import Message
from ledger.stream.topics import records_topic
from ledger.trust.sealing import SealFault
from projections.checkpoint import Delivered
from tests.eventually import eventually
from tests.fault.tampering.building import HOSPITAL
from tests.fault.tampering.changes import TRIES, Change, changes
from tests.fault.tampering.medium import Found, Medium, Tampering
from tests.fault.tampering.stored_state import PARTITIONS, Stored

MESSAGES = 40
"""Of each partition, from its first on."""
_MESSAGES_MIN = 4
_numbers = count(1)
_REST, _REST_AT_FIRST = 5, 50
"""Empty polls after which nothing more comes."""


@dataclass
class Topic:
    """The messages as the product published them, and what its readers make of others."""

    stored: Stored

    def __post_init__(self) -> None:
        self.messages = self._read()
        self.now = self.messages

    def check(self) -> Found:
        """Publishes the messages of now on a topic of their own, and reads it as a view does."""
        name = f"tampered{next(_numbers)}"
        self._publish(records_topic(name))
        return asyncio.run(self._followed(name))

    @contextmanager
    def holding(self, messages: Sequence[Message]) -> Generator[None]:
        """Other messages while the block runs."""
        self.now = list(messages)
        try:
            yield
        finally:
            self.now = self.messages

    def _read(self) -> list[Message]:
        reader = KafkaStreamReader(self.stored.settings.kafka_bootstrap, records_topic(HOSPITAL))
        try:
            found: list[Message] = []
            ends = reader.ends()
            for partition in range(PARTITIONS):
                reader.seek(partition, 0)

            def at_end() -> bool:
                found.extend(reader.poll_messages(0.5, 500))
                return all(reader.position(number) >= end for number, end in enumerate(ends))

            eventually(at_end, seconds_max=60, what="the topic read to its end")
            return [each for number in range(PARTITIONS) for each in _of(found, number)[:MESSAGES]]
        finally:
            reader.close()

    def _publish(self, topic: str) -> None:
        TopicsAdmin(self.stored.settings.kafka_bootstrap).ensure(topic, PARTITIONS)
        producer = KafkaProducer(bootstrap_servers=self.stored.settings.kafka_bootstrap)
        try:
            for each in self.now:
                producer.send(topic, each.value, each.key, list(each.headers), each.partition)
            producer.flush(30)
        finally:
            producer.close()

    async def _followed(self, hospital: str) -> Found:
        """What a view gets: every event's place and opened body; refused by its first fault."""
        async with bodies_with_keys(self.stored.settings) as bodies:
            feed = await feed_opener(self.stored.settings, bodies.opener)(hospital, PARTITIONS, {})
            got: list[Delivered] = []
            rest = 0
            try:
                while rest < _REST or (not got and rest < _REST_AT_FIRST):
                    batch = await feed.poll(0.2, 500)
                    rest = rest + 1 if feed.at_rest else 0  # what is skipped as a repeat is no rest
                    got += batch
                    faults = [fault for each in batch if (fault := _fault_in(each))]
                    if faults:
                        return Found(accepted=False, says=faults[0])
            except GapFound as gap:
                return Found(accepted=False, says=str(gap))
            finally:
                await feed.close()
        return Found(accepted=True, says="\n".join(sorted(map(_said, got))))


@dataclass
class Parts:
    """One part of every message."""

    topic: Topic
    part_of: Callable[[Message], dict[str, bytes]]
    put: Callable[[Message, str, bytes | None], Message]

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says; an old part is that of an earlier message.

        Not of the last one of a partition: where that becomes nobody's message, the topic ends before it (Whole).
        """
        last = {each.partition: number for number, each in enumerate(self.topic.messages)}
        named = {
            f"{number} {name}": data
            for number, each in enumerate(self.topic.messages)
            if number not in last.values()
            for name, data in self.part_of(each).items()
        }
        older = {name: named.get(f"{int(name.split()[0]) - 1} {name.split()[1]}", named[name]) for name in named}
        for changed in changes(change, named, older, dice):
            yield Tampering(tuple(changed), lambda changed=changed: self._with(changed))

    def _with(self, changed: dict[str, bytes | None]) -> AbstractContextManager[None]:
        messages = list(self.topic.messages)
        for name, data in changed.items():
            number, part = name.split()
            messages[int(number)] = self.put(messages[int(number)], part, data)
        return self.topic.holding(messages)

    def check(self) -> Found:
        """As Medium says."""
        return self.topic.check()

    def places(self, name: str) -> Sequence[str]:
        """The event's position, or the partition in which something is missing."""
        message = self.topic.messages[int(name.split()[0])]
        return f"position {_position(message)} ", f"partition {message.partition}:"

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return set(after.says.splitlines()) <= set(before.says.splitlines())


@dataclass
class Whole:
    """Whole messages."""

    topic: Topic

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says; the last message of a partition is TRUNCATE's."""
        messages = self.topic.messages
        for _ in range(TRIES):
            long = [number for number in range(PARTITIONS) if len(_of(messages, number)) >= _MESSAGES_MIN]
            partition = dice.choice(long)
            of = [at for at, each in enumerate(messages) if each.partition == partition]
            one, two = sorted(dice.sample(of[:-1], 2))
            changed = list(messages)
            match change:
                case Change.DELETE:
                    del changed[one]
                case Change.SWAP:
                    changed[one], changed[two] = changed[two], changed[one]
                case Change.REPLAY:
                    changed.insert(two + 1, messages[one])
                case _:
                    del changed[two : of[-1] + 1]
            yield Tampering((str(one), str(two)), lambda changed=changed: self.topic.holding(changed))

    def check(self) -> Found:
        """As Medium says."""
        return self.topic.check()

    def places(self, name: str) -> Sequence[str]:
        """As Medium says."""
        return (f"partition {self.topic.messages[int(name)].partition}:",)

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return set(after.says.splitlines()) <= set(before.says.splitlines())


def stream_media(stored: Stored) -> dict[str, Medium]:
    """The media by their name in the declaration."""
    topic = Topic(stored)
    return {
        "message envelope": Parts(topic, lambda each: {"envelope": _value(each).envelope}, _put_in_value),
        "message body": Parts(topic, lambda each: {"body": _value(each).body}, _put_in_value),
        "message key": Parts(topic, lambda each: {"key": each.key or b""}, _put_key),
        "message headers": Parts(topic, _headers, _put_header),
        "message trace": Parts(topic, lambda each: {"traceparent": dict(each.headers)["traceparent"]}, _put_header),
        "message": Whole(topic),
    }


def _headers(message: Message) -> dict[str, bytes]:
    return {name: data for name, data in message.headers if name != "traceparent"}


def _of(found: Sequence[Message], partition: int) -> list[Message]:
    return [each for each in found if each.partition == partition]


def _position(message: Message) -> str:
    return dict(message.headers)["ce_position"].decode()


def _value(message: Message) -> PublishedEvent:
    return PublishedEvent.FromString(message.value or b"")


def _put_in_value(message: Message, part: str, data: bytes | None) -> Message:
    value = _value(message)
    setattr(value, part, data or b"")
    return replace(message, value=value.SerializeToString())


def _put_key(message: Message, _part: str, data: bytes | None) -> Message:
    return replace(message, key=data)


def _put_header(message: Message, part: str, data: bytes | None) -> Message:
    kept = [(name, data if name == part and data is not None else value) for name, value in message.headers]
    return replace(message, headers=[each for each in kept if data is not None or each[0] != part])


def _fault_in(delivered: Delivered) -> str:
    event = delivered.event
    if event.event_type == "":
        return f"position {event.position} unreadable"
    if isinstance(event.opening, SealFault):
        return f"position {event.position} {event.opening.kind.name}"
    return ""


def _said(delivered: Delivered) -> str:
    event = delivered.event
    place = f"{event.position} {event.stream_id} {event.version} {event.event_type} {event.recorded_at}"
    return f"{place} {event.leaf.hex()} {sha256(repr(event.opening).encode()).hexdigest()}"
