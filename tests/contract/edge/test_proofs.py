"""Proofs over the API: out of a real log, of a record that was written over it, checked by both verifiers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from click.testing import CliRunner, Result

from ledger.api.v1 import proofs_pb2 as messages
from ledger.api.v1.proofs_pb2_grpc import ProofServiceStub
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.errors_shown import reason
from ledger.cli.main import main
from ledger.cli.map_records import map_all, publish_map
from ledger.integrator.log_keys import LogKeys
from ledger.integrator.role import Log, run_integrator
from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.own_heads import OwnLogs
from ledger.log.record_maps import RecordMaps
from ledger.server.caller import current_authorization
from ledger.server.errors import PackTooLarge
from ledger.server.log_readers import Logs, parse_readers
from ledger.server.proofs import Proofs
from ledger.trust.bundle import encode_entries
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.map_tree import MapTree
from ledger.trust.merkle_check import check_consistency, check_inclusion
from ledger.trust.note import Note, parse_note
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey
from ledger.trust.policy import Policy
from ledger.trust.proof_pack import parse_proof_pack
from ledger.trust.record_map import heads_of
from ledger.trust.tile import BundleId
from tests.contract.edge.clients import ConnectClient, GrpcClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import context, record_entry, register_patient, register_record, start_care
from tests.eventually import eventually_async
from tests.services.sealed import disclosed
from verifier import verify as court

if TYPE_CHECKING:
    from ledger.api.v1.proofs_pb2_grpc import ProofServiceAsyncStub


TOKENS = {"archive": "archive-secret", "south": "south-secret"}
READERS = parse_readers(
    "".join(
        f"{name} {hospital} {sha256(TOKENS[name].encode()).hexdigest()}\n"
        for name, hospital in (("archive", "north"), ("south", "south"))
    ).encode()
)


ClientOf = type[GrpcClient] | type[ConnectClient]
ARCHIVE = (("authorization", f"Bearer {TOKENS['archive']}"),)
NOBODY = ()


@dataclass
class Ground:
    """A served ledger with its log."""

    edge: RunningEdge
    blobs: DirectoryBlobs
    client: GrpcClient
    channel: grpc.aio.Channel
    keys: Path
    stop_integrating: Callable[[], Awaitable[None]]

    @property
    def proofs(self) -> ProofServiceAsyncStub:
        return ProofServiceStub(self.channel)

    @property
    def origin(self) -> str:
        return f"{self.edge.settings.origin_prefix}/north/1"

    @property
    def logs(self) -> OwnLogs:
        """The log as those read it who sign nothing."""
        return OwnLogs(self.blobs, LogVerifiers(self.keys / FILE_NAME))

    @property
    def at(self) -> tuple[str, ...]:
        """Hospital, address and a reader's token, for the command line."""
        token = self.keys.with_name("token")
        token.touch(0o600)
        token.write_text(TOKENS["archive"])
        return ("--hospital", "north", "--address", self.edge.addresses.grpc, "--token-file", str(token))

    @property
    def key(self) -> str:
        """The log's verifier key."""
        return str(read_sealed_key(KeyFolder(self.keys).path_of(self.origin, KeyKind.ED25519)).verifier)

    async def published(self, size: int) -> int:
        """Waits until the checkpoint covers a position."""
        files = LogFiles(self.blobs, "north")

        async def covered() -> int:
            note = files.published()
            found = parse_checkpoint(note.text).size if note else 0
            return found if found >= size else 0

        return await eventually_async(covered, what=f"a checkpoint of {size} events")

    async def head_of(self, position: int) -> Checkpoint:
        """The published head once it covers a position."""
        await self.published(position)
        head = self.logs.published("north", self.origin)
        assert head is not None
        return head.checkpoint

    async def record(self, entries: int) -> tuple[str, int]:
        """A record with entries; its id and the last position."""
        patient = await self.client.call("PatientService/RegisterPatient", register_patient())
        made = await self.client.call("RecordService/RegisterRecord", register_record(patient.receipt.record_id))
        record_id = made.receipt.record_id
        last = await self.client.call("RecordService/StartCare", start_care(record_id))
        for number in range(entries):
            last = await self.client.call("RecordService/RecordEntry", record_entry(record_id, f"Note {number}."))
        return record_id, last.receipt.position

    async def cli(self, *arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))


@pytest.fixture
async def ground(idle_edge: RunningEdge, tmp_path: Path) -> AsyncIterator[Ground]:
    """As `grounded`, before no witness."""
    async with grounded(idle_edge, tmp_path) as ground:
        yield ground


@asynccontextmanager
async def grounded(
    idle_edge: RunningEdge, tmp_path: Path, policy_for: Callable[[VerifierKey], Policy] | None = None
) -> AsyncGenerator[Ground]:
    """A served ledger, an integrator beside it, and the folder of its log; `policy_for` the key of its log."""
    blobs = DirectoryBlobs(tmp_path / "log")
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("a passphrase of the tests\n")
    keys = LogKeys(tmp_path / "keys", passphrase, make=True)
    readers = Logs(OwnLogs(blobs, LogVerifiers(tmp_path / "keys" / FILE_NAME)), READERS)
    idle_edge.queries.update(Proofs(idle_edge.ledger, readers, disclosed).queries())
    await idle_edge.start()
    stop, ready = asyncio.Event(), asyncio.Event()

    async def end() -> None:
        stop.set()
        await integrating

    log_key = keys.of(f"{idle_edge.settings.origin_prefix}/north/1")[0].verifier()
    log = Log(blobs, keys, policy_for(log_key) if policy_for else None)
    integrating = asyncio.create_task(run_integrator(idle_edge.settings, log, stop, ready.set))
    address = idle_edge.addresses.grpc
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield Ground(idle_edge, blobs, GrpcClient(address), channel, tmp_path / "keys", end)
    finally:
        await end()


async def test_a_record_s_pack_is_made_and_checked(ground: Ground, tmp_path: Path) -> None:
    """Written over the API, mapped, exported, and found whole by the product's command and by the court's verifier.

    Afterwards an event more is in a later pack, said to be after the map; evidence has a page that names it.
    """
    record_id, position = await ground.record(3)
    await ground.published(position)
    made = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert made is not None
    assert made.size >= position
    await ground.published(made.position)
    assert await publish_map(ground.channel, ground.logs, "north", ground.origin) is None, (
        "nothing but the map itself is new"
    )
    await ground.client.call("RecordService/RecordEntry", record_entry(record_id, "Later."))
    await ground.published(made.position + 1)
    at = ground.at
    pack = tmp_path / "a.pack"
    exported = await ground.cli("export", "proof", record_id, *at, "--out", str(pack), "--with-bodies")
    assert exported.exit_code == 0, exported.output
    assert all(each.body for each in parse_proof_pack(pack.read_bytes()).events)
    checked = await ground.cli("verify", "pack", str(pack), "--key", ground.key)
    assert checked.exit_code == 0, checked.output
    assert "Nothing is missing up to version 5" in checked.output
    assert "Map unaudited" in checked.output
    said = court.check_pack(pack.read_bytes(), court.Policy([court.key_of(ground.key)], "none", {}, {}), [], None)
    assert said.startswith(f"HOLDS record {record_id.replace('-', '')} events 6 complete-to-version 5")
    folder = tmp_path / "evidence"
    evidence = await ground.cli("export", "evidence", record_id, *at, "--out", str(folder), "--key", ground.key)
    assert evidence.exit_code == 0, evidence.output
    page = (folder / "evidence.html").read_text()
    assert record_id in page
    assert "none is kept yet" in page
    assert "Note 0" not in page
    assert "clock of the machine that made this" in page
    bent = pack.read_bytes().replace(b"\nhead ", b"\nhead 1", 1)
    pack.write_bytes(bent)
    refused = await ground.cli("verify", "pack", str(pack), "--key", ground.key)
    assert (refused.exit_code, "REFUSED HEAD_INCLUSION" in refused.output) == (1, True), refused.output


@pytest.mark.parametrize("client_of", [GrpcClient, ConnectClient], ids=["grpc", "connect"])
async def test_envelopes_and_bodies_are_for_their_readers(ground: Ground, client_of: ClientOf) -> None:
    """As the files of the log: nobody, a stranger, another hospital's reader, its own; growth is for all."""
    record_id, position = await ground.record(1)
    await ground.published(position)
    made = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert made is not None
    await ground.published(made.position)
    addresses = ground.edge.addresses
    asked = {
        "ProofService/GetInclusionProof": messages.GetInclusionProofRequest(hospital="north", position=1),
        "ProofService/GetTlogProof": messages.GetTlogProofRequest(hospital="north", position=1),
        "ProofService/GetProofPack": messages.GetProofPackRequest(
            hospital="north", record_id=record_id, with_bodies=True
        ),
    }
    refusals = {
        "": ("UNAUTHENTICATED", "READER_UNKNOWN"),
        "another": ("UNAUTHENTICATED", "READER_UNKNOWN"),
        TOKENS["south"]: ("PERMISSION_DENIED", "READER_NOT_ALLOWED"),
    }
    for token in (*refusals, TOKENS["archive"]):
        client = client_of(addresses.grpc if client_of is GrpcClient else addresses.http, token)
        for rpc, request in asked.items():
            if token == TOKENS["archive"]:
                assert (await client.call(rpc, request)).ByteSize() > 0
                continue
            with pytest.raises(RpcFailed) as refused:
                await client.call(rpc, request)
            assert (refused.value.code, refused.value.reason) == refusals[token]
        growth = messages.GetConsistencyProofRequest(hospital="north", old_size=1)
        assert (await client.call("ProofService/GetConsistencyProof", growth)).hashes
        await client.close()


async def test_proofs_of_single_events_and_of_growth(ground: Ground, tmp_path: Path) -> None:
    """Inclusion of every event and consistency since every size, under the published checkpoint; as a file too."""
    _, position = await ground.record(1)
    size = await ground.published(position)
    roots: dict[int, bytes] = {}
    for at in range(1, size + 1):
        one = messages.GetInclusionProofRequest(hospital="north", position=at)
        answer = await ground.proofs.GetInclusionProof(one, metadata=ARCHIVE)
        checkpoint = parse_checkpoint(parse_note(answer.checkpoint).text)
        leaf = leaf_hash(answer.envelope)
        check_inclusion(leaf, answer.index, checkpoint.size, tuple(answer.hashes), checkpoint.root)
        roots[checkpoint.size] = checkpoint.root
    _, later = await ground.record(0)
    await ground.published(later)
    request = messages.GetConsistencyProofRequest(hospital="north", old_size=size)
    grown = await ground.proofs.GetConsistencyProof(request)
    now = parse_checkpoint(parse_note(grown.checkpoint).text)
    check_consistency(size, now.size, tuple(grown.hashes), roots[size], now.root)
    out = tmp_path / "one.tlog-proof"
    assert (await ground.cli("export", "event", "2", *ground.at, "--out", str(out))).exit_code == 0
    entry = ("--entry", f"{out}.envelope", "--key", ground.key)
    checked = await ground.cli("verify", "proof", str(out), *entry)
    assert (checked.exit_code, "at position 2" in checked.output) == (0, True), checked.output
    (tmp_path / "one.tlog-proof.envelope").write_bytes(b"another")
    assert (await ground.cli("verify", "proof", str(out), *entry)).exit_code == 1


async def test_what_is_not_proven_yet_is_named(ground: Ground) -> None:
    """A position beyond the checkpoint, a record before its first map, an unknown one, a hospital that is none."""
    record_id, position = await ground.record(0)
    await ground.published(position)
    cases: list[tuple[Any, Any, str]] = [
        (ground.proofs.GetTlogProof, messages.GetTlogProofRequest(hospital="north", position=9999), "NOT_IN_LOG_YET"),
        (ground.proofs.GetTlogProof, messages.GetTlogProofRequest(hospital="north"), "VALIDATION_FAILED"),
        (ground.proofs.GetTlogProof, messages.GetTlogProofRequest(hospital="west", position=1), "READER_UNKNOWN"),
        (
            ground.proofs.GetConsistencyProof,
            messages.GetConsistencyProofRequest(hospital="west", old_size=1),
            "UNKNOWN_HOSPITAL",
        ),
        (
            ground.proofs.GetConsistencyProof,
            messages.GetConsistencyProofRequest(hospital="north", old_size=9999),
            "NOT_IN_LOG_YET",
        ),
        (
            ground.proofs.GetProofPack,
            messages.GetProofPackRequest(hospital="north", record_id=record_id),
            "RECORD_NOT_MAPPED",
        ),
    ]
    for call, request, expected in cases:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request, metadata=ARCHIVE if request.hospital == "north" else NOBODY)
        assert reason(refused.value) == expected
    made = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert made is not None
    await ground.published(made.position)
    stranger = messages.GetProofPackRequest(hospital="north", record_id=str(uuid4()))
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await ground.proofs.GetProofPack(stranger, metadata=ARCHIVE)
    assert reason(unknown.value) == "UNKNOWN_RECORD"


async def test_an_event_that_is_no_map_is_not_disclosed(ground: Ground) -> None:
    """Whoever writes the log's files may call an entry the newest map; it is not opened for everybody."""
    record_id, position = await ground.record(1)
    await ground.published(position)
    made = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert made is not None
    await ground.published(made.position)
    RecordMaps(ground.blobs, "north").note_published(made._replace(position=position))
    of_record = messages.GetProofPackRequest(hospital="north", record_id=record_id)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ground.proofs.GetProofPack(of_record, metadata=ARCHIVE)
    assert reason(refused.value) == "LOG_DAMAGED"


async def test_maps_grow_and_are_published_once(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    """A second map is grown from the first and equals one built anew; a map of an earlier size is refused by name."""
    _, position = await ground.record(1)
    await ground.published(position)
    first = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert first is not None
    _, position = await ground.record(2)
    await ground.published(position)
    second = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert second is not None
    maps = RecordMaps(ground.blobs, "north")
    assert maps.published() == [first, second]
    assert newest_root(ground, second.size) == anew_root(ground, second.size)
    assert "built from all entries" not in caplog.text
    program = context()
    program.actor.role = "system"
    stale = messages.PublishMapRequest(context=program, tree_size=1, rows=1, root=bytes(32), map_version=1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ground.proofs.PublishMap(stale)
    assert reason(refused.value) == "STATE_FORBIDS"


async def test_a_kept_map_that_was_not_published_is_not_grown_from(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever writes the log's files may put a whole map of their own there; the next is built from the entries."""
    _, position = await ground.record(1)
    await ground.published(position)
    first = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert first is not None
    maps = RecordMaps(ground.blobs, "north")
    for name in ground.blobs.names(f"north/map/{first.size}"):
        ground.blobs.delete(name)
    maps.keep(first.size, MapTree())
    await ground.record(1)
    await ground.head_of(first.position + 1)
    second = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert second is not None
    assert newest_root(ground, second.size) == anew_root(ground, second.size)
    assert "built from all entries" in caplog.text


async def test_a_map_is_not_grown_from_entries_outside_the_tree(ground: Ground) -> None:
    """A bundle that somebody wrote is refused by name, and nothing is published."""
    _, position = await ground.record(1)
    await ground.head_of(position)
    await ground.stop_integrating()
    head = await ground.head_of(position)
    bundle = BundleId(0, head.size)
    entries = LogFiles(ground.blobs, "north").entries(bundle)
    ground.blobs.put(f"north/{bundle.entries_path}", encode_entries([*entries[:-1], entries[0]]))
    with pytest.raises(LogDamaged, match="not leaves of the signed tree"):
        await publish_map(ground.channel, ground.logs, "north", ground.origin)


async def test_a_pack_above_what_an_answer_may_have_is_refused_by_name(ground: Ground) -> None:
    """With bodies it is too large, also before all of it is read; without them it is handed out."""
    record_id, position = await ground.record(3)
    await ground.published(position)
    made = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert made is not None
    await ground.published(made.position)
    current_authorization.set(f"Bearer {TOKENS['archive']}")
    whole = messages.GetProofPackRequest(hospital="north", record_id=record_id, with_bodies=True)
    bare = messages.GetProofPackRequest(hospital="north", record_id=record_id)
    logs = Logs(ground.logs, READERS)
    size = (await Proofs(ground.edge.ledger, logs, disclosed).get_proof_pack(bare)).ByteSize()
    for limit in (size + 16, 1000):
        with pytest.raises(PackTooLarge):
            await Proofs(ground.edge.ledger, logs, disclosed, limit).get_proof_pack(whole)
    assert (await Proofs(ground.edge.ledger, logs, disclosed, size + 16).get_proof_pack(bare)).ByteSize() == size


async def test_maps_are_published_beside_the_log(ground: Ground) -> None:
    """As `ledger integrate --maps-every` does it, for every hospital; one without a log is passed over."""
    _, position = await ground.record(1)
    await ground.published(position)
    mapping = asyncio.create_task(map_all(ground.edge.addresses.grpc, ground.logs, every=60, first=0))

    async def mapped() -> bool:
        return bool(RecordMaps(ground.blobs, "north").published())

    await eventually_async(mapped, what="a map of its own accord")
    mapping.cancel()
    assert isinstance((await asyncio.gather(mapping, return_exceptions=True))[0], asyncio.CancelledError)


async def test_a_checkpoint_that_is_not_ours_proves_nothing(ground: Ground) -> None:
    """Signed by another key, it is refused by name."""
    _, position = await ground.record(1)
    await ground.head_of(position)
    await ground.stop_integrating()
    head = await ground.head_of(position)
    other = SigningKey(ground.origin, KeyKind.ED25519, bytes(range(32)))
    LogFiles(ground.blobs, "north").publish(Note(head.text(), (other.sign(head.text()),)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ground.proofs.GetConsistencyProof(messages.GetConsistencyProofRequest(hospital="north", old_size=1))
    assert reason(refused.value) == "LOG_DAMAGED"


def newest_root(ground: Ground, size: int) -> bytes:
    kept = RecordMaps(ground.blobs, "north").newest(size)
    assert kept is not None
    return kept[1].root()


def anew_root(ground: Ground, size: int) -> bytes:
    anew = MapTree()
    anew.put(heads_of(LogFiles(ground.blobs, "north").entries(BundleId(0, size))).values())
    return anew.root()
