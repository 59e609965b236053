"""A ledger on the session's PostgreSQL, and an integrator on a folder of this test alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from ledger.blobs.directory import DirectoryBlobs
from ledger.config import Settings, load
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log, run_integrator
from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.log.log_files import LogFiles
from ledger.log.own_heads import OwnLogs
from ledger.publisher.role import run_publisher
from ledger.trust.note_key import KeyKind, VerifierKey
from ledger.trust.policy import Policy
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.integration.log.succession_ground import SIGNED, Ground, environment_of
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY

Integrating = Callable[..., AbstractAsyncContextManager[None]]
Publishing = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
async def ledger(database: Database) -> LoadedLedger:
    """A hospital of this test alone."""
    return await LoadedLedger.add(database, f"h{uuid4().hex[:8]}", 1)


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """The integrator's settings."""
    settings = load(
        {"LEDGER_POSTGRES_STREAM_URL": database.role_url("ledger_stream"), "LEDGER_CHECKPOINT_SECONDS": "1"}
    )
    return replace(settings, data_dir=tmp_path)


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    """Where the log lies."""
    return DirectoryBlobs(tmp_path / "log")


@pytest.fixture
def files(blobs: DirectoryBlobs, ledger: LoadedLedger) -> LogFiles:
    """The hospital's log."""
    return LogFiles(blobs, ledger.hospital)


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    """Keys that are made when they are first needed."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("a passphrase of the tests\n")
    return LogKeys(tmp_path / "keys", passphrase, make=True)


@pytest.fixture
def logs(blobs: DirectoryBlobs, tmp_path: Path) -> OwnLogs:
    """The logs for those who sign nothing."""
    return OwnLogs(blobs, LogVerifiers(tmp_path / "keys" / FILE_NAME))


@pytest.fixture
def log_key(tmp_path: Path, ledger: LoadedLedger) -> Callable[[], VerifierKey]:
    """The verifier key of the hospital's log, once it was made."""
    origin = f"{ORIGIN_PREFIX}/{ledger.hospital}/1"
    return lambda: read_sealed_key(KeyFolder(tmp_path / "keys").path_of(origin, KeyKind.ED25519)).verifier


@asynccontextmanager
async def integrating_at(settings: Settings, log: Log) -> AsyncGenerator[None]:
    """An integrator of these settings while the block runs."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run_integrator(settings, log, stop, ready.set))
    try:
        yield
    finally:
        stop.set()
        await task


@pytest.fixture
def integrating(settings: Settings, blobs: DirectoryBlobs, keys: LogKeys) -> Integrating:
    """An integrator while the block runs."""

    def integrate(policy: Policy | None = None) -> AbstractAsyncContextManager[None]:
        return integrating_at(settings, Log(blobs, keys, policy))

    return integrate


@pytest.fixture
async def ground(ledger: LoadedLedger, integrating: Integrating, tmp_path: Path) -> Ground:
    """Its log is signed and published."""
    ground = Ground(ledger, environment_of(ledger.database, tmp_path), tmp_path)
    async with ground.service() as service:
        ground.patient = await ground.register(service)
    ledger.head = 1
    ledger.append(SIGNED - 1)
    async with integrating():
        await until_published(ground.old_files, SIGNED)
    return ground


@pytest.fixture
def publishing(settings: Settings, logs: OwnLogs) -> Publishing:
    """A publisher on the PostgreSQL log that knows of the log's files, while the block runs."""

    @asynccontextmanager
    async def publish() -> AsyncGenerator[None]:
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(run_publisher(settings, FIXED_KEY, stop, ready.set, logs))
        try:
            yield
        finally:
            stop.set()
            await task

    return publish
