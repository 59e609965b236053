"""One small service's whole stored state, made by the product itself: what every tampering begins from."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from google.protobuf.message import Message
from prometheus_client import CollectorRegistry

from consumers.receiving_hospital.offer import Offer, read_offer
from consumers.transfer_message import TransferMessage
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import proofs_pb2 as proofs
from ledger.api.v1 import transfers_pb2 as transfers
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.application.ledger import Ledger
from ledger.application.packages import package_bytes
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.bodies import Bodies, bodies_with_keys
from ledger.cli.erasure_follower import ErasureFollower
from ledger.cli.feeds import view_tools
from ledger.cli.service_secrets import make_secrets, secret_settings
from ledger.config import Settings, load
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log, run_integrator
from ledger.keys.disclosing import Disclosing
from ledger.keys.erasing import Erasing
from ledger.keys.key_file import COST_OF_A_RANDOM_PASSPHRASE, read_key_file, write_key_file
from ledger.keys.key_file_keys import KeyFileKeys
from ledger.keys.key_rows import KeyRows
from ledger.keys.rewrapping import rewrap_all
from ledger.keys.secret_file import read_line_secret
from ledger.log.log_files import LogFiles
from ledger.log.record_maps import PublishedAt, RecordMaps
from ledger.publisher.role import run_publisher
from ledger.server.proofs import Proofs
from ledger.store.connections import writer_pool
from ledger.telemetry.trace import current_traceparent
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.map_audit import MapAudit
from ledger.trust.map_published import read_map_published
from ledger.trust.note import Note, parse_note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.proof_pack import parse_proof_pack
from ledger.trust.record_map import MAP_VERSION
from projections.connections import connection_pool
from projections.hints import HeadHints
from projections.run import Runner
from projections.session import Pace
from projections.views import ALL
from tests.contract.edge import requests
from tests.eventually import eventually_async
from tests.integration.application.disposal_ground import APPROVER, PROPOSER, Office
from tests.integration.application.written import execute
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment
from tests.unit.trust.tlog_samples import WITNESSES, key

HOSPITAL, ORIGIN = "north", "ledger.example/north/1"
PARTITIONS = 2
NOTES = 90
"""Of each of three records, so that the log has more than one bundle."""
MONITOR = key("archive.example/monitor", KeyKind.ED25519)
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_PROGRAM = common.Actor(id="7c9a1f52-0f6e-4d2b-8a3e-5b1c2d3e4f50", name="record-maps", role="system")


@dataclass(frozen=True)
class Proven:
    """What was handed out at one moment: the log's folder, a record's pack, an event's proof, a package."""

    log: Path
    pack: bytes
    proof: bytes
    package: bytes


@dataclass(frozen=True)
class Stored:
    """What lies at rest once every role has ended."""

    database: Database
    settings: Settings
    folder: Path
    log_key: SigningKey
    now: Proven
    older: Proven
    """Of an earlier moment, to be replayed."""
    entry: bytes
    """The envelope of the event that the proofs are about."""
    offer: Offer
    record: UUID
    """The record of the pack and of the package."""
    destroyed: UUID
    older_keys: tuple[tuple[Any, ...], ...]
    """The rows of keys before the destruction and before the last generation."""

    @property
    def policy(self) -> Path:
        """The log's key, and two of three witnesses."""
        return self.folder / "policy"

    @property
    def remembered(self) -> Path:
        """The cosigned checkpoint that somebody else keeps."""
        return self.folder / "remembered.checkpoint"


def settings_in(database: Database, bootstrap: str, folder: Path) -> Settings:
    """A service's settings, with keys of its own."""
    make_secrets(folder)
    stream = {"LEDGER_STREAM": "kafka", "LEDGER_KAFKA_BOOTSTRAP": bootstrap, "LEDGER_CHECKPOINT_SECONDS": "1"}
    return load(serve_environment(database, **stream, **secret_settings(folder), LEDGER_DATA_DIR=str(folder)))


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
        self._proofs = Proofs(ledger, self.blobs, Disclosing(bodies.keys).disclose).queries()

    @asynccontextmanager
    async def roles(self) -> AsyncGenerator[None]:
        """Integrator, publisher and views meanwhile."""
        stop, ready, opener = asyncio.Event(), asyncio.Event(), self.bodies.opener
        async with connection_pool(self.settings.postgres_views_url) as pool:
            tools = view_tools(self.settings, pool, opener, Pace(poll_s=0.1, idle_s=1.0, sweep_s=0.2))
            running = [
                asyncio.create_task(run_integrator(self.settings, Log(self.blobs, self.keys, None), stop, ready.set)),
                asyncio.create_task(run_publisher(self.settings, opener, stop, ready.set, self.blobs)),
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

    async def publish_map(self) -> None:
        """What `ledger map` does, once."""
        size, maps = await self.settled(), RecordMaps(self.blobs, HOSPITAL)
        tree = await asyncio.to_thread(maps.build, size)
        await asyncio.to_thread(maps.keep, size, tree)
        context = common.CommandContext(hospital=HOSPITAL, command_id=str(uuid4()), actor=_PROGRAM)
        request = proofs.PublishMapRequest(
            context=context, tree_size=size, rows=tree.rows, root=tree.root(), map_version=MAP_VERSION
        )
        done = await self.ledger.execute("ledger.api.v1.ProofService/PublishMap", request)
        await asyncio.to_thread(maps.note_published, PublishedAt(size, done.position))

    async def ask(self, name: str, request: Message) -> Any:
        """A query of ProofService."""
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


async def build(database: Database, bootstrap: str, folder: Path) -> Stored:
    """The state: destroyed and living records, two moments of proofs, an offer, keys of two generations."""
    settings = settings_in(database, bootstrap, folder)
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        try:
            await ledger.add_hospital(HOSPITAL, PARTITIONS, "")
            await ledger.add_hospital("south", 1, "")
            building = Building(settings, folder, ledger, bodies)
            async with building.roles():
                return await _filled(building, database)
        finally:
            await ledger.close()


async def _filled(building: Building, database: Database) -> Stored:
    ledger, office = building.ledger, Office(building.ledger)
    current_traceparent.set(_TRACE)
    destroyed, list_id = await office.condemned(await office.patient())
    records = [await _under_care(ledger) for _ in range(3)]
    await asyncio.gather(*(_notes(ledger, each, NOTES) for each in records))
    for actor in (PROPOSER, APPROVER):
        await ledger.register_actor(HOSPITAL, RegisterActorRequest(hospital=HOSPITAL, actor=actor))
    older_keys = _key_rows(database)
    await building.publish_map()
    rows = await ledger.read_stream(HOSPITAL, records[0], 0, 2000)
    older = await building.proven("older-log", records[0], 5, package_bytes(uuid4(), ORIGIN, rows[:-1]))

    await office.destroy(destroyed, list_id)
    await _erased(building)
    await _rotated(building)
    await asyncio.gather(*(_notes(ledger, each, 5) for each in records))
    offer, package = await _offered(building, records[0])
    await building.publish_map()
    await execute(ledger, requests.record_entry(str(records[0]), "After the map."))
    now = await building.proven("now-log", records[0], 5, package)
    note, log_key = building.cosigned(), building.keys.of(ORIGIN)
    (building.folder / "remembered.checkpoint").write_bytes(note.encode())
    (building.folder / "policy").write_text(_policy(log_key))
    entry = (await ledger.read_positions(HOSPITAL, 4, 1))[0].envelope
    assert parse_note(note.encode()) == note
    return Stored(
        database, building.settings, building.folder, log_key, now, older, entry, offer, records[0], UUID(destroyed),
        older_keys,
    )  # fmt: skip


def _policy(log_key: SigningKey) -> str:
    witnesses = "".join(f"witness w{at} {each.verifier()}\n" for at, each in enumerate(WITNESSES))
    return f"log {log_key.verifier()}\n{witnesses}group ours 2 w0 w1 w2\nquorum ours\n"


async def _under_care(ledger: Ledger) -> UUID:
    patient = await execute(ledger, requests.register_patient())
    record = await execute(ledger, requests.register_record(str(patient.record_id)))
    await execute(ledger, requests.start_care(str(record.record_id)))
    return record.record_id


async def _notes(ledger: Ledger, record: UUID, count: int) -> None:
    for number in range(count):
        await execute(ledger, requests.record_entry(str(record), f"Note {number}."))


async def _erased(building: Building) -> None:
    """What `ledger serve` does with a destruction."""
    bodies, ledger = building.bodies, building.ledger
    erasing = Erasing(bodies.keys, bodies.purges, bodies.events, ("archive-office",), lambda: datetime.now(UTC))
    await ErasureFollower(erasing, ledger.hospitals, ledger.drop_destroyed, CollectorRegistry()).catch_up()


async def _rotated(building: Building) -> None:
    """A new generation of key-encryption keys, and every key under it."""
    file, passphrase_file = building.settings.key_file, building.settings.key_passphrase_file
    assert file is not None
    assert passphrase_file is not None
    passphrase = read_line_secret(passphrase_file)
    content = read_key_file(file, passphrase).rotated(datetime.now(UTC), os.urandom)
    write_key_file(file, content, passphrase, os.urandom, cost=COST_OF_A_RANDOM_PASSPHRASE)
    pool = writer_pool(building.settings.postgres_keys_url)
    try:
        done = await rewrap_all(KeyRows(pool), KeyFileKeys(file, passphrase_file), content.newest.number)
    finally:
        await pool.close()
    assert (done.keys > 0, done.failed) == (True, ())


async def _offered(building: Building, record: UUID) -> tuple[Offer, bytes]:
    """The offer of a record to south, as south reads it, and the package."""
    ledger = building.ledger
    request = transfers.OfferTransferRequest(
        context=requests.context(HOSPITAL), record_id=str(record), recipient="south", kind=common.TRANSFER_KIND_TRANSFER
    )
    done = await ledger.execute("ledger.api.v1.TransferService/OfferTransfer", request)
    (row,) = await ledger.read_positions(HOSPITAL, done.position - 1, 1)
    (opening,) = await building.bodies.opener.open([(row.envelope, row.body)])
    offer = read_offer(TransferMessage(ORIGIN, row.position, row.envelope, row.body, opening))
    return offer, await ledger.package_bytes(HOSPITAL, record, offer.transfer_id, "south")


def _key_rows(database: Database) -> tuple[tuple[Any, ...], ...]:
    with psycopg.connect(database.url) as connection:
        return tuple(connection.execute("SELECT * FROM ledger_keys.record_keys").fetchall())
