"""A small sealed-or-clear ledger with its log, map, monitor and witnesses, all of it made from fixed seeds."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.trust.bundle import encode_bodies, encode_entries
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.log_tiles import FileMissing, ReadFile, bundles_of
from ledger.trust.map_audit import MapAudit
from ledger.trust.map_published import MapStatement
from ledger.trust.map_tree import MapTree
from ledger.trust.merkle import Frontier
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.pack_making import PlacedEvent, PublishedMap, make_pack, map_folder
from ledger.trust.policy import Policy
from ledger.trust.policy_file import parse_policy
from ledger.trust.proof_pack import PackEvent, ProofPack
from ledger.trust.record_map import MAP_PUBLISHED, heads_of
from ledger.trust.tile import BundleId
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.varint import write_varint
from tests.unit.trust.tlog_samples import LOG, POLICY, WITNESSES, key

ORIGIN = LOG.name
MONITOR = key("archive.example/monitor", KeyKind.ED25519)
MAP_STREAM = b"\x4d" * 16
BEGIN = 1_700_000_000_000_000
TIMES = (1_700_000_101, 1_700_000_102, 1_700_000_103)


def record_id(number: int) -> bytes:
    """The id of a sample record."""
    return sha256(b"record %d" % number).digest()[:16]


@dataclass
class SampleLedger:
    """Grows event by event; `files` is what its log would serve."""

    origin: str = ORIGIN
    log: SigningKey = LOG
    sealed: bool = True
    """Whether bodies lie sealed (stood for by opaque bytes with a commitment) or in the clear."""
    events: list[PlacedEvent] = field(default_factory=list[PlacedEvent])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    heads: dict[bytes, tuple[int, bytes]] = field(default_factory=dict[bytes, tuple[int, bytes]])

    def append(self, stream_id: bytes, type_: str = "ledger.v1.EntryRecorded", plaintext: bytes = b"") -> PlacedEvent:
        """The next event of a stream."""
        version, prev_leaf = self.heads.get(stream_id, (0, b""))
        plaintext = plaintext or b"plain %d of %s" % (version + 1, stream_id.hex().encode())
        salt = sha256(b"salt" + stream_id + bytes((version,))).digest() if self.sealed else b""
        body = sha256(plaintext).digest() * 2 if self.sealed else plaintext
        envelope = Envelope(
            format=FORMAT, origin=self.origin, stream_id=stream_id, stream_version=version + 1, type=type_,
            recorded_at=BEGIN + 1_000_000 * len(self.events), actor=b"\x01" * 16,
            key_id=stream_id if self.sealed else b"", body_sha256=sha256(body).digest(),
            commitment=hmac.digest(salt, plaintext, "sha256") if self.sealed else b"", prev_leaf=prev_leaf,
        )  # fmt: skip
        event = PackEvent(encode(envelope), body, salt, plaintext if self.sealed else b"")
        self.heads[stream_id] = (version + 1, leaf_hash(event.envelope))
        self.events.append(PlacedEvent(len(self.events), event))
        return self.events[-1]

    def publish_map(self, tree: MapTree | None = None, size: int | None = None) -> PublishedMap:
        """Publishes the map of what is there, or another one as if it were."""
        size = len(self.events) if size is None else size
        tree = tree or self.map_tree(size)
        said = MapStatement(size, tree.rows, tree.root())
        published = self.append(MAP_STREAM, MAP_PUBLISHED, map_body(said))
        folder = map_folder(size)
        for index in range(256):
            tile = tree.tile(index)
            self.files[folder + tile.id.path] = tile.data
            self.files[folder + BundleId(index).entries_path] = tree.bundle(index)
        self.files.update((folder + tile.id.path, tile.data) for tile in tree.top())
        return PublishedMap(published, self.reader(folder), audit_note(published.index, said, said))

    def map_tree(self, size: int) -> MapTree:
        """The right map of the first events."""
        tree = MapTree()
        tree.put(heads_of(each.event.envelope for each in self.events[:size]).values())
        return tree

    def integrate(self) -> None:
        """Writes tiles, bundles and the checkpoint of all that is there."""
        growth = TileGrowth()
        filled = growth.extend(leaf_hash(each.event.envelope) for each in self.events)
        self.files.update((tile.id.path, tile.data) for tile in [*filled, *growth.edge()])
        for bundle in bundles_of(growth.size):
            events = [each.event for each in self.events[bundle.first_leaf : bundle.first_leaf + bundle.width]]
            self.files[bundle.entries_path] = encode_entries([each.envelope for each in events])
            self.files[bundle.bodies_path] = encode_bodies([each.body for each in events])
        self.files["checkpoint"] = self.checkpoint().encode()

    def checkpoint(self, times: tuple[int, ...] = TIMES) -> Note:
        """The signed and cosigned tree head."""
        frontier = Frontier()
        frontier.extend(leaf_hash(each.event.envelope) for each in self.events)
        text = Checkpoint(self.origin, frontier.size, frontier.root()).text()
        cosignatures = [each.cosign(text, time) for each, time in zip(WITNESSES, times, strict=False)]
        return Note(text).signed_also(self.log.sign(text), *cosignatures)

    def events_of(self, stream_id: bytes) -> list[PlacedEvent]:
        """A record's events, in order."""
        return [each for each in self.events if stream_id_of(each) == stream_id]

    def pack(self, stream_id: bytes, published: PublishedMap) -> ProofPack:
        """The record's pack at the checkpoint of all that is there."""
        self.integrate()
        return make_pack(stream_id, self.events_of(stream_id), published, self.checkpoint(), self.reader())

    def reader(self, folder: str = "") -> ReadFile:
        """Reads `files` below a folder."""

        def read(path: str) -> bytes:
            try:
                return self.files[folder + path]
            except KeyError:
                raise FileMissing(path) from None

        return read


def stream_id_of(placed: PlacedEvent) -> bytes:
    """The stream of a sample event."""
    at = placed.event.envelope.index(b"\x1a\x10")
    return placed.event.envelope[at + 2 : at + 18]


def map_body(said: MapStatement) -> bytes:
    """The body of MapPublished, as protobuf writes it."""
    meta = b"\x0a\x03abc"
    return b"".join(
        (
            b"\x0a", write_varint(len(meta)), meta, b"\x10", write_varint(said.size),
            b"\x18" + write_varint(said.rows) if said.rows else b"", b"\x22\x20", said.root, b"\x28\x01",
        )
    )  # fmt: skip


def audit_note(index: int, published: MapStatement, rebuilt: MapStatement, origin: str = ORIGIN) -> Note:
    """The monitor's word on a map."""
    text = MapAudit(origin, index, published, rebuilt.rows, rebuilt.root).text()
    return Note(text, (MONITOR.sign(text),))


def policy() -> Policy:
    """Two of three witnesses."""
    return parse_policy(POLICY)


def filled(records: int, events: int, *, sealed: bool = True) -> SampleLedger:
    """A ledger whose records take turns."""
    ledger = SampleLedger(sealed=sealed)
    for number in range(events):
        ledger.append(record_id(number % records))
    return ledger
