"""Heads that somebody was shown beyond what a log still has: each change of what is kept of them is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.cli.verify import verify
from ledger.log.log_files import SEEN_SIZES, LogDamaged
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
        files_in(tmp_path).note_seen(head)
    return tmp_path / "north"


def _verified(log: Path) -> tuple[int, str]:
    result = CliRunner().invoke(verify, ["log", str(log), "--key", str(LOG.verifier())])
    return result.exit_code, result.output


def test_what_was_seen_is_kept_and_named(log: Path) -> None:
    """Whoever comes twice with the same adds nothing; the log goes on, and holds."""
    before = {path: path.read_bytes() for path in log.rglob("*") if path.is_file()}
    files_in(log.parent).note_seen(SEEN[0])
    assert {path: path.read_bytes() for path in log.rglob("*") if path.is_file()} == before
    assert (log / SEEN_SIZES).read_bytes() == b"150\n440\n"
    assert files_in(log.parent).seen() == SEEN
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
    (lambda path: (path.parent / "sizes").unlink(), "seen/sizes"),
    (lambda path: (path.parent / "sizes").write_bytes(b"440\n150\n"), "seen/sizes"),
    (lambda path: (path.parent / "sizes").write_bytes(b""), "seen/sizes"),
    (lambda path: _flip(path.parent.parent / "heads" / "440"), "heads/440"),
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
