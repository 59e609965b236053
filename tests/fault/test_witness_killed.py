"""A witness is killed at its worst moment: it has remembered, and nobody has its answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.merkle import Frontier
from ledger.trust.note import Note, parse_signatures
from ledger.trust.witness_request import AddCheckpoint
from tests.services.witness import WitnessProcess
from tests.unit.trust.naive_tree import numbered_leaves
from tests.unit.trust.tlog_samples import LEAVES, LOG, ORIGIN, root_at, signed


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    """A witness that follows the sample log."""
    process = WitnessProcess(tmp_path / "witness", "witness.example/w1", [LOG.verifier()])
    yield process
    process.stop()


def forked(size: int) -> Note:
    """Another tree of this size, signed by the same key."""
    frontier = Frontier()
    frontier.extend([*LEAVES[: size - 1], numbered_leaves(999)[998]])
    text = Checkpoint(ORIGIN, size, frontier.root()).text()
    return Note(text, (LOG.sign(text),))


def test_killed_between_remembering_and_answering_it_never_cosigns_two_roots(witness: WitnessProcess) -> None:
    """Started again it knows the size, cosigns that very root, and no other of the size or below."""
    request = AddCheckpoint(0, (), signed(5))
    witness.start("tests.fault.witness_that_dies")
    with pytest.raises(httpx.HTTPError):
        witness.add(request)
    witness.kill()
    witness.start()
    fork = witness.add(AddCheckpoint(5, (), forked(5)))
    assert fork.status_code == 422
    again = witness.add(request)
    assert (again.status_code, again.text) == (409, "5\n")
    answered = witness.add(AddCheckpoint(5, (), signed(5)))
    assert answered.status_code == 200
    (line,) = parse_signatures(answered.text)
    assert witness.key.time_of(Checkpoint(ORIGIN, 5, root_at(5)).text(), line)


def test_killed_at_any_time_it_remembers(witness: WitnessProcess) -> None:
    """After a kill -9 it still refuses a fork and a shrink."""
    witness.start()
    assert witness.add(AddCheckpoint(0, (), signed(7))).status_code == 200
    witness.kill()
    witness.start()
    assert witness.add(AddCheckpoint(0, (), signed(3))).status_code == 409
    assert witness.add(AddCheckpoint(7, (), signed(3))).status_code == 400
    assert witness.add(AddCheckpoint(7, (), forked(7))).status_code == 422
    assert witness.add(AddCheckpoint(7, (), signed(7))).status_code == 200


def test_two_witnesses_never_share_a_memory(witness: WitnessProcess, tmp_path: Path) -> None:
    """The second process on the same folder does not start."""
    witness.start()
    second = WitnessProcess(tmp_path / "second", "witness.example/w1", [LOG.verifier()])
    second.memory.symlink_to(witness.memory)
    with pytest.raises(AssertionError, match="Another witness uses this folder"):
        second.start()
