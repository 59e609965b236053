"""What a log that lives on says of a backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.backup.asking import ask_log
from ledger.backup.faults import RestoreRefused
from ledger.backup.manifest import Ledger
from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import LogFiles
from tests.fault.test_integration_step import EVENTS
from tests.unit.trust.tlog_samples import LOG, ORIGIN

NORTH = Ledger("north", ORIGIN, 1, 10, "", None)


@pytest.mark.parametrize("path", ["north/ended", "north.2/succeeded"])
def test_nothing_is_restored_under_an_origin_that_has_ended(tmp_path: Path, path: str) -> None:
    """Its own note says so, or the one beside the files of the log that goes on, whichever is left."""
    blobs = DirectoryBlobs(tmp_path / "log")
    log = SignedLog(LogFiles(blobs, "north"), ORIGIN, LOG)
    log.take(EVENTS[:10])
    log.sign()
    assert [each.size for each in ask_log(blobs, "LOG", NORTH, lambda _: [LOG.verifier()]).seen] == [10]
    blobs.put(path, b"ended")
    with pytest.raises(RestoreRefused, match=f"{ORIGIN} has ended for ever"):
        ask_log(blobs, "LOG", NORTH, lambda _: [LOG.verifier()])
