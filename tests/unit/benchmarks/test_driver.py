"""How another program is asked to do the job."""

import sys
from collections.abc import Sequence

import pytest

from benchmarks.peers.driver import DrivenSystem, DriverFailed, in_threads
from benchmarks.peers.job import EVENTS

_ANSWERS = "import json, sys; task = json.load(sys.stdin); print(json.dumps({answer}))"


def system(program: str) -> DrivenSystem:
    """A driver of one line of Python."""
    command: Sequence[str] = (sys.executable, "-c", program)
    return DrivenSystem("other", command, "postgresql://user:secret@host/db", {})


async def test_a_rate_is_what_the_driver_counted_in_its_own_time() -> None:
    """What a program takes to start is no part of what it measures."""
    answer = "{'count': 100, 'seconds': 0.5, 'cpu_seconds': 0.001}"
    measured = await system(_ANSWERS.replace("{answer}", answer)).append(16)
    assert (measured.value, measured.cpu_us) == (200, 10)


async def test_a_replay_that_lost_events_is_no_figure() -> None:
    """The fastest way to read everything is to leave some out."""
    answer = f"{{'count': {EVENTS - 1}, 'seconds': 1, 'cpu_seconds': 0}}"
    with pytest.raises(DriverFailed, match=str(EVENTS)):
        await system(_ANSWERS.replace("{answer}", answer)).replay()


async def test_a_driver_that_breaks_off_says_why_and_never_the_password() -> None:
    """The reason goes into a table and into a file."""
    with pytest.raises(DriverFailed, match="no such table") as failed:
        await system("import sys; sys.exit('no such table')").few()
    assert "secret" not in str(failed.value)


def test_threads_count_what_they_did_and_not_their_first_call() -> None:
    """The first call of each opens its connection."""
    calls: list[int] = []
    counted = in_threads(calls.append, 4, 0.05)
    assert set(calls) == {0, 1, 2, 3}
    assert counted.count == len(calls) - 4


def test_a_fault_in_a_thread_is_raised() -> None:
    """A caller that died must not make the others look like all."""

    def broken(number: int) -> None:
        if number == 1:
            raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        in_threads(broken, 3, 0.05)
