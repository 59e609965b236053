"""Events and keys are backed up apart: what opens after a restore is what its keys open, and nothing that is gone."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from ledger.application.errors import BodyUnreadable
from ledger.application.ledger import Ledger
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.bodies import Bodies, bodies_with_keys
from ledger.cli.erasure_follower import ErasureFollower
from ledger.cli.main import main
from ledger.config import load
from ledger.domain.refusal import Refused
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log, run_integrator
from ledger.keys.key_file import COST_OF_A_RANDOM_PASSPHRASE, new_key_file, write_key_file
from ledger.keys.purge_rows import REGISTER_START
from ledger.log.log_files import LogFiles
from ledger.server.record_message import record_message
from ledger.store.whole_ledger import verify_stored
from ledger.trust.sealing import Destroyed, Opened, Opening, SealFault, SealFaultKind
from ledger.trust.verify import Summary
from tests.contract.edge import requests
from tests.integration.application.disposal_ground import Office, erasing_for
from tests.integration.application.written import HOSPITAL, execute
from tests.integration.log.waiting import until_published
from tests.services.postgres import Database, create_database
from tests.services.serve_process import serve_environment

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass
class Process:
    """What one server process has."""

    ledger: Ledger
    bodies: Bodies
    follower: ErasureFollower


@asynccontextmanager
async def serving(environment: dict[str, str], *, looking: bool = True) -> AsyncGenerator[Process]:
    """A server process; what is destroyed is applied before it serves, but where it is gone before it looks."""
    settings = load(environment)
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        erasing = erasing_for(bodies, NOW, "archive-office")
        follower = ErasureFollower(erasing, ledger.hospitals, ledger.drop_destroyed, CollectorRegistry())
        if looking:
            await follower.catch_up()
        yield Process(ledger, bodies, follower)
        await ledger.close()


async def program(database: Database, folder: Path, *words: str, status: int = 0, **more: str) -> str:
    """The output of a command of the program, which must end with this status."""
    environment = {**serve_environment(database), "LEDGER_POSTGRES_MIGRATE_URL": database.url, **more}
    environment["LEDGER_DATA_DIR"] = str(folder / database.name)
    done = await asyncio.to_thread(lambda: CliRunner().invoke(main, words, env=environment))
    assert done.exit_code == status, done.output
    return done.output


def another(database: Database) -> Database:
    """An empty database on the same server."""
    name = f"restored_{uuid4().hex[:8]}"
    create_database(database.server, name)
    return Database(name, database.server.url(name), database.server)


def wrapped_keys(database: Database) -> list[bytes]:
    """Every wrapped key, and the key of the reservations."""
    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT wrapped FROM ledger_keys.record_keys WHERE wrapped IS NOT NULL").fetchall()
        rows += connection.execute("SELECT key FROM h_north.reservation_key").fetchall()
    return [bytes(row[0]) for row in rows]


def found_in(folder: Path, wanted: list[bytes]) -> set[bytes]:
    """Those that lie in any file below the folder."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {each for each in wanted for data in files if each in data or each.hex().encode() in data}


async def test_a_ledger_with_its_keys_is_the_same_ledger(database: Database, tmp_path: Path) -> None:
    """No key lies among the events, every key in the other folder. Restored, records read the same, a command that is
    sent again is known, a case number is taken, and care goes on."""
    patient = requests.register_patient()
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        patient_id = str((await execute(process.ledger, patient)).record_id)
        record_id = (await execute(process.ledger, requests.register_record(patient_id))).record_id
        care = requests.start_care(str(record_id))
        first = await execute(process.ledger, care)
        before = record_message(await process.ledger.record(HOSPITAL, record_id))
    events, keys = tmp_path / "events", tmp_path / "keys"
    await program(database, tmp_path, "backup", str(events), "--keys-to", str(keys))
    wanted = wrapped_keys(database)
    assert found_in(keys, wanted) == set(wanted), "the search finds them"
    assert found_in(events, wanted) == set()
    restored = another(database)
    passphrase = serve_environment(database)["LEDGER_KEY_PASSPHRASE_FILE"]
    said = await program(
        restored, tmp_path, "restore", str(events), "--keys", str(keys), "--key-passphrase-file", passphrase
    )
    assert "3 of 3 record keys open with the key file" in said
    async with serving(serve_environment(restored)) as process:
        assert record_message(await process.ledger.record(HOSPITAL, record_id)) == before
        again = await execute(process.ledger, care)
        assert (again.repeated, again.position) == (True, first.position)
        twice = requests.register_patient(case_number=patient.case_number)
        with pytest.raises(Refused):
            await execute(process.ledger, twice)
        assert (await execute(process.ledger, requests.record_entry(str(record_id)))).position == first.position + 1


async def test_a_backup_from_before_an_erasure_does_not_bring_the_record_back(
    database: Database, tmp_path: Path
) -> None:
    """The log remembers the destruction, so the backup is refused. Put back for a repair, with today's keys, the record
    does not open: its tombstone is among them. Refilled, it is destroyed, as it was."""
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        office = Office(process.ledger)
        record_id, list_id = await office.condemned(await office.patient())
        events, before = tmp_path / "events", await process.ledger.head(HOSPITAL)
        await program(database, tmp_path, "backup", str(events))
        await office.destroy(record_id, list_id)
        await process.follower.catch_up()
    log = tmp_path / database.name / "log"
    await integrated(database, tmp_path / database.name, before + 1)
    keys = tmp_path / "keys"
    await program(database, tmp_path, "backup", "--keys-to", str(keys))
    restored = another(database)
    words = ("restore", str(events), "--keys", str(keys), "--log", str(log))
    refused = await program(restored, tmp_path, *words, status=1)
    assert f"positions {before + 1} to {before + 1} are missing" in refused
    await program(restored, tmp_path, *words, "--for-repair")
    assert set(await opened(restored, record_id)) == {SealFault(SealFaultKind.TOMBSTONE)}
    assert all(isinstance(each, Opened) for each in await opened(restored, list_id)), "others open"
    shutil.copytree(tmp_path / database.name / "keys", tmp_path / restored.name / "keys")
    await program(restored, tmp_path, "repair", "refill", HOSPITAL)
    *earlier, last = await opened(restored, record_id)
    assert (set(earlier), isinstance(last, Opened)) == ({Destroyed()}, True)


async def test_older_keys_beside_older_events_do_not_bring_a_destroyed_record_back(
    database: Database, tmp_path: Path
) -> None:
    """Neither of the two knows of the destruction, the log that lives on does: put back for a repair, the record does
    not open before anything is refilled, and is destroyed once it is. The register says that it knows no holder."""
    events, keys = tmp_path / "events", tmp_path / "keys"
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        office = Office(process.ledger)
        record_id, list_id = await office.condemned(await office.patient())
        before = await process.ledger.head(HOSPITAL)
        await program(database, tmp_path, "backup", str(events), "--keys-to", str(keys))
        await office.destroy(record_id, list_id)
    await integrated(database, tmp_path / database.name, before + 1)
    restored, log = another(database), str(tmp_path / database.name / "log")
    await program(restored, tmp_path, "restore", str(events), "--keys", str(keys), "--log", log, "--for-repair")
    assert set(await opened(restored, record_id)) == {SealFault(SealFaultKind.TOMBSTONE)}
    assert all(isinstance(each, Opened) for each in await opened(restored, list_id)), "others open"
    shutil.copytree(tmp_path / database.name / "keys", tmp_path / restored.name / "keys")
    await program(restored, tmp_path, "repair", "refill", HOSPITAL)
    assert set(await opened(restored, record_id)) == {Destroyed()}
    async with serving(serve_environment(restored)) as process:
        (purge,) = await process.bodies.purges.page("ledger.example/north/1", REGISTER_START, 10, only_open=False)
    assert (purge.stream_id, purge.position, purge.holders_known) == (UUID(record_id), before + 1, False)
    await program(restored, tmp_path, "verify", "keys", HOSPITAL)


async def test_keys_newer_than_the_events_pass_no_destruction_over(database: Database, tmp_path: Path) -> None:
    """They say up to where an older history was read. A record that is destroyed at one of these positions, and a
    server that is gone before it looks: its key is gone all the same once another one serves."""
    events, keys = tmp_path / "events", tmp_path / "keys"
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        record_id, list_id = await Office(process.ledger).condemned(await Office(process.ledger).patient())
        await program(database, tmp_path, "backup", str(events))
        for _ in range(3):
            await Office(process.ledger).patient()
        await process.follower.catch_up()
        await program(database, tmp_path, "backup", "--keys-to", str(keys))
    restored = another(database)
    await program(restored, tmp_path, "restore", str(events), "--keys", str(keys))
    async with serving(serve_environment(restored), looking=False) as process:
        await Office(process.ledger).destroy(record_id, list_id)
        for _ in range(3):
            await Office(process.ledger).patient()
    *earlier, last = await opened(restored, record_id)
    assert (set(earlier), isinstance(last, Opened)) == ({Destroyed()}, True)


async def opened(database: Database, stream_id: str) -> list[Opening]:
    """What a server process, just started, opens of a stream."""
    async with serving(serve_environment(database)) as process:
        rows = await process.ledger.read_stream(HOSPITAL, UUID(stream_id), 0, 100)
        return await process.bodies.opener.open([(row.envelope, row.body) for row in rows])


def made_passphrase(folder: Path) -> Path:
    """A file with a random one."""
    folder.mkdir(exist_ok=True)
    file = folder / "passphrase"
    file.touch(0o600)
    file.write_text(secrets.token_urlsafe(32))
    return file


async def integrated(database: Database, data_dir: Path, size: int) -> None:
    """Grows and signs the hospital's log up to a size."""
    passphrase = made_passphrase(data_dir)
    blobs, stop = DirectoryBlobs(data_dir / "log"), asyncio.Event()
    log = Log(blobs, LogKeys(data_dir / "keys", passphrase, make=True), None)
    task = asyncio.create_task(run_integrator(load(serve_environment(database)), log, stop, lambda: None))
    try:
        await until_published(LogFiles(blobs, HOSPITAL), size)
    finally:
        stop.set()
        await task


async def test_a_lost_key_encryption_key_is_the_loss_of_what_it_wraps(database: Database, tmp_path: Path) -> None:
    """With another key file nothing opens and it is said how little; every byte of the history still verifies."""
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        patient_id = str((await execute(process.ledger, requests.register_patient())).record_id)
        record_id = (await execute(process.ledger, requests.register_record(patient_id))).record_id
    events, keys, other = tmp_path / "events", tmp_path / "keys", tmp_path / "other.json"
    await program(database, tmp_path, "backup", str(events), "--keys-to", str(keys))
    passphrase = made_passphrase(tmp_path)
    made, cost = new_key_file(NOW, os.urandom), COST_OF_A_RANDOM_PASSPHRASE
    write_key_file(other, made, passphrase.read_bytes(), os.urandom, new=True, cost=cost)
    restored = another(database)
    options = ["--keys", str(keys), "--key-file", str(other), "--key-passphrase-file", str(passphrase)]
    said = await program(restored, tmp_path, "restore", str(events), *options)
    assert "0 of 3 record keys open with the key file" in said
    files = {"LEDGER_KEY_FILE": str(other), "LEDGER_KEY_PASSPHRASE_FILE": str(passphrase)}
    async with serving(serve_environment(restored) | files) as process:
        (row, *_) = await process.ledger.read_stream(HOSPITAL, record_id, 0, 1)
        opened = await process.bodies.opener.open([(row.envelope, row.body)])
        assert opened == [SealFault(SealFaultKind.KEY_UNWRAPPED)]
        with pytest.raises(BodyUnreadable) as refused:
            await process.ledger.record(HOSPITAL, record_id)
        assert "KEY_UNWRAPPED" in str(refused.value.why)
    found = await verify_stored(restored.role_url("ledger_append"), HOSPITAL)
    assert isinstance(found, Summary)


async def test_without_keys_a_hospital_is_closed(database: Database, tmp_path: Path) -> None:
    """Its history verifies; no command is taken that would be sealed under keys that nobody keeps."""
    async with serving(serve_environment(database)) as process:
        await process.ledger.add_hospital(HOSPITAL, 1, "")
        await execute(process.ledger, requests.register_patient())
    events = tmp_path / "events"
    await program(database, tmp_path, "backup", str(events))
    restored = another(database)
    said = await program(restored, tmp_path, "restore", str(events))
    assert "every hospital is closed" in said
    async with serving(serve_environment(restored)) as process:
        (hospital,) = await process.ledger.hospitals()
        assert hospital.state == "closed"
    assert isinstance(await verify_stored(restored.role_url("ledger_append"), HOSPITAL), Summary)
