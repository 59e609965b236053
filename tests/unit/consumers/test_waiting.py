"""What one sender cannot have checked stops no other's messages, and waits no longer than is said."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from consumers.transfer_message import TransferMessage
from consumers.waiting_room import LONGEST_WAIT, NotNow, WaitEnd, WaitingRoom
from tests.unit.consumers.histories import NORTH, NOW
from tests.unit.consumers.test_follower import WAITING_MAX, Messages, Said, Work, follow, message

EAST = "ledger.example/east/1"
EAST_SUCCEEDED = "ledger.example/east/2"


class Silent(Work):
    """The log of these senders' ledgers does not answer; what may not wait is answered, or nobody waits for it."""

    def __init__(self, *origins: str, answers: bool = True) -> None:
        super().__init__()
        self.origins = origins
        self.answers = answers
        self.given_up: list[tuple[int, WaitEnd, str]] = []

    async def handle(self, message: TransferMessage) -> None:
        """Takes a message, or puts it off."""
        if message.origin in self.origins:
            raise NotNow("its log", "UNREACHABLE: away")
        await super().handle(message)

    async def give_up(self, message: TransferMessage, end: WaitEnd, later: NotNow) -> bool:
        """Takes down what is given up, and why."""
        self.given_up.append((message.position, end, later.status))
        return self.answers


def _full_room(folder: Path, since: datetime = NOW) -> None:
    room = WaitingRoom(folder / "waiting")
    for position in range(1, WAITING_MAX + 1):
        room.put(message(position, EAST), since)


def _letters(folder: Path) -> list[str]:
    path = folder / "dead-letters.jsonl"
    return [json.loads(line)["reason"].partition(":")[0] for line in path.read_text().splitlines()]


async def test_who_finds_no_place_is_answered_and_others_go_on(tmp_path: Path) -> None:
    """A sender, under all its origins, has so many places and no more; another one's messages are taken, or wait."""
    _full_room(tmp_path)
    late = WAITING_MAX + 1
    silent, said = Silent(EAST, EAST_SUCCEEDED, "ledger.example/west/1"), Said()
    topic = [message(late, EAST_SUCCEEDED), message(7), message(8, "ledger.example/west/1"), message(9)]
    await follow(Messages(topic), silent, tmp_path, said=said)
    assert silent.given_up == [(late, WaitEnd.TOO_MANY_WAIT, "UNREACHABLE: away")]
    assert silent.done == [(NORTH, 7), (NORTH, 9)]
    assert said.all[-1] == ("running", 0, WAITING_MAX + 1)


async def test_what_nobody_can_be_answered_of_is_one_dead_letter_for_all(tmp_path: Path) -> None:
    """However much it is: a person is told once, by sender and reason, and no other sender's messages stop for it."""
    _full_room(tmp_path)
    topic = [message(WAITING_MAX + n, EAST) for n in range(1, 20)]
    said = Said()
    for _ in range(2):
        silent = Silent(EAST, answers=False)
        await follow(Messages([*topic, message(7)]), silent, tmp_path, 3, said)
    assert _letters(tmp_path) == ["TOO_MANY_WAIT"]
    assert said.all[-1] == ("running", 1, WAITING_MAX)


async def test_a_wait_ends_after_the_longest_one(tmp_path: Path) -> None:
    """Counted from when the message came, over starts; the answered one is gone, and its place free again."""
    for passed, ends in ((LONGEST_WAIT * 0, 0), (LONGEST_WAIT * 0.9, 0), (LONGEST_WAIT, 1)):
        silent, said = Silent(EAST), Said()
        await follow(Messages([message(3, EAST)]), silent, tmp_path, said=said, now=NOW + passed)
        assert silent.given_up == [(3, WaitEnd.WAITED_TOO_LONG, "UNREACHABLE: away")] * ends
        assert said.all[-1] == ("running", 0, 1 - ends)
    assert not list((tmp_path / "waiting").iterdir())


async def test_what_nobody_can_be_answered_of_waits_on_and_a_person_is_told(tmp_path: Path) -> None:
    """Once for each sender and reason; when its log answers again it is taken after all."""
    said = Said()
    for passed in (LONGEST_WAIT * 0, LONGEST_WAIT, LONGEST_WAIT * 2):
        silent = Silent(EAST, answers=False)
        topic = [message(position, EAST) for position in range(1, 10)]
        await follow(Messages(topic), silent, tmp_path, 3, said, NOW + passed)
    assert (said.all[-1], _letters(tmp_path)) == (("running", 1, 9), ["WAITED_TOO_LONG"])
    back = Work()
    await follow(Messages([]), back, tmp_path, 3, said, NOW + LONGEST_WAIT * 3)
    assert [position for _, position in back.done] == list(range(1, 10))
    assert said.all[-1] == ("running", 1, 0)


async def test_what_an_earlier_release_let_wait_has_an_end_too(tmp_path: Path) -> None:
    """Its files do not say since when: they were written when their messages came."""
    WaitingRoom(tmp_path / "waiting").put(message(3, EAST), NOW)
    (path,) = (tmp_path / "waiting").iterdir()
    row = json.loads(path.read_bytes())
    del row["since"]
    path.write_text(json.dumps(row))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    silent = Silent(EAST)
    await follow(Messages([]), silent, tmp_path, now=NOW + LONGEST_WAIT)
    assert [end for _, end, _ in silent.given_up] == [WaitEnd.WAITED_TOO_LONG]
