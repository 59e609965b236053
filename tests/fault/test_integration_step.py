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
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from tests.fault.broken_files import broken_files, die, fail, in_a_child
from tests.unit.trust.tlog_samples import LOG, ORIGIN

BEFORE, AFTER = 250, 530
"""From a partial bundle over two full ones into another partial one."""


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
    """What the integrator does with one batch: take up what is kept, grow, sign, publish."""
    log = SignedLog(files_in(folder), ORIGIN, LOG)
    log.take(EVENTS[log.size : upto])
    log.publish(log.sign(), log.signed)


def assert_holds(folder: Path, sizes: set[int]) -> None:
    """Whatever is signed or published is of a size that was asked for, with the one root of that size, and whole."""
    files = files_in(folder)
    assert {check_log(files.read, LOG.verifier(), note=each).checkpoint for each in ("signed", "checkpoint")} <= {
        Checkpoint(ORIGIN, size, root_at(size)) for size in sizes
    }


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of BEFORE leaves."""
    folder = tmp_path_factory.mktemp("begun") / "log"
    step(folder, BEFORE)
    return folder


def operations(begun: Path, folder: Path) -> list[str]:
    """The kind of every file operation of the step, in order."""
    shutil.copytree(begun, folder)
    with broken_files(0, fail) as counted:
        step(folder, AFTER)
    return counted.kinds


def fails(folder: Path, at: int) -> None:
    with broken_files(at, fail), suppress(BlobError):
        step(folder, AFTER)


def is_killed(folder: Path, at: int) -> None:
    def work() -> None:
        with broken_files(at, die):
            step(folder, AFTER)

    assert in_a_child(work) == signal.SIGKILL


def assert_goes_on(begun: Path, folder: Path, at: int, break_at: Callable[[Path, int], None]) -> None:
    """Broken off at one operation the log is whole, and the next step ends with the same tree."""
    shutil.copytree(begun, folder)
    break_at(folder, at)
    assert_holds(folder, {BEFORE, AFTER})
    step(folder, AFTER)
    assert_holds(folder, {AFTER})
    shutil.rmtree(folder)


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
def test_the_log_holds_wherever_a_step_is_broken_off(
    begun: Path, tmp_path: Path, break_at: Callable[[Path, int], None]
) -> None:
    """After an error, or a kill -9, at any operation the log is whole, and the next step ends with the same tree."""
    count = len(operations(begun, tmp_path / "whole"))
    assert count > 50
    for at in range(1, count + 1):
        assert_goes_on(begun, tmp_path / str(at), at, break_at)


def test_a_step_broken_off_again_and_again_ends(begun: Path, tmp_path: Path) -> None:
    """Each attempt fails a little later than the one before, on what all of them have left; the last one ends."""
    count = len(operations(begun, tmp_path / "whole"))
    folder = tmp_path / "log"
    shutil.copytree(begun, folder)
    for at in range(1, count, 3):
        fails(folder, at)
        assert_holds(folder, {BEFORE, AFTER})
    step(folder, AFTER)
    assert_holds(folder, {AFTER})
