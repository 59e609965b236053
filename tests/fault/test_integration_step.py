"""One integration step, broken off at each of its file operations by an error and by a kill: the log always holds."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.blobs.contract import BlobError
from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.signed_log import SignedLog
from ledger.log.fsck import check_log
from ledger.log.log_files import LogFiles
from ledger.log.log_growth import StoredLeaf
from ledger.log.log_proofs import consistency_proof
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.note import Note
from ledger.trust.policy_file import parse_policy
from ledger.trust.witness import Cosign, witness_answer
from ledger.trust.witness_request import AddCheckpoint
from ledger.witness.witness_memory import WitnessMemory
from tests.fault.broken_files import broken_files, die, fail, in_a_child, unsynced
from tests.unit.trust.tlog_samples import LOG, ORIGIN, POLICY, WITNESSES

BEFORE, AFTER = 250, 530
"""From a partial bundle over two full ones into another partial one."""
SHORT_BEFORE, SHORT_AFTER = 254, 258
QUORUM = parse_policy(POLICY)
_COSIGNED_AT = 1_764_000_000


def event(position: int) -> StoredLeaf:
    body = b"body %d" % position
    envelope = Envelope(
        format=FORMAT, origin=ORIGIN, stream_id=position.to_bytes(16, "big"), stream_version=1,
        type="ledger.v1.EntryRecorded", recorded_at=position, actor=b"", key_id=b"",
        body_sha256=sha256(body).digest(), commitment=b"", prev_leaf=b"",
    )  # fmt: skip
    return StoredLeaf(position, encode(envelope), body)


EVENTS = [event(position) for position in range(1, AFTER + 1)]


def root_at(size: int) -> bytes:
    frontier = Frontier()
    frontier.extend(leaf_hash(each.envelope) for each in EVENTS[:size])
    return frontier.root()


def files_in(folder: Path) -> LogFiles:
    return LogFiles(DirectoryBlobs(folder), "north")


def step(folder: Path, upto: int) -> None:
    """What the integrator does with one batch where there is no policy: take up what is kept, grow, sign, publish."""
    log = SignedLog(files_in(folder), ORIGIN, LOG)
    log.take(EVENTS[log.size : upto])
    log.publish(log.sign(), log.signed)


def step_with_quorum(ground: Path, upto: int) -> None:
    """The same under a policy: what is kept is brought before the witnesses first, and published once they cosign."""
    log = SignedLog(files_in(ground), ORIGIN, LOG)
    if log.size:
        log.sign()
        cosigned(ground, log)
    log.take(EVENTS[log.size : upto])
    log.sign()
    log.publish(cosigned(ground, log), log.signed)


def cosigned(ground: Path, log: SignedLog) -> Note:
    """The last signed head with the quorum. Each witness remembers it before it cosigns, and none ever saw one that the
    log does not go on from."""
    note = log.signed_note
    for number, key in enumerate(WITNESSES, 1):
        memory = WitnessMemory(ground / f"w{number}")
        try:
            known = memory.known(ORIGIN)
            assert known.size <= log.signed.size
            proof = consistency_proof(log.files, known.size, log.signed.size)
            answer = witness_answer(AddCheckpoint(known.size, proof, log.signed_note), [LOG.verifier()], known)
            assert isinstance(answer, Cosign), answer
            memory.remember(answer.checkpoint)
            note = note.signed_also(key.cosign(note.text, _COSIGNED_AT))
        finally:
            memory.close()
    QUORUM.accept(note)
    return note


def assert_holds(ground: Path, sizes: set[int]) -> None:
    """Whatever is signed or published is of a size that was asked for, with the one root of that size, and whole."""
    files = files_in(ground)
    assert {check_log(files.read, LOG.verifier(), note=each).checkpoint for each in ("signed", "checkpoint")} <= {
        Checkpoint(ORIGIN, size, root_at(size)) for size in sizes
    }
    assert_published_with_quorum(ground, sizes)


def assert_published_with_quorum(ground: Path, sizes: set[int]) -> None:
    """What everybody reads was cosigned by enough."""
    published = files_in(ground).published()
    assert published is not None
    assert QUORUM.accept(published).checkpoint.size in sizes


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of BEFORE leaves."""
    ground = tmp_path_factory.mktemp("begun") / "log"
    step_with_quorum(ground, BEFORE)
    return ground


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that ends just below a full bundle."""
    ground = tmp_path_factory.mktemp("short") / "log"
    step_with_quorum(ground, SHORT_BEFORE)
    return ground


def operations(begun: Path, ground: Path, upto: int = AFTER) -> list[str]:
    """The kind of every file operation of the step, in order."""
    shutil.copytree(begun, ground)
    with broken_files(0, fail) as counted:
        step_with_quorum(ground, upto)
    return counted.kinds


def fails(ground: Path, at: int, upto: int = AFTER) -> None:
    with broken_files(at, fail), suppress(BlobError, OSError):  # an OSError is the witness's, which cannot begin
        step_with_quorum(ground, upto)


def is_killed(ground: Path, at: int, upto: int = AFTER) -> None:
    def work() -> None:
        with broken_files(at, die):
            step_with_quorum(ground, upto)

    assert in_a_child(work) == signal.SIGKILL


def assert_goes_on(begun: Path, ground: Path, at: int, break_at: Callable[[Path, int], None]) -> None:
    """Broken off at one operation the log is whole, and the next step ends with the same tree.

    Nothing is synced: what a killed process wrote, the kernel has.
    """
    shutil.copytree(begun, ground)
    with unsynced():
        break_at(ground, at)
    assert_holds(ground, {BEFORE, AFTER})
    with unsynced():
        step_with_quorum(ground, AFTER)
    assert_holds(ground, {AFTER})
    shutil.rmtree(ground)


@pytest.mark.parametrize(("break_at", "last"), [(fails, False), (is_killed, True)])
def test_the_log_holds_at_each_kind_of_operation(
    begun: Path, tmp_path: Path, break_at: Callable[[Path, int], None], *, last: bool
) -> None:
    """Once for each kind, reading or writing, folder, part, name and end of it: by an error at the first of its kind,
    by a kill -9 at the last. `make test-long` does both at every one."""
    kinds = operations(begun, tmp_path / "whole")
    places = {kind: at for at, kind in (enumerate(kinds, 1) if last else reversed(list(enumerate(kinds, 1))))}
    assert {each.partition(" ")[0] for each in places} == {
        "open",
        "write",
        "fsync",
        "link",
        "rename",
        "unlink",
        "mkdir",
    }
    for at in places.values():
        assert_goes_on(begun, tmp_path / str(at), at, break_at)


@pytest.mark.long
@pytest.mark.parametrize("break_at", [fails, is_killed])
def test_wherever_a_short_step_is_broken_off_the_next_one_ends_with_the_same_files(
    short: Path, tmp_path: Path, break_at: Callable[[Path, int, int], None]
) -> None:
    """At every single operation of a step over the end of a bundle, the witnesses' own among them: what is signed and
    published meanwhile has one of two roots and the quorum, and afterwards every file is what it is undisturbed.

    Nothing is synced here: what a killed process wrote, the kernel has.
    """
    count = len(operations(short, tmp_path / "whole", SHORT_AFTER))
    undisturbed = contents(tmp_path / "whole")
    assert count > 100
    for at in range(1, count + 1):
        ground = tmp_path / str(at)
        shutil.copytree(short, ground)
        with unsynced():
            break_at(ground, at, SHORT_AFTER)
        assert heads_in(ground) <= {Checkpoint(ORIGIN, size, root_at(size)) for size in (SHORT_BEFORE, SHORT_AFTER)}
        assert_published_with_quorum(ground, {SHORT_BEFORE, SHORT_AFTER})
        with unsynced():
            step_with_quorum(ground, SHORT_AFTER)
        files = contents(ground)
        assert undisturbed.items() <= files.items(), at
        assert all(".p/" in each for each in files.keys() - undisturbed.keys()), "but for partial files that stay"
        shutil.rmtree(ground)


def heads_in(ground: Path) -> set[Checkpoint]:
    files = files_in(ground)
    return {parse_checkpoint(note.text) for note in (files.signed(), files.published()) if note}


def contents(ground: Path) -> dict[str, bytes]:
    """Every file but what a kill left behind."""
    files = (path for path in ground.rglob("*") if path.is_file() and not path.name.startswith(".part-"))
    return {str(path.relative_to(ground)): path.read_bytes() for path in files}


@pytest.mark.long
@pytest.mark.parametrize("break_at", [fails, is_killed])
def test_the_log_holds_wherever_a_step_is_broken_off(
    begun: Path, tmp_path: Path, break_at: Callable[[Path, int], None]
) -> None:
    """After an error, or a kill -9, at any operation the log is whole, and the next step ends with the same tree."""
    count = len(operations(begun, tmp_path / "whole"))
    assert count > 50
    for at in range(1, count + 1):
        assert_goes_on(begun, tmp_path / str(at), at, break_at)
