"""A service in this process, with the product's own roles, while the state is made that lies at rest afterwards."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message
from psycopg.rows import dict_row
from psycopg.sql import SQL

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import proofs_pb2 as proofs
from ledger.application.ledger import Ledger
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.bodies import Bodies
from ledger.cli.feeds import view_tools
from ledger.cli.service_secrets import make_secrets, secret_settings
from ledger.config import Settings, load
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log, run_integrator
from ledger.keys.disclosing import Disclosing
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.lease import Leases
from ledger.log.log_files import LogFiles
from ledger.log.own_heads import OwnLogs
from ledger.log.record_maps import PublishedAt, RecordMaps
from ledger.publisher.role import run_publisher
from ledger.server.caller import current_authorization
from ledger.server.log_readers import Logs, parse_readers
from ledger.server.proofs import Proofs
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.map_audit import MapAudit
from ledger.trust.map_published import read_map_published
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind
from ledger.trust.proof_pack import parse_proof_pack
from ledger.trust.record_map import MAP_VERSION
from projections.connections import connection_pool
from projections.hints import HeadHints
from projections.run import Runner
from projections.session import Pace
from projections.tables import exposed_name
from projections.views import ALL
from tests.eventually import eventually_async
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment
from tests.unit.trust.tlog_samples import WITNESSES, key

HOSPITAL, ORIGIN = "north", "ledger.example/north/1"
MONITOR = key("archive.example/monitor", KeyKind.ED25519)
_TOKEN = "a token of the tests"
_PROGRAM = common.Actor(id="7c9a1f52-0f6e-4d2b-8a3e-5b1c2d3e4f50", name="record-maps", role="system")


@dataclass(frozen=True)
class Proven:
    """What was handed out at one moment: the log's folder, a record's pack, an event's proof, a package."""

    log: Path
    pack: bytes
    proof: bytes
    package: bytes


def settings_in(database: Database, bootstrap: str, folder: Path) -> Settings:
    """A service's settings, with keys of its own."""
    make_secrets(folder)
    stream = {"LEDGER_STREAM": "kafka", "LEDGER_KAFKA_BOOTSTRAP": bootstrap, "LEDGER_CHECKPOINT_SECONDS": "1"}
    return load(serve_environment(database, **stream, **secret_settings(folder), LEDGER_DATA_DIR=str(folder)))


OlderViews = dict[tuple[str, str], list[dict[str, Any]]]
"""Rows by the names of view and table."""


class Building:
    """A service under way."""

    def __init__(self, settings: Settings, folder: Path, ledger: Ledger, bodies: Bodies) -> None:
        self.settings = settings
        self.folder = folder
        self.ledger = ledger
        self.bodies = bodies
        self.blobs = DirectoryBlobs(folder / "log")
        self.files = LogFiles(self.blobs, HOSPITAL)
        passphrase = folder / "log-passphrase"
        passphrase.touch(0o600)
        passphrase.write_text("a passphrase of the tests\n")
        self.keys = LogKeys(folder / "log-keys", passphrase, make=True)
        self.logs = OwnLogs(self.blobs, LogVerifiers(folder / "log-keys" / FILE_NAME))
        readers = parse_readers(f"archive {HOSPITAL} {sha256(_TOKEN.encode()).hexdigest()}\n".encode())
        self._proofs = Proofs(ledger, Logs(self.logs, readers), Disclosing(bodies.keys).disclose).queries()

    @asynccontextmanager
    async def roles(self) -> AsyncGenerator[None]:
        """Integrator, publisher and views meanwhile."""
        stop, ready, opener = asyncio.Event(), asyncio.Event(), self.bodies.opener
        async with connection_pool(self.settings.postgres_views_url) as pool:
            tools = view_tools(
                self.settings, pool, Leases(pool.connection), opener, Pace(poll_s=0.1, idle_s=1.0, sweep_s=0.2)
            )
            running = [
                asyncio.create_task(run_integrator(self.settings, Log(self.blobs, self.keys, None), stop, ready.set)),
                asyncio.create_task(run_publisher(self.settings, opener, stop, ready.set, self.logs)),
                asyncio.create_task(Runner(tools, ALL, HeadHints()).run(stop, ready)),
            ]
            self._pool = pool
            try:
                yield
            finally:
                stop.set()
                await asyncio.gather(*running)

    async def settled(self) -> int:
        """Waits until log and views hold all that is there; the head."""
        head = await self.ledger.head(HOSPITAL)

        async def there() -> bool:
            note = self.files.published()
            return note is not None and parse_checkpoint(note.text).size >= head and await self._viewed() >= head

        await eventually_async(there, seconds_max=60, what=f"log and views at {head}")
        return head

    async def _viewed(self) -> int:
        async with self._pool.connection() as connection:
            query = "SELECT count(*), min(e) FROM (SELECT sum(events) AS e FROM v_north.checkpoints GROUP BY view) AS s"
            row = await (await connection.execute(query)).fetchone()
        return int(row[1]) if row and row[0] == len(ALL) else 0

    async def view_rows(self) -> OlderViews:
        """What readers see of every table of every view, once all is there."""
        await self.settled()
        found: OlderViews = {}
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            for view in ALL:
                for table in view.tables:
                    exposed = exposed_name(HOSPITAL, view, table.name)
                    rows = await cursor.execute(SQL("SELECT * FROM {}").format(exposed))
                    found[view.name, table.name] = await rows.fetchall()
        return found

    async def publish_map(self) -> None:
        """What `ledger map` does, once."""
        size, maps = await self.settled(), RecordMaps(self.blobs, HOSPITAL)
        head = await asyncio.to_thread(self.logs.newest, HOSPITAL, ORIGIN)
        assert head is not None
        assert head.size == size
        tree = await asyncio.to_thread(maps.build, head)
        await asyncio.to_thread(maps.keep, size, tree)
        context = common.CommandContext(hospital=HOSPITAL, command_id=str(uuid4()), actor=_PROGRAM)
        request = proofs.PublishMapRequest(
            context=context, tree_size=size, rows=tree.rows, root=tree.root(), map_version=MAP_VERSION
        )
        done = await self.ledger.execute("ledger.api.v1.ProofService/PublishMap", request)
        await asyncio.to_thread(maps.note_published, PublishedAt(size, done.position))

    async def ask(self, name: str, request: Message) -> Any:
        """A query of ProofService."""
        current_authorization.set(f"Bearer {_TOKEN}")
        return await self._proofs[f"ledger.api.v1.ProofService/{name}"](request)

    def cosigned(self) -> Note:
        """The published checkpoint with two cosignatures."""
        note = self.files.published()
        assert note is not None
        now = int(datetime.now(UTC).timestamp())
        return note.signed_also(*(each.cosign(note.text, now + at) for at, each in enumerate(WITNESSES[:2])))

    async def proven(self, name: str, record: UUID, position: int, package: bytes) -> Proven:
        """What is handed out at this moment."""
        await self.settled()
        log = Path(shutil.copytree(self.folder / "log" / HOSPITAL, self.folder / name))
        asked = proofs.GetProofPackRequest(hospital=HOSPITAL, record_id=str(record), with_bodies=True)
        pack = parse_proof_pack((await self.ask("GetProofPack", asked)).pack)
        said = read_map_published(pack.map_event.plaintext)
        audit = MapAudit(ORIGIN, pack.map_place.index, said, said.rows, said.root).text()
        signed = Note(audit, (MONITOR.sign(audit),))
        event = proofs.GetTlogProofRequest(hospital=HOSPITAL, position=position)
        proof = (await self.ask("GetTlogProof", event)).proof.partition(b"\n\n")[0] + b"\n\n" + self.cosigned().encode()
        whole = replace(pack, checkpoint=self.cosigned(), audit=signed).encode()
        return Proven(log, whole, proof, package)
