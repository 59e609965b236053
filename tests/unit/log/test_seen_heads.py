"""Heads that somebody was shown beyond what a log still has: each change of what is kept of them is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.cli.verify import verify
from ledger.log.log_files import KNOWN, SEEN_SIZES, LogDamaged
from ledger.log.seen_files import note_seen, read_seen
from ledger.trust.checkpoint import Checkpoint
from tests.fault.test_integration_step import files_in, root_at, step
from tests.unit.log.test_signed_log import opened
from tests.unit.trust.tlog_samples import LOG, ORIGIN

SIZE, BELOW, BEYOND = 300, 150, 440
SEEN = [Checkpoint(ORIGIN, size, root_at(size)) for size in (BELOW, BEYOND)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log that has grown past one head that was seen, and not yet to another."""
    step(tmp_path, SIZE)
    for head in SEEN:
        files_in(tmp_path).note_known(head.size)
        note_seen(files_in(tmp_path), head)
    return tmp_path / "north"


def _verified(log: Path) -> tuple[int, str]:
    result = CliRunner().invoke(verify, ["log", str(log), "--key", str(LOG.verifier())])
    return result.exit_code, result.output


def test_what_was_seen_is_kept_and_named(log: Path) -> None:
    """Whoever comes twice with the same adds nothing; the log goes on, and holds."""
    before = {path: path.read_bytes() for path in log.rglob("*") if path.is_file()}
    note_seen(files_in(log.parent), SEEN[0])
    assert {path: path.read_bytes() for path in log.rglob("*") if path.is_file()} == before
    assert (log / SEEN_SIZES).read_bytes() == b"150\n440\n"
    assert read_seen(files_in(log.parent)) == SEEN
    assert opened(log.parent).signed.size == SIZE
    assert _verified(log)[0] == 0


def _flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


def _again_as(name: str) -> Callable[[Path], None]:
    def double(path: Path) -> None:
        (path.parent / name).parent.mkdir(exist_ok=True)
        shutil.copy(path, path.parent / name)

    return double


HARMS: list[tuple[Callable[[Path], object], str]] = [
    (_flip, "seen/440"),
    (Path.unlink, "seen/440"),
    (lambda path: path.write_bytes(b""), "seen/440"),
    (_again_as("441"), "seen/441"),
    (_again_as("150"), "seen/150"),
    (_again_as("0440"), "seen/0440"),
    (_again_as("000/440"), "seen/000/440"),
    (_again_as("sizes"), "seen/sizes"),
    (lambda path: (path.parent / "sizes").write_bytes(b"440\n150\n"), "seen/sizes"),
    (lambda path: (path.parent / "sizes").write_bytes(b""), "seen/sizes"),
    (lambda path: _flip(path.parent.parent / "heads" / "440"), "heads/440"),
    (lambda path: shutil.rmtree(path.parent), "seen/440"),
    (lambda path: (path.unlink(), (path.parent / "sizes").write_bytes(b"150\n")), "seen/440"),
]
"""Done to `seen/440`, or beside it, and what is named."""


@pytest.mark.parametrize(("harm", "named"), HARMS)
def test_each_change_is_found_and_named(log: Path, harm: Callable[[Path], object], named: str) -> None:
    """Altered, taken away, doubled under another name or over another: nobody signs on, and `verify log` says it."""
    harm(log / "seen" / "440")
    with pytest.raises(LogDamaged, match=named):
        opened(log.parent)
    status, said = _verified(log)
    assert (status, named in said) == (1, True), said


def test_a_head_changed_alike_in_both_places_is_found_by_the_tree(log: Path) -> None:
    """What the log has grown past is compared with the entries themselves."""
    for name in ("seen/150", "heads/150"):
        (log / name).write_text(Checkpoint(ORIGIN, BELOW, bytes(32)).text())
    status, said = _verified(log)
    assert (status, "seen/150: the entries lead to another root" in said) == (1, True), said


def test_heads_without_their_names_are_named_again(log: Path) -> None:
    """What a release that kept no names has left, and a kill before the name was written, stops no hospital: each head
    is what its fence says, and has its name once the log is taken up; a copy of the log has it too."""
    for left in (None, b"150\n"):
        sizes = log / SEEN_SIZES
        sizes.unlink() if left is None else sizes.write_bytes(left)
        assert read_seen(files_in(log.parent)) == SEEN
        assert _verified(log)[0] == 0
        assert opened(log.parent).signed.size == SIZE
        assert sizes.read_bytes() == b"150\n440\n"


def test_no_name_comes_before_its_head(tmp_path: Path) -> None:
    """A kill at any file of it leaves a log that is taken up, or, where the fence is all there is, one that waits for
    the restore to be run again; the same again leaves all three files."""
    step(tmp_path, SIZE)
    log, files = tmp_path / "north", files_in(tmp_path)
    note_seen(files, SEEN[1])
    written = [log / "heads" / "440", log / "seen" / "440", log / SEEN_SIZES]
    kept = {path: path.read_bytes() for path in written}
    for done in range(len(written) + 1):
        for path in written[done:]:
            path.unlink(missing_ok=True)
        if done == 1:
            with pytest.raises(LogDamaged, match="seen/440: missing"):
                opened(tmp_path)
        else:
            assert opened(tmp_path).signed.size == SIZE
        note_seen(files, SEEN[1])
        assert {path: path.read_bytes() for path in written} == kept


def test_a_head_that_was_about_to_be_signed_is_no_seen_one(tmp_path: Path) -> None:
    """A kill between fence and signature, below what was known of the log before, stops nothing."""
    step(tmp_path, SIZE)
    files = files_in(tmp_path)
    files.note_known(BEYOND)
    signed = (tmp_path / "north" / "signed").read_bytes(), (tmp_path / "north" / "checkpoint").read_bytes()
    step(tmp_path, BEYOND - 5)
    for name, data in zip(("signed", "checkpoint"), signed, strict=True):
        (tmp_path / "north" / name).write_bytes(data)
    assert (opened(tmp_path).signed.size, read_seen(files)) == (SIZE, [])


@pytest.mark.parametrize("known", [BEYOND, 1_234_567, 1 << 62])
def test_a_head_that_is_taken_away_whole_is_found_however_far_it_was(tmp_path: Path, known: int) -> None:
    """Its fence lies where the newest that was known of lies, be that a number without end."""
    step(tmp_path, SIZE)
    files_in(tmp_path).note_known(known)
    note_seen(files_in(tmp_path), Checkpoint(ORIGIN, known, root_at(BEYOND)))
    shutil.rmtree(tmp_path / "north" / "seen")
    with pytest.raises(LogDamaged, match=f"seen/{known}: missing"):
        opened(tmp_path)


@pytest.mark.parametrize("far", [SIZE + 1, BEYOND, 999, 1_400, 1_999])
def test_a_head_that_is_taken_away_with_what_was_known_is_found_next_to_the_newest(tmp_path: Path, far: int) -> None:
    """Its fence alone is left, above all that the log has signed."""
    step(tmp_path, SIZE)
    files = files_in(tmp_path)
    files.note_known(far)
    note_seen(files, Checkpoint(ORIGIN, far, root_at(BEYOND)))
    shutil.rmtree(tmp_path / "north" / "seen")
    (tmp_path / "north" / KNOWN).unlink()
    with pytest.raises(LogDamaged, match=f"seen/{far}: missing"):
        opened(tmp_path)


def test_what_lies_among_the_fences_and_is_none_is_named(tmp_path: Path) -> None:
    """Nothing is signed beside a file that could be anything."""
    step(tmp_path, SIZE)
    (tmp_path / "north" / "heads" / "notes").touch()
    with pytest.raises(LogDamaged, match="heads/notes: not the name of a head"):
        opened(tmp_path)
