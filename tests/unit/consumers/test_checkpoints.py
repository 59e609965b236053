"""The receiver's rule: a quorum, keys of the policy alone, and only a tree that grew from the one it saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.checkpoints import LogForked, NotConsistent, SeenCheckpoints
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import QuorumMissing, SignatureFault
from ledger.trust.merkle import Frontier, Node
from ledger.trust.merkle_proof import plan_consistency
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind
from ledger.trust.policy_file import parse_policy
from tests.unit.trust.naive_tree import numbered_leaves
from tests.unit.trust.tlog_samples import LEAVES, LOG, ORIGIN, POLICY, WITNESSES, key, signed


def node(at: Node) -> bytes:
    frontier = Frontier()
    frontier.extend(LEAVES[at.index << at.height : (at.index + 1) << at.height])
    return frontier.root()


def prove(old: int, size: int) -> tuple[bytes, ...]:
    return plan_consistency(old, size).proof(node)


def forked(size: int) -> Note:
    """Another tree of this size, signed and cosigned by the same keys."""
    frontier = Frontier()
    frontier.extend([*LEAVES[: size - 1], numbered_leaves(999)[998]])
    text = Checkpoint(ORIGIN, size, frontier.root()).text()
    return Note(text).signed_also(LOG.sign(text), *(each.cosign(text, 100) for each in WITNESSES))


@pytest.fixture
def seen(tmp_path: Path) -> SeenCheckpoints:
    return SeenCheckpoints(tmp_path / "seen", parse_policy(POLICY))


def size_kept(seen: SeenCheckpoints) -> int:
    last = seen.last(ORIGIN)
    return last.size if last else 0


def test_a_log_that_grows_is_accepted(seen: SeenCheckpoints, tmp_path: Path) -> None:
    """Each head is kept for the next run; an older one of the same tree passes and takes nobody's place."""
    for size in (3, 3, 100, 257):
        assert seen.accept(signed(size, 1, 2), prove).size == size
    assert seen.accept(signed(50, 1, 2), prove).size == 50
    assert size_kept(SeenCheckpoints(tmp_path / "seen", parse_policy(POLICY))) == 257


def test_without_a_quorum_nothing_is_accepted(seen: SeenCheckpoints) -> None:
    """One cosignature of three, or another log's key, is not enough, and nothing is kept."""
    with pytest.raises(QuorumMissing):
        seen.accept(signed(3, 1), prove)
    with pytest.raises(SignatureFault):
        seen.accept(signed(3, 1, 2, log=key("other.example", KeyKind.ED25519)), prove)
    assert seen.last(ORIGIN) is None


def test_a_fork_keeps_both_notes_and_stops(seen: SeenCheckpoints, tmp_path: Path) -> None:
    """Two trees of one size: both notes are evidence, the honest head after it is not taken, in no later run either."""
    seen.accept(signed(10, 1, 2), prove)
    with pytest.raises(LogForked) as fork:
        seen.accept(forked(10), prove)
    assert fork.value.consistent_size == 10
    notes = {each.read_bytes() for each in fork.value.kept.iterdir()}
    assert notes == {signed(10, 1, 2).encode(), forked(10).encode()}
    with pytest.raises(LogForked):
        SeenCheckpoints(tmp_path / "seen", parse_policy(POLICY)).accept(signed(20, 1, 2), prove)
    assert size_kept(seen) == 10


@pytest.mark.parametrize("size", [5, 11, 200])
def test_a_head_that_is_not_the_old_one_grown_is_not_accepted(seen: SeenCheckpoints, size: int) -> None:
    """A larger or smaller tree that parts from the one seen has no proof; what was seen stays, and its note is kept."""
    seen.accept(signed(10, 1, 2), prove)
    with pytest.raises(NotConsistent):
        seen.accept(forked(size), prove)
    assert size_kept(seen) == 10
    assert seen.accept(signed(11, 1, 2), prove).size == 11
