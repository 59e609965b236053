"""A log that ended stays where its receivers can ask it: what survives of it is proven out of its own tiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import LogFiles
from ledger.log.own_heads import OwnLogs
from ledger.server.errors import NoSuchLogFile
from ledger.server.log_pages import LogPages
from tests.fault.test_integration_step import EVENTS
from tests.unit.trust.tlog_samples import LOG, ORIGIN

LOST, GOING_ON = 260, f"{ORIGIN[:-1]}2"


async def test_every_log_of_a_ledger_lies_below_its_number(tmp_path: Path) -> None:
    """The present one also without; one that is yet to come, and what nobody may read of an ended one, are nowhere."""

    async def origin_of(_: str) -> str:
        return GOING_ON

    blobs = DirectoryBlobs(tmp_path / "log")
    log = SignedLog(LogFiles(blobs, "north"), ORIGIN, LOG)
    log.take(EVENTS[:LOST])
    log.publish(log.sign(), log.signed)
    pages = LogPages(OwnLogs(blobs, lambda _: [LOG.verifier()]), origin_of, ())
    assert (await pages.page("/log/north.1/tile/0/000", "")).body == log.files.read("tile/0/000")
    assert (await pages.page("/log/north.1/checkpoint", "")).body == log.signed_note.encode()
    for path in (
        "north/checkpoint",
        "north.2/checkpoint",
        "north.3/checkpoint",
        "north.1/signed",
        "north.01/tile/0/000",
    ):
        with pytest.raises(NoSuchLogFile):
            await pages.page(f"/log/{path}", "")
