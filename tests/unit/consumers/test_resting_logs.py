"""A log that answers slowly, or has forked, is left alone for a while, so that others have their turn."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.checkpoints import LogForked
from consumers.fork_evidence import decide, forks_below
from consumers.leaf_place import LeafPlace
from consumers.receiving_hospital.senders_logs import SendersLogs
from consumers.waiting_room import NotNow
from ledger.trust.leaf import leaf_hash
from ledger.trust.note_key import parse_verifier_key
from ledger.trust.policy import Peer, Policy
from tests.fault.test_integration_step import EVENTS
from tests.unit.consumers.test_end_before_successor import log_of, other_events, served
from tests.unit.trust.tlog_samples import LOG, ORIGIN


class Clock:
    """Seconds that pass between two looks at it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.passing = 0.0

    def __call__(self) -> float:
        self.now += self.passing
        return self.now


def _place(position: int) -> LeafPlace:
    return LeafPlace(ORIGIN, position, leaf_hash(EVENTS[position - 1].envelope))


def _logs(url: str, folder: Path, clock: Clock) -> SendersLogs:
    peer = Peer(parse_verifier_key(str(LOG.verifier())), url)
    return SendersLogs(lambda: Policy((peer,), {}, {}, "none"), folder, clock)


async def test_a_slow_log_has_a_quarter_of_the_time(tmp_path: Path) -> None:
    """What it said holds; it is asked again when three times as long has gone by."""
    log_of(tmp_path / "log", ORIGIN, EVENTS[:5])
    clock = Clock()
    with served(tmp_path / "log") as url:
        logs = _logs(url, tmp_path / "seen", clock)
        clock.passing = 4.0
        assert await logs.holds(_place(1))
        clock.passing = 0.0
        with pytest.raises(NotNow, match="SLOW: "):
            await logs.holds(_place(2))
        clock.now += 11.9
        with pytest.raises(NotNow, match="SLOW: "):
            await logs.holds(_place(2))
        clock.now += 0.2
        assert await logs.holds(_place(2))
        assert await logs.holds(_place(3))


async def test_a_log_that_forked_is_not_asked_and_one_that_was_decided_of_is_at_once(tmp_path: Path) -> None:
    """A thousand of its messages cost nobody a minute; a person's decision need not wait for the pause."""
    clock, shown = Clock(), tmp_path / "log"
    log_of(tmp_path / "one", ORIGIN, EVENTS[:5])
    log_of(tmp_path / "other", ORIGIN, other_events(1, 5))
    shown.symlink_to("one")
    with served(shown) as url:
        logs = _logs(url, tmp_path / "seen", clock)
        assert await logs.holds(_place(1))
        shown.unlink()
        shown.symlink_to("other")
        with pytest.raises(LogForked):
            await logs.holds(_place(1))
    with pytest.raises(LogForked):  # nobody answers any more
        await logs.holds(_place(1))
    (fork,) = forks_below(tmp_path / "seen")
    decide(fork, "ann", "compared", datetime(2026, 5, 1, tzinfo=UTC), other_is_right=False)
    with pytest.raises(NotNow, match="UNREACHABLE"):
        await logs.holds(_place(1))
