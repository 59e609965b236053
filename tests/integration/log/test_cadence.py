"""How often heads are signed and published under load, on a clock that the test drives: counted, not timed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY

from ledger.blobs.directory import DirectoryBlobs
from ledger.config import BadSettings, Settings, load
from ledger.integrator.checkpoint_publishing import CheckpointPublishing
from ledger.integrator.cosigning import Cosigning
from ledger.integrator.hospital_integrator import HospitalIntegrator, Tools
from ledger.integrator.ledger_rows import HospitalRow, LedgerRows, rows_pool
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.signed_log import SignedLog
from ledger.lease import Leases, Places
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.policy_file import parse_policy
from ledger.views.schema_versions import SCHEMA_VERSIONS
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.eventually import eventually_async
from tests.integration.log.waiting import published
from tests.services.witness import WitnessProcess

PUBLISH_SECONDS = 5.0


class Driven:
    """An integrator that is told what time it is."""

    def __init__(self, ledger: LoadedLedger, files: LogFiles) -> None:
        self._ledger = ledger
        self._files = files
        self.now = 1_000.0
        self.integrator: HospitalIntegrator | None = None
        self.running: asyncio.Task[None] | None = None

    async def append(self) -> None:
        """One event, which the log has taken in when this returns."""
        head = self._ledger.append(1)
        label = {"hospital": self._ledger.hospital}

        async def taken() -> bool:
            self._hint()
            return REGISTRY.get_sample_value("ledger_integrated_leaves_total", label) == head

        await eventually_async(taken)

    async def pass_second(self) -> None:
        """The whole log is signed when this returns."""
        self.now += 1.0

        async def signed() -> bool:
            self._hint()
            note = self._files.signed()
            return note is not None and parse_checkpoint(note.text).size == self._ledger.head

        await eventually_async(signed)

    def _hint(self) -> None:
        assert self.integrator is not None
        self.integrator.hint()


@asynccontextmanager
async def driven(
    ledger: LoadedLedger, settings: Settings, files: LogFiles, keys: LogKeys, witness: WitnessProcess
) -> AsyncGenerator[Driven]:
    """With one witness, without which nothing is published."""
    policy = parse_policy(f"witness w {witness.key} {witness.url}\nquorum w\n".encode())
    origin, found = f"{ORIGIN_PREFIX}/{ledger.hospital}/1", Driven(ledger, files)
    async with rows_pool(settings.postgres_stream_url) as pool, httpx.AsyncClient(trust_env=False) as http:

        def publishing(log: SignedLog, hospital: str) -> CheckpointPublishing:
            cosigning = Cosigning(policy, log.verifier, http)
            return CheckpointPublishing(hospital, log, cosigning, PUBLISH_SECONDS, lambda: found.now)

        tools = Tools(
            LedgerRows(pool), Leases(pool.connection), keys, lambda _: files, publishing, monotonic=lambda: found.now
        )
        hospital = HospitalRow(ledger.hospital, origin, SCHEMA_VERSIONS[-1])
        found.integrator = HospitalIntegrator(hospital, tools)
        stop = asyncio.Event()
        (place,) = Places(16, 600.0).take([ledger.hospital])
        found.running = asyncio.create_task(found.integrator.run(stop, place))
        try:
            yield found
        finally:
            stop.set()
            found.integrator.hint()
            await found.running


async def test_a_head_each_second_and_a_round_of_witnesses_each_time_it_is_due(
    ledger: LoadedLedger, settings: Settings, files: LogFiles, blobs: DirectoryBlobs, keys: LogKeys, tmp_path: Path
) -> None:
    """Events come all the time: a head when a second has passed and none between, published each fifth, not before."""
    log_key = keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")[0].verifier()
    witness = WitnessProcess(tmp_path / "w", "witness.test/w", [log_key])
    witness.start()
    ledger.append(1)
    try:
        async with driven(ledger, settings, files, keys, witness) as log:
            await log.pass_second()
            await _until_published(files, 1)
            for _ in range(2):
                before = ledger.head
                for second in range(1, 6):
                    await log.append()
                    await log.append()
                    seen = published(files)
                    assert seen is not None
                    assert (seen.size, second) == (before, second), "no round is due"
                    await log.pass_second()
                await _until_published(files, ledger.head)
    finally:
        witness.stop()
    heads = sorted(name for name in blobs.names(ledger.hospital) if "/heads/" in name)
    assert [int(name[-3:]) for name in heads] == [0, *range(1, 22, 2)]


async def test_what_was_taken_before_a_term_ended_is_compared_before_it_is_signed(
    ledger: LoadedLedger, settings: Settings, files: LogFiles, keys: LogKeys, tmp_path: Path
) -> None:
    """The database was replaced by one that lags, under the same lease: no tree is signed that the ledger has not."""
    log_key = keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")[0].verifier()
    witness = WitnessProcess(tmp_path / "w", "witness.test/w", [log_key])
    witness.start()
    ledger.append(1)
    try:
        async with driven(ledger, settings, files, keys, witness) as log:
            await log.pass_second()
            await log.append()
            ledger.cut(1)
            _end_terms(ledger)
            await eventually_async(lambda: _has_a_term(ledger), what="a term that the keeping began again")
            log.now += 1.0
            running = log.running
            assert running is not None
            await eventually_async(lambda: asyncio.sleep(0, running.done()), what="opened again")
    finally:
        witness.stop()
    note = files.signed()
    assert note is not None
    assert parse_checkpoint(note.text).size == 1


def _end_terms(ledger: LoadedLedger) -> None:
    with psycopg.connect(ledger.database.url) as connection:
        connection.execute("UPDATE ledger_control.leases SET expires_at = clock_timestamp() - interval '1 ms'")


async def _has_a_term(ledger: LoadedLedger) -> bool:
    async with await psycopg.AsyncConnection.connect(ledger.database.url) as connection:
        query = "SELECT FROM ledger_control.leases WHERE hospital = %s AND expires_at > clock_timestamp()"
        return (await (await connection.execute(query, (ledger.hospital,))).fetchone()) is not None


async def _until_published(files: LogFiles, size: int) -> None:
    async def reached() -> bool:
        found = published(files)
        return found is not None and found.size == size

    await eventually_async(reached)


def test_no_setting_publishes_less_often_than_once_a_minute() -> None:
    """61 seconds are refused by name."""
    assert load({"LEDGER_CHECKPOINT_SECONDS": "60"}).checkpoint_seconds == 60
    with pytest.raises(BadSettings, match="LEDGER_CHECKPOINT_SECONDS"):
        load({"LEDGER_CHECKPOINT_SECONDS": "61"})
