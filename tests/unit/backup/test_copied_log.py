"""A log is copied whole under its newest heads, or what is wrong with it is named."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.backup.copied_log import copy_end, copy_log, copy_remains
from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.signed_log import SignedLog
from ledger.log.fsck import check_log
from ledger.log.key_register import note_keys
from ledger.log.log_files import ENDED, REPAIR, SUCCEEDED, LogDamaged, LogEndedForEver, LogFiles
from ledger.log.own_heads import newest_head
from ledger.log.seen_files import note_seen, read_seen
from ledger.log.signed_history import kept_up_to
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.tile import TileId
from tests.fault.test_integration_step import EVENTS, root_at
from tests.unit.trust.tlog_samples import LOG, ORIGIN

PUBLISHED, SIGNED = 250, 530


@pytest.fixture
def source(tmp_path: Path) -> DirectoryBlobs:
    """A log that has signed more than it has published, since witnesses are away."""
    blobs = DirectoryBlobs(tmp_path / "source")
    log = SignedLog(LogFiles(blobs, "north"), ORIGIN, LOG)
    log.take(EVENTS[:PUBLISHED])
    log.publish(log.sign(), log.signed)
    log.take(EVENTS[PUBLISHED:SIGNED])
    log.sign()
    return blobs


def _files(blobs: DirectoryBlobs) -> LogFiles:
    return LogFiles(blobs, "north")


def _sizes(blobs: DirectoryBlobs) -> list[int]:
    read = _files(blobs).read
    return [check_log(read, LOG.verifier(), note=note).checkpoint.size for note in ("checkpoint", "signed")]


def test_both_heads_are_whole_and_the_log_goes_on(source: DirectoryBlobs, tmp_path: Path) -> None:
    """Who reads under the published head finds its partial tiles; why a log stands still goes along, and what was seen
    of it beyond."""
    _files(source).halt(REPAIR, "positions 1 to 2 are refilled")
    seen = Checkpoint(ORIGIN, SIGNED + 7, bytes(32))
    note_seen(_files(source), seen)
    copied = DirectoryBlobs(tmp_path / "copied")
    head = copy_log(source, copied, "north")
    assert head is not None
    assert (head.size, _sizes(copied)) == (SIGNED, [PUBLISHED, SIGNED])
    assert _files(copied).read(f"tile/0/000.p/{PUBLISHED}") is not None
    assert _files(copied).halted_by(REPAIR) == "positions 1 to 2 are refilled"
    assert SignedLog(_files(copied), ORIGIN, LOG).signed == head
    assert read_seen(_files(copied)) == [seen]
    assert copy_log(copied, DirectoryBlobs(tmp_path / "again"), "north") == head


def test_what_was_dropped_meanwhile_is_taken_out_of_the_full_files(source: DirectoryBlobs, tmp_path: Path) -> None:
    """A partial tile goes once its full one is published, also in the middle of a copy."""
    wanted = _files(source).read(f"tile/0/000.p/{PUBLISHED}")
    for path in (f"tile/0/000.p/{PUBLISHED}", f"tile/entries/000.p/{PUBLISHED}", f"bodies/000.p/{PUBLISHED}"):
        source.delete(f"north/{path}")
    copied = DirectoryBlobs(tmp_path / "copied")
    copy_log(source, copied, "north")
    assert _files(copied).read(TileId(0, 0, PUBLISHED).path) == wanted
    assert _sizes(copied) == [PUBLISHED, SIGNED]


@pytest.mark.parametrize("path", ["tile/entries/001", "bodies/001", "tile/entries/002.p/18", "bodies/002.p/18"])
def test_a_log_that_does_not_hold_is_not_copied(source: DirectoryBlobs, tmp_path: Path, path: str) -> None:
    """A changed entry or body is found, also where its length stays; nothing that was copied till then gets a head."""
    data = bytearray(source.get(f"north/{path}") or b"")
    data[-1] ^= 1
    source.put(f"north/{path}", bytes(data))
    copied = DirectoryBlobs(tmp_path / "copied")
    with pytest.raises(LogDamaged):
        copy_log(source, copied, "north")
    assert (_files(copied).signed(), _files(copied).published()) == (None, None)


def test_a_log_that_was_never_signed_is_none(tmp_path: Path) -> None:
    """Nothing is written."""
    assert copy_log(DirectoryBlobs(tmp_path / "none"), DirectoryBlobs(tmp_path / "copied"), "north") is None
    assert not (tmp_path / "copied").exists()


def test_for_a_repair_what_is_left_of_a_damaged_log_is_copied(source: DirectoryBlobs, tmp_path: Path) -> None:
    """Bundles that are gone, bodies that were changed and a full tile that was are named and left out; head, tree and
    every other bundle are there, so that it can be seen what could be brought back."""
    source.delete("north/tile/entries/000")
    for path in ("bodies/001", "tile/0/001"):
        data = bytearray(source.get(f"north/{path}") or b"")
        source.put(f"north/{path}", bytes([*data[:-1], data[-1] ^ 1]))
    copied = DirectoryBlobs(tmp_path / "copied")
    missing = copy_remains(source, copied, "north")
    assert [each.partition(":")[0] for each in missing] == ["tile/0/001", "tile/entries/000", "bodies/001"]
    files = _files(copied)
    assert newest_head(files, ORIGIN, [LOG.verifier()]) == Checkpoint(ORIGIN, SIGNED, root_at(SIGNED))
    assert [files.read(path) is None for path in ("tile/entries/000", "bodies/001", "tile/entries/002.p/18")] == [
        True,
        True,
        False,
    ]
    tree = Frontier()
    tree.extend(leaf_hash(each.envelope) for each in EVENTS[: 2 * 256])
    assert kept_up_to(files, tree, Checkpoint(ORIGIN, SIGNED, root_at(SIGNED))) == (SIGNED, "")


@pytest.mark.parametrize("copy", [copy_log, copy_remains, copy_end])
def test_a_torn_line_of_the_key_register_goes_along(
    source: DirectoryBlobs,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    copy: Callable[[DirectoryBlobs, DirectoryBlobs, str], object],
) -> None:
    """It proves nothing of the events: it is named, and its bytes and what follows are copied as they are."""
    note_keys(_files(source), ORIGIN, 0, [LOG], datetime(2026, 11, 27, tzinfo=UTC))
    lines = [(source.get("north/keys/001") or b"")[:-9], source.get("north/keys/001")]
    source.put("north/keys/001", lines[0] or b"")
    source.put("north/keys/002", lines[1] or b"")
    _files(source).write({ENDED: b"ended"})
    copied = DirectoryBlobs(tmp_path / "copied")
    copy(source, copied, "north")
    assert [copied.get(f"north/keys/{number:03d}") for number in (1, 2, 3)] == [*lines, None]
    assert "keys/001" in str([record.__dict__ for record in caplog.records])
    assert _files(copied).signed() == _files(source).signed() is not None


@pytest.mark.parametrize("lost", ["tile/entries/000", "tile/1/000.p/2"])
def test_what_is_left_of_a_log_that_ended_stays_ended(source: DirectoryBlobs, tmp_path: Path, lost: str) -> None:
    """Its end goes along before anything else, whatever is missing beside it: nothing is signed on there."""
    _files(source).write({ENDED: b"ended", SUCCEEDED: b"succeeded"})
    source.delete(f"north/{lost}")
    copied = DirectoryBlobs(tmp_path / "copied")
    with suppress(LogDamaged):
        copy_remains(source, copied, "north")
    assert (_files(copied).read(ENDED), _files(copied).read(SUCCEEDED)) == (b"ended", b"succeeded")
    with pytest.raises(LogEndedForEver):
        SignedLog(_files(copied), ORIGIN, LOG)


@pytest.mark.parametrize("path", ["tile/0/002.p/18", "tile/1/000.p/2"])
def test_without_the_tiles_of_its_head_nothing_shows_what_was_signed(
    source: DirectoryBlobs, tmp_path: Path, path: str
) -> None:
    """Then nothing is copied that would look like a log."""
    data = source.get(f"north/{path}") or b""
    for harm in (
        lambda: source.put(f"north/{path}", bytes([*data[:-1], data[-1] ^ 1])),
        lambda: source.delete(f"north/{path}"),
    ):
        harm()
        copied = DirectoryBlobs(tmp_path / "copied")
        with pytest.raises(LogDamaged):
            copy_remains(source, copied, "north")
        assert _files(copied).signed() is None
