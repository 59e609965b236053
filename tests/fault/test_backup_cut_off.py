"""A backup that is broken off, by an error or a kill -9, at any of its file operations is not taken for a whole one."""

from __future__ import annotations

import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.backup.faults import BadBackup
from ledger.backup.held_backup import held_backup
from ledger.backup.manifest import EVENTS, Manifest
from ledger.backup.new_backup import NewBackup
from ledger.blobs.contract import BlobError
from tests.fault.broken_files import BrokenOs, die, fail, in_a_child

_MANIFEST = Manifest(EVENTS, "0", "now", "postgres", 1, (), (), {})


def _take(folder: Path, broken: BrokenOs) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.backup.new_backup.os", broken)
        patch.setattr("ledger.blobs.directory.os", broken)
        backup = NewBackup(folder)
        backup.write("rows/h_north/events", [b"one", b"two"])
        backup.log_store().put_if_absent({"north/tile/0/000": b"tile"})
        backup.log_store().put("north/signed", b"note")
        backup.finish(_MANIFEST)


def _is_whole(folder: Path) -> bool:
    try:
        held = held_backup(folder, EVENTS)
    except BadBackup:
        return False
    return set(held.manifest.files) == {"rows/h_north/events", "log/north/tile/0/000", "log/north/signed"}


def test_a_backup_is_whole_or_none(tmp_path: Path) -> None:
    """Whole means: after its manifest was put in place, which comes last; only the flush of its name may lack then."""
    counted = BrokenOs(0, fail)
    _take(tmp_path / "whole", counted)
    assert _is_whole(tmp_path / "whole")
    assert counted.count > 15
    whole: dict[str, list[int]] = {"error": [], "kill": []}
    for at in range(1, counted.count + 1):
        failed, killed = tmp_path / f"failed{at}", tmp_path / f"killed{at}"
        with suppress(OSError, BlobError):
            _take(failed, BrokenOs(at, fail))
        assert in_a_child(lambda killed=killed, at=at: _take(killed, BrokenOs(at, die))) == signal.SIGKILL
        whole["error"] += [at] if _is_whole(failed) else []
        whole["kill"] += [at] if _is_whole(killed) else []
        for folder in (failed, killed):
            shutil.rmtree(folder, ignore_errors=True)
    last = list(range(counted.count - 1, counted.count + 1))
    assert whole == {"error": last, "kill": last}
