"""A backup that is checked in ranges, by several processes, and from a checkpoint on: it says the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.backup.faults import BadBackup
from ledger.backup.held_backup import HeldBackup, held_backup
from ledger.backup.manifest import EVENTS, Ledger
from ledger.backup.walked_ledger import WalkedLedger, Walking, walked_ledger
from ledger.log.log_files import LogFiles
from ledger.trust.leaf import leaf_hash
from ledger.trust.note_key import VerifierKey
from ledger.trust.range_walk import Progress
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.integration.log.backups import Backups
from tests.integration.log.conftest import Integrating
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database

_EVENTS = 40
_RANGE = 7
_SIZES = (0, 1, 7, 20, 40)


@pytest.fixture
def backups(ledger: LoadedLedger, empty_database: Database, tmp_path: Path) -> Backups:
    return Backups(ledger, empty_database, tmp_path)


def _walked(held: HeldBackup, walking: Walking) -> WalkedLedger:
    return walked_ledger(held, held.manifest.ledgers[0], _SIZES, walking)


def _said(held: HeldBackup, walking: Walking) -> str:
    try:
        _walked(held, walking)
    except BadBackup as error:
        return "; ".join(error.faults)
    return "holds"


def _alter(backups: Backups, ledger: LoadedLedger, old: bytes) -> None:
    """Another last byte of a value that stands once among the events; the manifest says so too."""
    name = f"rows/h_{ledger.hospital}/events"
    data = (backups.backup / name).read_bytes()
    assert data.count(old) == 1
    data = data.replace(old, old[:-1] + bytes([old[-1] ^ 1]))
    (backups.backup / name).write_bytes(data)
    path = backups.backup / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["files"][name] = {"size": len(data), "sha256": sha256(data).hexdigest()}
    path.write_text(json.dumps(manifest))


async def test_ranges_and_processes_say_what_one_walk_says(ledger: LoadedLedger, backups: Backups) -> None:
    """Tree, records and progress are the same however the events are cut, and so is the first fault, also where the
    event that a range begins with is the one that was altered."""
    ledger.append(_EVENTS)
    await backups.taken()
    held = held_backup(backups.backup, EVENTS)
    told: list[tuple[int, int]] = []

    def progress(_: Ledger) -> Progress:
        return lambda done, of: told.append((done, of))

    whole = _walked(held, Walking())
    assert _walked(held, Walking(range_events=_RANGE, progress=progress)) == whole
    assert (told[0], told[-1]) == ((_RANGE, _EVENTS), (_EVENTS, _EVENTS))
    assert await asyncio.to_thread(_walked, held, Walking(processes=2, range_events=_RANGE)) == whole
    assert await asyncio.to_thread(_walked, held, Walking(processes=2, range_events=_EVENTS // 2)) == whole
    _alter(backups, ledger, ledger.stored()[2 * _RANGE + 1][1])
    _alter(backups, ledger, ledger.stored()[3 * _RANGE + 2][1])
    altered = held_backup(backups.backup, EVENTS)
    for processes in (1, 2):
        said = await asyncio.to_thread(_said, altered, Walking(processes=processes, range_events=_RANGE))
        assert f"at position {2 * _RANGE + 1}," in said
        assert said == _said(altered, Walking())


async def test_of_what_was_verified_before_every_byte_is_hashed(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    backups: Backups,
    log_key: Callable[[], VerifierKey],
) -> None:
    """From a checkpoint on: a backup is another copy, so a body, envelope or leaf hash below it that was altered is
    named as one above it is, also where nothing lies above; without a trusted key `--since` is refused."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    head = backups.folder / "remembered"
    head.write_bytes((backups.log / ledger.hospital / "checkpoint").read_bytes())
    ledger.append(20)
    ledger.forget_heads_above(_EVENTS)
    await backups.taken()
    since = ("--since", str(head), "--key", str(log_key()), "--jobs", "2")
    done = await backups.verify(*since)
    assert done.exit_code == 0, done.output
    assert "positions 1 to 40, 1 to 20 hashed to the checkpoint verified before" in done.output
    assert "--key or --policy" in (await backups.verify(*since[:2])).output
    held = held_backup(backups.backup, EVENTS)
    assert _said(held, Walking(since=lambda _: _EVENTS)) == "holds"
    other = replace(held.manifest.ledgers[0], origin="ledger.example/other/1")
    with pytest.raises(BadBackup, match="of another origin"):
        walked_ledger(held, other, _SIZES, Walking(since=lambda _: _EVENTS))
    envelope, body = ledger.stored()[6]
    for old in (body, envelope, leaf_hash(envelope)):
        _alter(backups, ledger, old)
        done = await backups.verify(*since)
        assert (done.exit_code, "at position 6," in done.output) == (1, True), done.output
        _alter(backups, ledger, old[:-1] + bytes([old[-1] ^ 1]))
    assert (await backups.verify(*since)).exit_code == 0
    _alter(backups, ledger, ledger.stored()[21][1])
    assert "at position 21," in (await backups.verify(*since)).output
