"""The fences of a log that is signed: one tree, one head after the other, whoever writes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.blobs.contract import BlobDiffers
from ledger.integrator.log_keys import KeyUnusable, LogKeys
from ledger.integrator.signed_log import LogTakenOver, SignedLog
from ledger.log.log_files import CHECKPOINT, SIGNED, LogDamaged
from ledger.log.log_growth import PositionMissing, open_growth
from ledger.log.seen_files import note_seen
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.merkle import EMPTY_ROOT
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from tests.fault.test_integration_step import EVENTS, files_in, root_at, step
from tests.unit.trust.tlog_samples import LOG, ORIGIN


def opened(folder: Path) -> SignedLog:
    return SignedLog(files_in(folder), ORIGIN, LOG)


def test_an_empty_log_has_a_signed_head(tmp_path: Path) -> None:
    """Before the first event there is a head of size 0 to ask witnesses with."""
    log = opened(tmp_path)
    log.take_up()
    assert log.signed.size == 0
    note = files_in(tmp_path).signed()
    assert note is not None
    assert parse_checkpoint(note.text).size == 0


def test_who_was_overtaken_signs_nothing_more(tmp_path: Path) -> None:
    """A process that lost its lease without noticing meets what its successor has signed."""
    first, second = opened(tmp_path), opened(tmp_path)
    first.take(EVENTS[:10])
    second.take(EVENTS[:20])
    second.sign()
    with pytest.raises(LogTakenOver):
        first.sign()
    assert opened(tmp_path).signed.size == 20


def test_two_roots_of_one_size_meet_in_the_tiles(tmp_path: Path) -> None:
    """Another event in the same place cannot even be written, so that no head over it can be signed."""
    first, second = opened(tmp_path), open_growth(files_in(tmp_path), Checkpoint(ORIGIN, 0, EMPTY_ROOT))
    other = replace(EVENTS[299], envelope=EVENTS[298].envelope)
    first.take(EVENTS[:300])
    second.take([*EVENTS[:299], other])
    first.sign()
    with pytest.raises(BlobDiffers):
        second.finish(ORIGIN)


def test_a_gap_is_not_taken(tmp_path: Path) -> None:
    """Positions follow one another; a missing or repeated one is named."""
    log = opened(tmp_path)
    log.take(EVENTS[:5])
    for wrong in (EVENTS[6:8], EVENTS[4:6]):
        with pytest.raises(PositionMissing) as missing:
            opened_at_five(tmp_path).take(wrong)
        assert missing.value.expected == 6


def opened_at_five(folder: Path) -> SignedLog:
    step(folder, 5)
    return opened(folder)


def test_a_smaller_head_never_follows_a_larger_one(tmp_path: Path) -> None:
    """A slow round of cosigning that ends after a newer one changes nothing."""
    log = opened(tmp_path)
    log.take(EVENTS[:10])
    old, old_head = log.sign(), log.signed
    log.take(EVENTS[10:20])
    log.publish(log.sign(), log.signed)
    log.publish(old, old_head)
    note = files_in(tmp_path).published()
    assert note is not None
    assert parse_checkpoint(note.text).size == 20


def published_size(folder: Path) -> int:
    note = files_in(folder).published()
    return parse_checkpoint(note.text).size if note else 0


@pytest.mark.parametrize("published", [True, False])
def test_who_stalled_puts_nothing_over_what_its_successor_published(tmp_path: Path, *, published: bool) -> None:
    """Stopped between its signature and the publication, it wakes after its lease was over and another went on."""
    first = opened(tmp_path)
    first.take(EVENTS[:10])
    note, head = first.sign(), first.signed
    second = opened(tmp_path)
    second.take(EVENTS[10:20])
    newer = second.sign()
    if published:
        second.publish(newer, second.signed)
    with pytest.raises(LogTakenOver):
        first.publish(note, head)
    assert published_size(tmp_path) == (20 if published else 0)
    second.publish(newer, second.signed)
    assert published_size(tmp_path) == 20


def test_who_stalled_puts_nothing_over_a_larger_head_though_signed_was_put_back(tmp_path: Path) -> None:
    """What is published counts by itself: `signed` may be the older holder's again."""
    first = opened(tmp_path)
    first.take(EVENTS[:10])
    note, head = first.sign(), first.signed
    second = opened(tmp_path)
    second.take(EVENTS[10:20])
    second.publish(second.sign(), second.signed)
    files_in(tmp_path).keep_signed(note)
    with pytest.raises(LogTakenOver):
        first.publish(note, head)
    assert published_size(tmp_path) == 20


def test_a_larger_head_that_is_not_the_log_s_holds_up_nothing(tmp_path: Path) -> None:
    """Whoever writes the log's files may put one there; the log's own head takes its place."""
    log = opened(tmp_path)
    log.take(EVENTS[:10])
    note = log.sign()
    stranger = SigningKey(ORIGIN, KeyKind.ED25519, bytes([9]) * 32)
    files_in(tmp_path).publish(forged(99, stranger))
    log.publish(note, log.signed)
    assert published_size(tmp_path) == 10


OUR_NOTE_OF_ANOTHER_KIND = Note("no checkpoint\n", (LOG.sign("no checkpoint\n"),)).encode()


@pytest.mark.parametrize(
    "garbage", [b"", b"garbage\n", b"\xff" * 99, OUR_NOTE_OF_ANOTHER_KIND], ids=["empty", "text", "bytes", "note"]
)
def test_bytes_that_are_no_head_hold_up_nothing(tmp_path: Path, garbage: bytes) -> None:
    """Put over a running log's checkpoint: its next head takes their place in the same round."""
    log = opened(tmp_path)
    log.take(EVENTS[:10])
    log.publish(log.sign(), log.signed)
    files_in(tmp_path).put(CHECKPOINT, garbage)
    with pytest.raises(LogDamaged):
        files_in(tmp_path).published()
    log.take(EVENTS[10:20])
    log.publish(log.sign(), log.signed)
    assert published_size(tmp_path) == 20


@pytest.mark.parametrize("file", ["tile/0/000.p/44", "tile/entries/000.p/44", "bodies/000.p/44", SIGNED])
def test_what_was_changed_is_not_built_on(tmp_path: Path, file: str) -> None:
    """A changed edge, bundle or head is named, and nothing is signed on top of it."""
    step(tmp_path, 44)
    path = tmp_path / "north" / file
    path.write_bytes(path.read_bytes()[:-33])
    with pytest.raises(LogDamaged):
        opened(tmp_path)


def test_a_head_of_another_log_is_not_taken_up(tmp_path: Path) -> None:
    """Files that belong to another origin."""
    step(tmp_path, 44)
    with pytest.raises(LogDamaged, match="origin"):
        SignedLog(files_in(tmp_path), "ledger.example/south/1", LOG)


def test_keys_are_made_only_where_that_was_asked_for(tmp_path: Path) -> None:
    """A missing key, a missing or wrong passphrase: named by origin and file; made once, the same key comes back."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("a passphrase of the tests\n")
    with pytest.raises(KeyUnusable, match=r"north\+1"):
        LogKeys(tmp_path / "keys", passphrase, make=False).of(ORIGIN)
    with pytest.raises(KeyUnusable, match="PASSPHRASE"):
        LogKeys(tmp_path / "keys", None, make=True).of(ORIGIN)
    made = LogKeys(tmp_path / "keys", passphrase, make=True).of(ORIGIN)
    assert LogKeys(tmp_path / "keys", passphrase, make=False).of(ORIGIN) == made
    (file,) = (tmp_path / "keys").glob("*.note-key")
    kept = file.rename(tmp_path / "away")
    with pytest.raises(KeyUnusable, match="FileNotFound"):  # its public part says that another would follow nothing
        LogKeys(tmp_path / "keys", passphrase, make=True).of(ORIGIN)
    kept.rename(file)
    passphrase.write_text("another one of the tests\n")
    with pytest.raises(KeyUnusable, match="WrongPassphrase"):
        LogKeys(tmp_path / "keys", passphrase, make=True).of(ORIGIN)
    passphrase.chmod(0o644)
    with pytest.raises(KeyUnusable, match="UnsafeFile"):
        LogKeys(tmp_path / "keys", passphrase, make=True).of(ORIGIN)


def forged(size: int, signer: SigningKey) -> Note:
    """A head of other leaves, with the tiles of another log's folder to match."""
    text = Checkpoint(ORIGIN, size, root_at(size)).text()
    return Note(text, (signer.sign(text),))


def test_a_forged_head_is_not_signed(tmp_path: Path) -> None:
    """Whoever writes files can put a whole history there, tiles and head; without the log's key it is not taken up."""
    step(tmp_path, 44)
    stranger = SigningKey(ORIGIN, KeyKind.ED25519, bytes([9]) * 32)
    files_in(tmp_path).keep_signed(forged(44, stranger))
    with pytest.raises(LogDamaged, match=SIGNED):
        opened(tmp_path)
    files_in(tmp_path).keep_signed(forged(44, LOG))
    files_in(tmp_path).publish(forged(44, stranger))
    with pytest.raises(LogDamaged, match=CHECKPOINT):
        opened(tmp_path)


def test_a_head_that_went_back_is_taken_up_from_what_is_published(tmp_path: Path) -> None:
    """A stalled holder wrote `signed` late: the larger of it and the published head counts, and is put in place."""
    step(tmp_path, 44)
    step(tmp_path, 300)
    files_in(tmp_path).keep_signed(forged(44, LOG))
    log = opened(tmp_path)
    log.take_up()
    assert log.signed.size == 300
    note = files_in(tmp_path).signed()
    assert note is not None
    assert parse_checkpoint(note.text).size == 300


def test_a_log_without_its_head_is_not_begun_again(tmp_path: Path) -> None:
    """Where `signed` is gone, tiles or a published head say that there was one: no second history is signed."""
    step(tmp_path, 44)
    (tmp_path / "north" / SIGNED).unlink()
    with pytest.raises(LogDamaged, match="missing"):
        opened(tmp_path)
    (tmp_path / "north" / CHECKPOINT).unlink()
    with pytest.raises(LogDamaged, match="missing"):
        opened(tmp_path)


def test_two_roots_of_one_size_are_not_signed_after_the_tiles_are_gone(tmp_path: Path) -> None:
    """Partial tiles go with their full one; the text of each head that was signed stays: it forbids another one, and
    that the log is begun anew."""
    step(tmp_path, 44)
    step(tmp_path, 300)
    for gone in ("tile", "bodies", SIGNED, CHECKPOINT):
        path = tmp_path / "north" / gone
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(LogDamaged, match="heads/044 fences a head that is not in the log"):
        opened(tmp_path)
    with pytest.raises(BlobDiffers, match="heads"):
        files_in(tmp_path).fence(Checkpoint(ORIGIN, 44, bytes(32)))


@pytest.mark.parametrize("grown", [149, 150, 151, 400])
def test_a_log_comes_by_what_was_seen_of_it(tmp_path: Path, grown: int) -> None:
    """Whatever sizes are signed: past a head that somebody was shown only the tree of that head grows, in one batch or
    several, and nothing of another one is written."""
    for name, root in (("right", root_at(150)), ("wrong", bytes(32))):
        folder = tmp_path / name
        step(folder, 100)
        note_seen(files_in(folder), Checkpoint(ORIGIN, 150, root))
        log, before = opened(folder), sorted(folder.rglob("*"))
        log.take(EVENTS[100:120])
        if name == "right" or grown < 150:
            log.take(EVENTS[120:grown])
            log.publish(log.sign(), log.signed)
            assert opened(folder).signed.size == grown
        else:
            with pytest.raises(BlobDiffers, match="seen/150"):
                log.take(EVENTS[120:grown])
            assert sorted(folder.rglob("*")) == before


def test_a_changed_body_is_not_built_on(tmp_path: Path) -> None:
    """A body of the same length, other bytes: it would be copied into the next bundle."""
    step(tmp_path, 44)
    path = tmp_path / "north" / "bodies/000.p/44"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(LogDamaged, match="position 44 has not the digest"):
        opened(tmp_path)
