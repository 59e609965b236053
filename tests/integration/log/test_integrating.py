"""The integrator on a real PostgreSQL: what it writes is the log of the ledger, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from ledger.blobs.directory import DirectoryBlobs
from ledger.log.fsck import check_log
from ledger.log.key_register import line_path
from ledger.log.log_files import LogFiles
from ledger.log.log_proofs import consistency_proof, inclusion_proof
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle_check import check_consistency, check_inclusion
from ledger.trust.note_key import VerifierKey
from ledger.trust.tile import BundleId
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import eventually_async
from tests.integration.log.conftest import Integrating
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database

Key = Callable[[], VerifierKey]


async def test_the_log_is_the_ledger(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, log_key: Key
) -> None:
    """Every stored envelope is a leaf, every stored body lies beside it, and the whole log holds under its key."""
    ledger.append(700)
    async with integrating():
        await until_published(files, 700)
    checked = check_log(files.read, log_key())
    assert (checked.checkpoint.size, checked.bodies) == (700, 700)
    stored = ledger.stored()
    for bundle in (BundleId(0), BundleId(1), BundleId(2, 188)):
        pairs = zip(files.entries(bundle), files.bodies(bundle), strict=True)
        assert list(pairs) == [stored[bundle.first_leaf + at] for at in range(1, bundle.width + 1)]


async def test_it_grows_with_the_ledger(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, log_key: Key
) -> None:
    """Each published head is the one before, grown; partial tiles go once the full one is published."""
    heads: list[Checkpoint] = []
    async with integrating():
        for count in (1, 255, 44, 300):
            head = ledger.append(count)
            heads.append(await until_published(files, head))
    for old, new in pairwise(heads):
        proof = consistency_proof(files, old.size, new.size)
        check_consistency(old.size, new.size, proof, old.root, new.root)
    last = heads[-1]
    for position, (envelope, _) in ledger.stored().items():
        proof = inclusion_proof(files, position - 1, last.size)
        check_inclusion(leaf_hash(envelope), position - 1, last.size, proof, last.root)
    check_log(files.read, log_key())
    assert files.read("tile/0/000.p/1") is None
    assert files.read("tile/entries/000.p/1") is None
    assert files.read("bodies/000.p/1") is None


async def test_another_process_goes_on(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, log_key: Key
) -> None:
    """Stopped and begun again between any two heads it goes on with the same tree."""
    for _ in range(3):
        head = ledger.append(200)
        async with integrating():
            await until_published(files, head)
    assert check_log(files.read, log_key()).checkpoint.size == 600


async def test_an_empty_ledger_costs_nothing(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, blobs: DirectoryBlobs, database: Database
) -> None:
    """While another hospital's log grows twice, one without events gets no file; with its first event it has a log."""
    busy = await LoadedLedger.add(database, f"h{uuid4().hex[:8]}", 1)
    async with integrating():
        for head in (5, 10):
            busy.append(5)
            await until_published(LogFiles(blobs, busy.hospital), head)
        assert blobs.names(ledger.hospital) == []
        ledger.append(1)
        await until_published(files, 1)


async def test_its_lag_is_measured(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, tmp_path: Path
) -> None:
    """The metrics say how far it is, and that nothing waits; while nothing can be signed, how much waits since when."""
    ledger.append(10)
    async with integrating():
        await until_published(files, 10)

        names = ("integrated_position", "checkpoint_size", "integrate_lag_positions", "integrate_lag_seconds")

        async def caught_up() -> bool:
            return [figure(name, ledger) for name in names] == [10.0, 10.0, 0.0, 0.0]

        await eventually_async(caught_up)

    torn = tmp_path / "log" / ledger.hospital / "tile" / "0" / "000.p" / "10"
    torn.write_bytes(torn.read_bytes()[:-1])
    ledger.append(21)
    async with integrating():

        async def behind() -> bool:
            failed, seconds = figure("integrate_failures_total", ledger), figure("integrate_lag_seconds", ledger)
            return figure("integrate_lag_positions", ledger) == 21.0 and seconds > 0.0 and failed > 0.0

        await eventually_async(behind)


def figure(name: str, ledger: LoadedLedger) -> float:
    """What `integrate` says of this hospital; 0 where it says nothing."""
    return REGISTRY.get_sample_value(f"ledger_{name}", {"hospital": ledger.hospital}) or 0.0


async def test_a_torn_key_register_stops_no_log(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    log_key: Key,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It proves nothing: the log is signed and published all the same, the line stays, and an error names it."""
    files.write({line_path(1): b"torn"})
    ledger.append(10)
    async with integrating():
        await until_published(files, 10)
    check_log(files.read, log_key())
    assert files.read(line_path(1)) == b"torn"
    said = [each for each in caplog.records if "key register is damaged" in each.message]
    assert said
    assert "keys/001" in str(said[0].__dict__["reason"])
