"""Destructions that a restore cannot know of, and those that only a succession still knows: nothing reads again."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from google.rpc import code_pb2
from prometheus_client import CollectorRegistry

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE
from ledger.domain.state import is_destroyed
from ledger.keys.consumers_file import Consumers, consumer
from ledger.keys.errors import KeysHeldBack
from ledger.keys.unsealing import Unsealing
from ledger.server.error_status import status_of
from ledger.trust.sealing import Destroyed, Opened, SealFault, SealFaultKind
from tests.integration.application.disposal_ground import Office
from tests.integration.application.test_restored_keys import another, integrated, opened, program, serving
from tests.integration.application.written import HOSPITAL
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment

ADA, BEA = (f"{uuid4()},{name},{role}" for name, role in (("Ada", "records_office"), ("Bea", "physician")))
APPROVED = ("--approver", ADA, "--approver", BEA)
BUNDLES = ("tile/entries", "bodies")


def lose_bundles(log: Path) -> None:
    """Everything but hash tiles and heads."""
    for kind in BUNDLES:
        shutil.rmtree(log / HOSPITAL / kind)


async def unsealed(database: Database, stream_id: str) -> dict[str, float]:
    """What a program that asks the key service for a stream's last body is counted as, by outcome."""
    registry, office = CollectorRegistry(), consumer("archive", "a token", UNSEAL_PURPOSE_ARCHIVE, hospitals=["*"])
    async with serving(serve_environment(database)) as process:
        row = (await process.ledger.read_stream(HOSPITAL, UUID(stream_id), 0, 100))[-1]
        unsealing = Unsealing(Consumers([office]), process.bodies.opener, registry)
        with suppress(KeysHeldBack):
            await unsealing.unseal("Bearer a token", UNSEAL_PURPOSE_ARCHIVE, [(row.envelope, row.body)])
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    counted = [each for each in samples if each.name == "ledger_unsealed_bodies_total"]
    assert {each.labels["hospital"] for each in counted} == {HOSPITAL}
    return {each.labels["outcome"]: each.value for each in counted}


async def test_older_keys_open_nothing_while_a_destruction_may_be_missing(database: Database, tmp_path: Path) -> None:
    """Events and keys from before a destruction, and of the log only its heads: any record may be the one, so none is
    opened, by name. Refilled, the destroyed one is destroyed and all others open, with nobody's word. Where records are
    needed at once two persons say so, and both stay written down."""
    events, keys, data = tmp_path / "events", tmp_path / "keys", tmp_path / database.name
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        office = Office(process.ledger)
        record_id, list_id = await office.condemned(await office.patient())
        before = await process.ledger.head(HOSPITAL)
        await program(database, tmp_path, "backup", str(events), "--keys-to", str(keys))
        await office.destroy(record_id, list_id)
    await integrated(database, data, before + 1)
    whole = tmp_path / "whole"
    shutil.copytree(data / "log", whole)
    lose_bundles(data / "log")
    words = ("restore", str(events), "--keys", str(keys), "--log", str(data / "log"), "--for-repair")

    refilled = another(database)
    said = await program(refilled, tmp_path, *words)
    assert f"no record is opened: whether one was destroyed at positions {before + 1} to {before + 1}" in said
    for stream_id in (record_id, list_id):
        with pytest.raises(KeysHeldBack) as refused:
            await opened(refilled, stream_id)
        assert status_of(refused.value).code == code_pb2.FAILED_PRECONDITION
    assert await unsealed(refilled, list_id) == {"held_back": 1}
    own = tmp_path / refilled.name
    shutil.copytree(data / "keys", own / "keys")
    for kind in BUNDLES:
        shutil.copytree(whole / HOSPITAL / kind, own / "log" / HOSPITAL / kind)
    await program(refilled, tmp_path, "repair", "refill", HOSPITAL)
    *earlier, statement = await opened(refilled, record_id)
    assert (set(earlier), isinstance(statement, Opened)) == ({Destroyed()}, True)
    assert all(isinstance(each, Opened) for each in await opened(refilled, list_id))
    assert set(await unsealed(refilled, list_id)) == {"opened"}

    released = another(database)
    await program(released, tmp_path, *words)
    alone = ("keys", "release", HOSPITAL, "--approver", ADA, "--approver", ADA, "--reason", "CARE")
    assert "two different persons" in await program(released, tmp_path, *alone, status=1)
    with pytest.raises(KeysHeldBack):
        await opened(released, list_id)
    await program(released, tmp_path, "keys", "release", HOSPITAL, *APPROVED, "--reason", "CARE")
    assert all(isinstance(each, Opened) for each in await opened(released, list_id))
    with psycopg.connect(released.url) as connection:
        rows = connection.execute("SELECT released_by, reason FROM ledger_keys.held_back").fetchall()
    assert rows == [([UUID(ADA.split(",")[0]), UUID(BEA.split(",")[0])], "CARE")]
    await program(released, tmp_path, "keys", "release", HOSPITAL, *APPROVED, "--reason", "CARE", status=1)


async def test_newer_keys_hold_nothing_back(database: Database, tmp_path: Path) -> None:
    """They were read for destructions up to all that is known: the record is a tombstone, everybody else is read. Its
    RecordDestroyed is given up with the log; the successor upholds it, so it stays so and `verify keys` holds."""
    events, keys, data = tmp_path / "events", tmp_path / "keys", tmp_path / database.name
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        office = Office(process.ledger)
        record_id, list_id = await office.condemned(await office.patient())
        before = await process.ledger.head(HOSPITAL)
        await program(database, tmp_path, "backup", str(events))
        await office.destroy(record_id, list_id)
        await process.follower.catch_up()
    await integrated(database, data, before + 1)
    await program(database, tmp_path, "backup", "--keys-to", str(keys))
    lose_bundles(data / "log")
    restored = another(database)
    words = ("restore", str(events), "--keys", str(keys), "--log", str(data / "log"), "--for-repair")
    assert "no record is opened" not in await program(restored, tmp_path, *words)
    assert set(await opened(restored, record_id)) == {SealFault(SealFaultKind.TOMBSTONE)}
    shutil.copytree(data / "keys", tmp_path / restored.name / "keys")
    assert "TOMBSTONE" in await program(restored, tmp_path, "verify", "keys", HOSPITAL, status=1)

    ending, passphrase = ("repair", "succeed", HOSPITAL, *APPROVED, "--reason", "STORAGE_LOST"), data / "passphrase"
    said = await program(restored, tmp_path, *ending, LEDGER_LOG_PASSPHRASE_FILE=str(passphrase))
    assert "1 records whose RecordDestroyed is lost stay destroyed" in said
    assert set(await opened(restored, record_id)) == {Destroyed()}
    assert all(isinstance(each, Opened) for each in await opened(restored, list_id))
    assert "holds. The keys of" in await program(restored, tmp_path, "verify", "keys", HOSPITAL)
    async with serving(serve_environment(restored)) as process:
        assert is_destroyed((await process.ledger.record(HOSPITAL, UUID(record_id))).state)
        assert await process.ledger.head(HOSPITAL) == before + 2
    await program(restored, tmp_path, "verify", "ledger", HOSPITAL)
