"""The receiver's rule: a quorum, keys of the policy alone, and only a tree that grew from the one it saw."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.checkpoints import LogForked, NotConsistent, SeenCheckpoints
from consumers.fork_evidence import BegunOtherwise, decide, forks_below
from consumers.kept_heads import HEADS_MAX, KeptHeads, Prove
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


def other_leaves(size: int, common: int) -> list[bytes]:
    return [*LEAVES[:common], *numbered_leaves(1000 + size)[1000 + common :]]


def forked(size: int, common: int | None = None) -> Note:
    """Another tree of this size, signed and cosigned by the same keys; the last leaf, or all above `common`, differ."""
    frontier = Frontier()
    frontier.extend(other_leaves(size, size - 1 if common is None else common))
    text = Checkpoint(ORIGIN, size, frontier.root()).text()
    return Note(text).signed_also(LOG.sign(text), *(each.cosign(text, 100) for each in WITNESSES))


def prove_forked(size: int, common: int) -> Prove:
    """As the log proves that shows the other tree."""
    leaves = other_leaves(size, common)

    def other_node(at: Node) -> bytes:
        frontier = Frontier()
        frontier.extend(leaves[at.index << at.height : (at.index + 1) << at.height])
        return frontier.root()

    return lambda old, new: plan_consistency(old, new).proof(other_node)


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
    notes = {name: (fork.value.kept / name).read_bytes() for name in ("checkpoint", "fork")}
    assert notes == {"checkpoint": signed(10, 1, 2).encode(), "fork": forked(10).encode()}
    with pytest.raises(LogForked):
        SeenCheckpoints(tmp_path / "seen", parse_policy(POLICY)).accept(signed(20, 1, 2), prove)
    assert size_kept(seen) == 10


@pytest.mark.parametrize("size", [11, 200])
def test_a_head_that_is_not_the_old_one_grown_is_not_accepted(seen: SeenCheckpoints, size: int) -> None:
    """A larger tree that parts from the one seen has no proof; what was seen stays, and its note is kept."""
    seen.accept(signed(10, 1, 2), prove)
    with pytest.raises(NotConsistent):
        seen.accept(forked(size), prove)
    assert size_kept(seen) == 10
    assert seen.accept(signed(11, 1, 2), prove).size == 11


def test_a_fork_says_how_far_both_trees_are_the_same(seen: SeenCheckpoints) -> None:
    """By the heads that were kept and the proofs of whoever shows the other tree; what they do not prove is nobody's.
    What was found stays, whoever is asked later."""
    for size in (3, 40, 100, 200, 257):
        seen.accept(signed(size, 1, 2), prove)
    with pytest.raises(LogForked) as fork:
        seen.accept(forked(257, common=150), prove_forked(257, 150))
    assert (fork.value.consistent_size, fork.value.common_size) == (257, 100)
    with pytest.raises(LogForked) as again:
        seen.accept(signed(258, 1, 2), prove)
    assert again.value.common_size == 100


def test_a_fork_without_proofs_has_nothing_in_common(seen: SeenCheckpoints) -> None:
    """Then all that came of the log is in doubt, until whoever was not to be reached has given them."""
    for size in (3, 100):
        seen.accept(signed(size, 1, 2), prove)

    def away(_: int, __: int) -> tuple[bytes, ...]:
        raise ConnectionError

    with pytest.raises(LogForked) as fork:
        seen.accept(forked(100, common=50), away)
    assert fork.value.common_size == 0
    with pytest.raises(LogForked) as again:
        seen.accept(forked(100, common=50), prove_forked(100, 50))
    assert again.value.common_size == 3


def test_another_tree_of_an_older_size_is_a_fork_too(seen: SeenCheckpoints) -> None:
    """A head that was kept shows it without any proof."""
    for size in (3, 40, 100):
        seen.accept(signed(size, 1, 2), prove)
    with pytest.raises(LogForked) as fork:
        seen.accept(forked(40, common=10), prove_forked(40, 10))
    assert fork.value.common_size == 3


@pytest.mark.parametrize("other_is_right", [False, True])
def test_a_person_decides_which_tree_goes_on(seen: SeenCheckpoints, tmp_path: Path, *, other_is_right: bool) -> None:
    """The evidence is put aside with name and reason; the tree that was found wrong is not taken afterwards, the
    right one is."""
    for size in (3, 40, 100):
        seen.accept(signed(size, 1, 2), prove)
    with pytest.raises(LogForked):
        seen.accept(forked(100, common=50), prove_forked(100, 50))
    (fork,) = forks_below(tmp_path / "seen")
    aside = decide(fork, "Ann Archer", "OUR_COPY_HELD", datetime(2026, 1, 1, tzinfo=UTC), other_is_right=other_is_right)
    assert {each.name for each in aside.iterdir()} == {"checkpoint", "fork", "common", "decision.json"}
    assert json.loads((aside / "decision.json").read_bytes())["person"] == "Ann Archer"
    assert not seen.is_forked
    again = SeenCheckpoints(tmp_path / "seen", parse_policy(POLICY))
    assert size_kept(again) == 100
    ours, theirs = (signed(200, 1, 2), prove), (forked(200, common=50), prove_forked(200, 50))
    rejected = theirs if not other_is_right else (signed(200, 1, 2), prove)
    with pytest.raises(NotConsistent):
        again.accept(rejected[0], lambda _old, _size: ())
    third = forked(150, common=20), prove_forked(150, 20)
    for number, each in enumerate((rejected, third)):  # a copy each: a fork stops the log
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(tmp_path / "seen", copy)
        with pytest.raises(LogForked):
            SeenCheckpoints(copy, parse_policy(POLICY)).accept(*each)
    assert again.accept(*(ours if not other_is_right else theirs)).size == 200


@pytest.mark.parametrize(
    ("old", "size", "common"), [(10, 200, 5), (100, 101, 50), (64, 200, 5), (2, 9, 1), (200, 10, 5)]
)
def test_a_tree_that_parts_from_the_one_seen_by_its_own_proof_is_a_fork(
    seen: SeenCheckpoints, old: int, size: int, common: int
) -> None:
    """Of another size too: its tiles lead to its signed root and to another beginning, so no proof will ever join both.
    Of a perfect tree, whose proof has nothing of it, the log is asked for the proof that has."""
    seen.accept(signed(old, 1, 2), prove)
    with pytest.raises(LogForked) as fork:
        seen.accept(forked(size, common), prove_forked(max(old, size), common) if size > old else prove)
    assert (fork.value.kept / "fork").read_bytes() == forked(size, common).encode()
    assert size_kept(seen) == old


def test_a_proof_that_leads_to_no_signed_root_is_no_evidence(seen: SeenCheckpoints) -> None:
    """Whoever answers with hashes of another tree makes no fork; that the last head was not proven is known until one
    is."""
    seen.accept(signed(64, 1, 2), prove)
    with pytest.raises(NotConsistent):
        seen.accept(signed(200, 1, 2), prove_forked(200, 5))
    assert (seen.is_forked, seen.is_unproven) == (False, True)
    assert seen.accept(signed(200, 1, 2), prove).size == 200
    assert not seen.is_unproven


def test_what_is_common_is_found_from_the_tree_that_forked_alone(seen: SeenCheckpoints) -> None:
    """The log was away, then showed the first tree again, whose proofs say nothing of the other one: it stays open."""
    for size in (20, 40, 100):
        seen.accept(signed(size, 1, 2), prove)

    def away(_: int, __: int) -> tuple[bytes, ...]:
        raise ConnectionError

    commons: list[int] = []
    theirs = forked(100, 50)
    for note, proofs in ((theirs, away), (signed(110, 1, 2), prove), (theirs, prove_forked(100, 50))):
        with pytest.raises(LogForked) as fork:
            seen.accept(note, proofs)
        commons.append(fork.value.common_size)
    assert commons == [0, 0, 40]


def test_the_tree_a_person_found_right_is_pinned_though_nothing_is_common(
    seen: SeenCheckpoints, tmp_path: Path
) -> None:
    """No third tree is taken as a log that was never seen."""
    seen.accept(signed(100, 1, 2), prove)
    with pytest.raises(LogForked):
        seen.accept(forked(100, 50), lambda _old, _size: ())
    (fork,) = forks_below(tmp_path / "seen")
    decide(fork, "Ann Archer", "OUR_COPY_HELD", datetime(2026, 1, 1, tzinfo=UTC), other_is_right=True)
    with pytest.raises(LogForked):
        seen.accept(forked(150, 0), prove_forked(150, 0))
    assert size_kept(seen) == 100


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("at", range(12))
def test_a_decision_that_was_cut_off_is_finished_with_what_was_put_aside(
    seen: SeenCheckpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """At whatever change of a file: the same decision again leads to the same folder; meanwhile the fork stands, and a
    log that answers meanwhile changes nothing. Once begun it is not turned round."""
    for size in (20, 40, 100):
        seen.accept(signed(size, 1, 2), prove)
    with pytest.raises(LogForked):
        seen.accept(forked(100, 50), prove_forked(100, 50))
    (fork,) = forks_below(tmp_path / "seen")
    now, left = datetime(2026, 1, 1, tzinfo=UTC), at

    def counted(real: Callable[..., Path | None]) -> Callable[..., Path | None]:
        def change(*args: object, **options: object) -> Path | None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return real(*args, **options)

        return change

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink", "rename"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        with suppress(Killed):
            decide(fork, "Ann Archer", "OUR_COPY_HELD", now, other_is_right=True)
    if seen.is_forked:
        with pytest.raises(LogForked):
            seen.accept(forked(100, 50), prove_forked(100, 50))
        if list(tmp_path.glob("seen/*/decided/*/decision.json")):
            with pytest.raises(BegunOtherwise):
                decide(fork, "Bob Bell", "SEEN_IS_RIGHT", now, other_is_right=False)
        decide(fork, "Ann Archer", "OUR_COPY_HELD", now, other_is_right=True)
    kept = {str(each.relative_to(fork.folder)) for each in fork.folder.glob("**/*") if each.is_file()}
    aside = {f"decided/001/{name}" for name in ("checkpoint", "common", "fork", "decision.json")}
    assert kept - {"decided/001/checkpoint.part"} == {"checkpoint", "heads/20", "heads/40", "heads/100", *aside}
    assert (fork.folder / "decided/001/checkpoint").read_bytes() == signed(100, 1, 2).encode()
    assert (fork.folder / "decided/001/common").read_bytes() == signed(40, 1, 2).encode()
    assert seen.accept(forked(200, common=50), prove_forked(200, 50)).size == 200


def test_of_many_heads_the_newest_and_fewer_of_the_older_are_kept(tmp_path: Path) -> None:
    """So that the folder stays small, and a fork of long ago is placed all the same."""
    kept, note = KeptHeads(tmp_path / "heads"), signed(1, 1, 2)
    for size in range(1, 201):
        kept.add(note, size)
    sizes = sorted(int(each.name) for each in (tmp_path / "heads").iterdir())
    assert len(sizes) <= HEADS_MAX
    assert sizes[0] == 1
    assert sizes[-HEADS_MAX // 2 :] == list(range(201 - HEADS_MAX // 2, 201))
