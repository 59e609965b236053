"""Each message is handled once, in order; poison is put aside; the checkpoint moves after the work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from consumers.checkpoint_file import BadCheckpoint, CheckpointFile
from consumers.dead_letters import DeadLetter, DeadLetterFile, DeadLetterLimit
from consumers.follower import Follower
from consumers.stream_topic import StreamTopic
from consumers.transfer_message import PoisonMessage, TransferMessage
from consumers.transfer_topic import Delivered, Place
from consumers.waiting_room import NotNow, WaitEnd, WaitingRoom
from ledger.stream.contract import MalformedMessage, PublishedEvent
from tests.services.sealed import FIXED_KEY
from tests.unit.consumers.histories import NORTH, NOW, RECORD

WAITING_MAX = 20


class Messages:
    """A topic of one partition that is read from the place asked for."""

    def __init__(self, messages: Sequence[TransferMessage], topic_id: str = "first") -> None:
        self.messages = messages
        self.topic_id = topic_id
        self.at = 0

    async def open(self, hospital: str, places: Mapping[int, Place]) -> Messages:
        """Reads on at the place of partition 0."""
        assert hospital == "south"
        place = places.get(0)
        self.at = place.next_offset if place is not None and place.topic_id == self.topic_id else 0
        return self

    async def poll(self, timeout_seconds: float, messages_max: int) -> Sequence[Delivered]:
        """Up to so many messages."""
        assert timeout_seconds > 0
        found = self.messages[self.at : self.at + messages_max]
        first, self.at = self.at, self.at + len(found)
        return [Delivered(0, Place(self.topic_id, first + n + 1), message) for n, message in enumerate(found)]

    async def close(self) -> None:
        """Nothing to give up."""


def message(position: int, origin: str = NORTH) -> TransferMessage:
    """A message that says nothing."""
    return TransferMessage(origin, position, b"", b"")


class Work:
    """Remembers what was handled; some positions are poison, at some it dies."""

    def __init__(self, poison: Sequence[int] = (), dies_at: int = 0) -> None:
        self.done: list[tuple[str, int]] = []
        self.poison = poison
        self.dies_at = dies_at

    async def handle(self, message: TransferMessage) -> None:
        """Takes a message."""
        if message.position == self.dies_at:
            raise KeyboardInterrupt
        if message.position in self.poison:
            raise PoisonMessage("BAD: no good")
        self.done.append((message.origin, message.position))

    async def give_up(self, message: TransferMessage, end: WaitEnd, later: NotNow) -> bool:
        """Nothing here may wait."""
        raise AssertionError((message, end, later))


class Said:
    """What a follower tells of itself."""

    def __init__(self) -> None:
        self.all: list[tuple[str, int, int]] = []

    async def say(self, state: str, dead_letters: int, waiting: int) -> None:
        """Takes it down."""
        self.all.append((state, dead_letters, waiting))


async def follow(
    topic: Messages,
    work: Work,
    folder: Path,
    dead_letters_max: int = 10,
    said: Said | None = None,
    now: datetime = NOW,
) -> None:
    """Runs a consumer until the topic has nothing more."""
    follower = Follower(
        "south",
        open_topic=topic.open,
        desk=work,
        opener=FIXED_KEY,
        folder=folder,
        clock=lambda: now,
        say=(said or Said()).say,
        dead_letters_max=dead_letters_max,
        waiting_of_sender_max=WAITING_MAX,
    )
    await follower.run(asyncio.Event(), lambda: True)


async def test_a_second_run_begins_behind_the_first(tmp_path: Path) -> None:
    """Nothing is handled twice, nothing is left out."""
    messages, work = [message(3), message(7)], Work()
    await follow(Messages(messages), work, tmp_path)
    await follow(Messages([*messages, message(9)]), work, tmp_path)
    assert [position for _, position in work.done] == [3, 7, 9]


async def test_it_tells_how_many_it_put_aside_and_that_it_stopped(tmp_path: Path) -> None:
    """Also after a start that finds nothing new; at the limit it says so before it ends."""
    said, work = Said(), Work(poison=(3, 4))
    await follow(Messages([message(3)]), work, tmp_path, 2, said)
    assert said.all[-1] == ("running", 1, 0)
    again = Said()
    await follow(Messages([message(3)]), work, tmp_path, 2, again)
    assert again.all[-1] == ("running", 1, 0)
    with pytest.raises(DeadLetterLimit):
        await follow(Messages([message(3), message(4)]), work, tmp_path, 2, said)
    assert said.all[-1] == ("stopped", 2, 0)


async def test_repeats_of_a_sender_are_dropped_and_other_senders_are_not(tmp_path: Path) -> None:
    """Identity is (origin, position)."""
    east = "ledger.example/east/1"
    work = Work()
    await follow(Messages([message(3), message(3, east), message(3), message(4), message(3)]), work, tmp_path)
    assert work.done == [(NORTH, 3), (east, 3), (NORTH, 4)]


async def test_what_a_sender_sends_again_behind_newer_ones_is_not_left_out(tmp_path: Path) -> None:
    """A topic that lost messages before they were read gets them again later: a lower position is no repeat."""
    messages, work = [message(3), message(9)], Work()
    await follow(Messages(messages), work, tmp_path)
    await follow(Messages([*messages, message(5), message(9), message(7)]), work, tmp_path)
    assert [position for _, position in work.done] == [3, 9, 5, 7]


def test_a_checkpoint_of_the_first_form_is_read(tmp_path: Path) -> None:
    """It knew the last position of every sender."""
    path = tmp_path / "checkpoint.json"
    row = {"topic_id": "first", "next_offset": 4, "last_positions": {NORTH: 3}}
    path.write_text(json.dumps({"partitions": {"0": row}}))
    checkpoint = CheckpointFile(path)
    again = Delivered(0, Place("first", 5), message(3))
    assert checkpoint.is_repeat(again)
    checkpoint.advance(again)
    checkpoint.save()
    assert CheckpointFile(path).is_repeat(again)


async def test_a_topic_made_anew_is_read_from_its_start(tmp_path: Path) -> None:
    """Handling again does no harm; leaving out would."""
    work = Work()
    await follow(Messages([message(3)]), work, tmp_path)
    await follow(Messages([message(3), message(5)], "second"), work, tmp_path)
    assert [position for _, position in work.done] == [3, 3, 5]


async def test_what_was_handled_before_a_death_in_the_same_batch_is_not_handled_again(tmp_path: Path) -> None:
    """The checkpoint says what was done."""
    work = Work(dies_at=7)
    with pytest.raises(KeyboardInterrupt):
        await follow(Messages([message(3), message(7)]), work, tmp_path)
    work.dies_at = 0
    await follow(Messages([message(3), message(7)]), work, tmp_path)
    assert [position for _, position in work.done] == [3, 7]


async def test_poison_is_put_aside_with_its_reason_and_the_topic_goes_on(tmp_path: Path) -> None:
    """Place, type and reason; never the content."""
    work = Work(poison=[3])
    await follow(Messages([message(3), message(5)]), work, tmp_path)
    assert [position for _, position in work.done] == [5]
    letters = [json.loads(line) for line in (tmp_path / "dead-letters.jsonl").read_text().splitlines()]
    assert letters == [{"origin": NORTH, "position": 3, "type": "", "reason": "BAD: no good", "at": NOW.isoformat()}]


async def test_too_much_poison_stops_the_consumer(tmp_path: Path) -> None:
    """A person has to look; until then nothing more is put aside."""
    work = Work(poison=[3, 4])
    with pytest.raises(DeadLetterLimit):
        await follow(Messages([message(3), message(4), message(5)]), work, tmp_path, 2)
    assert work.done == []


def test_a_dead_letter_is_written_once_although_its_message_comes_again(tmp_path: Path) -> None:
    """Also after a kill in the middle of its line."""
    path = tmp_path / "dead-letters.jsonl"
    letter = DeadLetter(NORTH, 3, "t", "R: x", NOW)
    DeadLetterFile(path).put(letter)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    letters = DeadLetterFile(path)
    letters.put(letter)
    assert len(letters) == 1
    assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["", "[]", '{"partitions": []}', '{"partitions": {"x": {}}}'])
def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """By name; a consumer never silently begins again."""
    path = tmp_path / "checkpoint.json"
    path.write_text(text)
    with pytest.raises(BadCheckpoint):
        CheckpointFile(path)


class Reader:
    """A StreamReader whose messages at some offsets cannot be read."""

    def __init__(self, count: int, malformed: Sequence[int]) -> None:
        self.count = count
        self.malformed = malformed
        self.at = 0

    def partitions(self) -> int:
        """One."""
        return 1

    def topic_id(self) -> str:
        """Always the same."""
        return "topic"

    def seek(self, partition: int, next_offset: int) -> None:
        """Goes to an offset."""
        assert partition == 0
        self.at = next_offset

    def poll(self, timeout_s: float, events_max: int) -> Sequence[PublishedEvent]:
        """As the Kafka adapter does: what was fetched before a message that cannot be read is lost with it."""
        assert timeout_s > 0
        offsets = range(self.at, min(self.at + events_max, self.count))
        self.at = offsets.stop
        for offset in offsets:
            if offset in self.malformed:
                raise MalformedMessage(0, offset, "broken")
        return [_event(offset) for offset in offsets]

    def end(self, partition: int) -> int:
        """Behind the last."""
        return self.count + partition

    def close(self) -> None:
        """Nothing to give up."""


def _event(offset: int) -> PublishedEvent:
    return PublishedEvent("north", NORTH, offset + 1, RECORD, 1, "t", 1, b"", b"", 0, offset, offset + 1)


@pytest.mark.parametrize("malformed", [[], [0], [2], [4], [1, 2], [0, 4]])
async def test_a_message_that_cannot_be_read_comes_as_one_and_hides_no_other(malformed: list[int]) -> None:
    """Every other message comes exactly once, in order; the unreadable one has a place of its own."""
    topic = await StreamTopic.open(Reader(5, malformed), {})
    found: list[Delivered] = []
    for _ in range(12):
        found += await topic.poll(1.0, 100)
    assert [each.place.next_offset for each in found] == [1, 2, 3, 4, 5]
    unreadable = [each.message for each in found if each.message.origin.startswith("unreadable:")]
    assert [each.position - 1 for each in unreadable] == malformed


def test_a_room_that_is_filled_anew_keeps_the_order_of_the_ledger(tmp_path: Path) -> None:
    """An offer is tried before the news that its package was changed."""
    room = WaitingRoom(tmp_path / "waiting")
    for position in (10, 9, 100):
        room.put(message(position), NOW)
    assert [each.position for each in WaitingRoom(tmp_path / "waiting").due()] == [9, 10, 100]
