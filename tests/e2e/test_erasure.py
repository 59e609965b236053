"""Whether a destroyed record is really gone: every file of every server is searched for it."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from ledger.api.v1 import records_pb2 as records
from ledger.application.ledger import Ledger
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.service_folder import ServiceFolder
from ledger.embedded.kafka_jars import default_cache
from ledger.keys.key_file import SETTLED
from ledger.keys.key_file_keys import KeyFileKeys
from ledger.keys.log_verifiers import FILE_NAME
from ledger.keys.wrapping import KeyPlace, Wrapped
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.record_key import RecordKey
from tests.contract.edge import requests
from tests.eventually import eventually
from tests.integration.application.disposal_ground import Office
from tests.services.whole_service import WholeService

_PROJECT = Path(__file__).parents[2]
_LATER = timedelta(days=40)
TITLE = secrets.token_hex(24)
"""Shown on boards, so that it lies in tables of views."""
_PIECE = 200


def incompressible(random_bytes: int) -> str:
    """So long that PostgreSQL puts it into TOAST, sealed or not."""
    return base64.b64encode(secrets.token_bytes(random_bytes)).decode()


def pieces_of(text: str) -> list[bytes]:
    """Short enough that most lie whole in one piece of TOAST."""
    return [text[at : at + _PIECE].encode() for at in range(0, len(text) - _PIECE, _PIECE)]


TEXT = incompressible(9_000)
"""What the entry says: plaintext in the archive office's files."""
LONG_TITLE = incompressible(3_000)
"""Behind the title: plaintext in the TOAST of views."""


@pytest.fixture
def service(services_folder: Path) -> Iterator[WholeService]:
    """A service of its own with Kafka, since it is stopped."""
    found = WholeService(services_folder / "erasure", "kafka", _PROJECT / default_cache())
    found.start()
    yield found
    found.stop_if_running()


@pytest.mark.kafka
async def test_nothing_of_a_destroyed_record_is_left_in_any_file(service: WholeService, tmp_path: Path) -> None:
    """Marker, data key and wrapped key: found before (where they may be), nowhere after the documented steps.

    The data key may be nowhere before either.
    Searched are PostgreSQL, Kafka, tiles, entries and bodies of the log, consumers' folders, an archive, a proof pack.
    The sealed body lies in all of them that hold events, before and after: it shows that they are read.
    """
    async with bodies_with_keys(service.settings) as bodies:
        ledger = await Ledger.open(service.settings, bodies.sealer, bodies.opener)
        office = Office(ledger)
        record_id, list_id = await office.condemned(await office.patient(), _marked)
        head = await ledger.head("north")
        eventually(lambda: _views_at(service, head), seconds_max=60, what="views at the head")
        place, wrapped = _key_row(service, record_id)
        settings = service.settings
        assert settings.key_file is not None
        assert settings.key_passphrase_file is not None
        (data_key,) = await KeyFileKeys(settings.key_file, settings.key_passphrase_file).unwrap([(place, wrapped)])
        assert data_key is not None
        archive, pack = tmp_path / "archive", tmp_path / "record.pack"
        _archived(service, archive)
        await asyncio.to_thread(_packed, service, record_id, head, pack)
        sealed = _piece_of_sealed_body(service, record_id)
        _superuser(service, "CHECKPOINT")
        folders = [service.folder, Path(_superuser(service, "SHOW data_directory")), tmp_path]
        assert RecordKey(data_key).key_id == place.key_id, "control: the data key is the record's"
        wanted = [TITLE.encode(), *pieces_of(TEXT), *pieces_of(LONG_TITLE)]
        assert _found([archive], wanted) == set(wanted), "control: the archive is readable"
        _assert_sealed_body_lies_in_all(service, folders[1], pack, sealed)
        assert {TITLE.encode(), wrapped.data} <= _found(folders, [TITLE.encode(), wrapped.data]), "the search finds"
        tables, toast = (_tables_of_views(service, folders[1], kinds) for kinds in ("'r', 'i'", "'t'"))
        assert any(TITLE.encode() in path.read_bytes() for path in [*tables, *toast]), "control: views are readable"
        held = [path.read_bytes() for path in toast]
        whole = [each for each in pieces_of(LONG_TITLE) if any(each in data for data in held)]
        assert len(whole) > len(pieces_of(LONG_TITLE)) // 2, "control: so is their TOAST"
        await office.destroy(record_id, list_id)
        await ledger.close()
    eventually(lambda: _key_row(service, record_id)[1].data == b"", what="tombstone")
    _archived(service, archive)
    destroyed_at = head + 2  # the published map lies between
    eventually(lambda: _views_at(service, destroyed_at), seconds_max=60, what="views at the destruction")

    assert "generation 2 is the newest" in _purge(service, {})
    clock = tmp_path / "clock"
    clock.write_text((datetime.now(UTC) + _LATER).isoformat())
    driven = {"LEDGER_CLOCK_FILE": str(clock), "LEDGER_TEST_CLOCK": "1"}
    assert "generation 1 is destroyed" in _purge(service, driven)
    assert record_id in _listed(service)
    assert "not yet" in _listed(service), "by the service's clock a backup of today is kept"
    _purge(service, {}, "--backup-days", "0")
    # For a moment after a rotation a generation still counts as one that wraps.
    eventually(lambda: "not yet" not in _listed(service), seconds_max=2 * SETTLED.seconds, what="completeness")
    # A row of a backup from before, with the key file of today: its generation is gone.
    assert await KeyFileKeys(settings.key_file, settings.key_passphrase_file).unwrap([(place, wrapped)]) == [None]

    assert service.stop() == 0
    _assert_sealed_body_lies_in_all(service, folders[1], pack, sealed)
    keys = [form for each in (data_key, wrapped.data) for form in (each, each.hex().encode(), base64.b64encode(each))]
    assert _found(folders, [*wanted, *keys]) == set()


def _marked(record_id: str, text: str) -> records.RecordEntryRequest:
    request = requests.record_entry(record_id, text + TEXT)
    request.content.title = TITLE + LONG_TITLE
    return request


def _archived(service: WholeService, folder: Path) -> None:
    """The archive office's files, up to the head."""
    _ledger(service, "consume", "archive-office", "north", str(folder), "--dir", str(service.folder))


def _packed(service: WholeService, record_id: str, position: int, pack: Path) -> None:
    """The record's proof pack with its bodies, once a published map covers it."""
    log = LogFiles(DirectoryBlobs(service.folder / "log"), "north")

    def covers(size: int) -> bool:
        note = log.published()
        return note is not None and parse_checkpoint(note.text).size >= size

    eventually(lambda: covers(position), seconds_max=60, what="the log at the head")
    blobs = {
        "LEDGER_BLOBS": str(service.folder / "log"),
        "LEDGER_LOG_VERIFIERS": str(service.folder / "keys" / FILE_NAME),
    }
    _ledger(service, "map", "north", "--once", "--address", service.grpc, environment=blobs)
    eventually(lambda: covers(position + 1), seconds_max=60, what="the map in the log")
    out = ("--out", str(pack), "--with-bodies", "--dir", str(service.folder))
    _ledger(service, "export", "proof", record_id, "--hospital", "north", *out)


def _piece_of_sealed_body(service: WholeService, record_id: str) -> bytes:
    """Bytes of the record's longest body as stored, all within one piece of TOAST and of base64."""
    query = "SELECT encode(substr(body, 301, 150), 'hex') FROM h_north.events WHERE stream_id = '{}'"
    return bytes.fromhex(_superuser(service, f"{query.format(record_id)} ORDER BY length(body) DESC LIMIT 1"))


def _assert_sealed_body_lies_in_all(service: WholeService, data: Path, pack: Path, sealed: bytes) -> None:
    for place in (data, service.folder / "kafka", service.folder / "log" / "north" / "bodies"):
        assert _found([place], [sealed]) == {sealed}, f"control: events are found in {place}"
    # 300 bytes before the piece: whole groups of three, so that its base64 stands there as it is.
    assert base64.b64encode(sealed) in pack.read_bytes(), "control: the pack holds the body"


def _views_at(service: WholeService, position: int) -> bool:
    counted = "SELECT min(e) FROM (SELECT sum(events) AS e FROM v_north.checkpoints GROUP BY view) AS s"
    return int(_superuser(service, counted) or 0) >= position


def _key_row(service: WholeService, record_id: str) -> tuple[KeyPlace, Wrapped]:
    query = "SELECT origin, key_id, generation, wrapped FROM ledger_keys.record_keys WHERE stream_id = %s"
    with psycopg.connect(service.settings.postgres_keys_url) as connection:
        row = connection.execute(query, (record_id,)).fetchone()
    assert row is not None
    origin, key_id, generation, wrapped = row
    return KeyPlace(origin, UUID(record_id).bytes, bytes(key_id)), Wrapped(generation, bytes(wrapped or b""))


def _superuser(service: WholeService, statement: str) -> str:
    url = ServiceFolder.look(service.folder).superuser_url()
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row and row[0] is not None else ""


def _tables_of_views(service: WholeService, data: Path, kinds: str) -> list[Path]:
    """Files of the views' tables and indexes, or of the TOAST behind these tables."""
    of_views = """SELECT string_agg(pg_relation_filepath(c.oid), ' ') FROM pg_class AS c
        WHERE c.relkind IN ({}) AND (c.relnamespace = 'v_north'::regnamespace OR c.oid IN (
            SELECT reltoastrelid FROM pg_class WHERE relnamespace = 'v_north'::regnamespace))"""
    return [data / each for each in _superuser(service, of_views.format(kinds)).split()]


def _found(folders: Iterable[Path], wanted: list[bytes]) -> set[bytes]:
    """Those that lie in any file, all files read whole."""
    found: set[bytes] = set()
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                found |= {each for each in wanted if each in data}
    return found


def _purge(service: WholeService, environment: dict[str, str], *words: str) -> str:
    return _ledger(service, "purge", "run", *words, "--dir", str(service.folder), environment=environment)


def _listed(service: WholeService) -> str:
    return _ledger(service, "purge", "list", "--hospital", "north", "--dir", str(service.folder))


def _ledger(service: WholeService, *words: str, environment: dict[str, str] | None = None) -> str:
    command = [sys.executable, "-m", "ledger.cli.main", *words]
    env = {**os.environ, **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, cwd=_PROJECT, timeout=120, check=False, env=env)
    assert done.returncode == 0, (service.folder, done.stderr)
    return done.stdout
