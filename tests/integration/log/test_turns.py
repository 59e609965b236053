"""Few places, and hospitals that never rest: each has its turn, and its turn ends with a checkpoint."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator import role
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.policy_file import parse_policy
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import eventually_async
from tests.integration.log.conftest import Integrating
from tests.integration.log.waiting import published
from tests.services.postgres import Database

PLACES = 2
APPEND_SECONDS = 0.1
"""Shorter than any wait of the integrator: a hospital that grows so often is never idle."""


@pytest.fixture(autouse=True)
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """As 16 are for hundreds of hospitals."""
    monkeypatch.setattr(role, "OPEN_MAX", PLACES)


async def added(database: Database, count: int) -> list[LoadedLedger]:
    """New hospitals."""
    return [await LoadedLedger.add(database, f"h{uuid4().hex[:8]}", 1) for _ in range(count)]


@asynccontextmanager
async def never_resting(busy: Sequence[LoadedLedger]) -> AsyncGenerator[None]:
    """Each of these gets an event again and again while the block runs."""
    over = threading.Event()

    def load(each: LoadedLedger) -> None:
        while not over.wait(APPEND_SECONDS):
            each.append(1)

    # Threads of their own: those of the loop do the integrator's work.
    threads = [threading.Thread(target=load, args=(each,)) for each in busy]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in threads:
            await asyncio.to_thread(each.join)


async def until_beyond(files: LogFiles, size: int) -> int:
    """The size of the published checkpoint, once it is larger."""

    async def grown() -> int:
        found = published(files)
        return found.size if found and found.size > size else 0

    return await eventually_async(grown, what=f"a checkpoint beyond {size}")


async def test_hospitals_that_never_rest_keep_no_other_from_its_checkpoint(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, blobs: DirectoryBlobs, database: Database
) -> None:
    """As many as there are places grow all the time; one that wakes is published, and again when it grows again."""
    busy = await added(database, PLACES)
    async with never_resting(busy), integrating():
        for each in busy:
            await until_beyond(LogFiles(blobs, each.hospital), 0)
        for head in (5, 10):
            await asyncio.to_thread(ledger.append, 5)
            assert await until_beyond(files, head - 5) == head


async def test_three_times_as_many_that_never_rest_grow_by_turns(
    integrating: Integrating, blobs: DirectoryBlobs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is published, and each again, as its turn comes round."""
    monkeypatch.setattr(role, "TURN_SECONDS", 0.3)
    busy = await added(database, 3 * PLACES)
    logs = [LogFiles(blobs, each.hospital) for each in busy]
    async with never_resting(busy), integrating():
        first = [await until_beyond(each, 0) for each in logs]
        for each, size in zip(logs, first, strict=True):
            await until_beyond(each, size)


async def test_hospitals_that_wait_for_witnesses_keep_no_other_from_being_signed(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, blobs: DirectoryBlobs, database: Database
) -> None:
    """No witness answers and nothing is published: what has to wait for one gives its place up all the same."""
    witness = SigningKey("witness.test/w", KeyKind.COSIGNATURE, bytes(range(32))).verifier()
    waiting = await added(database, PLACES)
    for each in waiting:
        each.append(3)

    def signed(of: LogFiles) -> int:
        note = of.signed()
        return parse_checkpoint(note.text).size if note else 0

    async def all_signed() -> bool:
        return all(signed(LogFiles(blobs, each.hospital)) == 3 for each in waiting)

    async def ours_signed() -> bool:
        return signed(files) == 5

    async with integrating(parse_policy(f"witness w {witness} http://127.0.0.1:9\nquorum w\n".encode())):
        await eventually_async(all_signed)
        await asyncio.to_thread(ledger.append, 5)
        await eventually_async(ours_signed)
    assert files.published() is None
