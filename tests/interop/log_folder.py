"""A log of ours as files: what `interop check` verifies and, written by Go, what our own code verifies."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from ledger.trust.bundle import encode_entries
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.merkle_proof import plan_consistency, plan_inclusion
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.tile import new_bundles, parse_tile_path, tiles_of
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.tile_hashes import TileHashes
from ledger.trust.tlog_proof import TlogProof

SIZES = (1, 255, 256, 300, 66_000)
PROVEN = (0, 255, 256, 65_535, 65_999)
LOG = SigningKey("ledger.example/north/1", KeyKind.ED25519, sha256(b"log").digest())
FOLLOWING = SigningKey(LOG.name, KeyKind.ED25519, sha256(b"the key that follows").digest())
"""Signs beside the log's key, under the same name, as while a log changes its key."""
WITNESSES = [
    SigningKey(f"witness.example/{at}", KeyKind.COSIGNATURE, sha256(b"witness %d" % at).digest()) for at in (1, 2, 3)
]
STRANGER = SigningKey("stranger.example", KeyKind.ED25519, sha256(b"stranger").digest())


def envelopes(count: int) -> list[bytes]:
    """Envelopes as the ledger stores them."""
    return [
        encode(
            Envelope(
                format=FORMAT,
                origin=LOG.name,
                stream_id=sha256(b"stream %d" % number).digest()[:16],
                stream_version=1,
                type="ledger.v1.RecordRegistered",
                recorded_at=1_764_000_000_000_000 + number,
                actor=bytes(16),
                key_id=sha256(b"key %d" % number).digest()[:16],
                body_sha256=sha256(b"body %d" % number).digest(),
                commitment=sha256(b"commitment %d" % number).digest(),
                prev_leaf=b"",
            )
        )
        for number in range(count)
    ]


class OurLog:
    """Tiles of every size it grew over, entries, a checkpoint with cosignatures, proofs, policy and keys."""

    def __init__(self, folder: Path, leaves: list[bytes]) -> None:
        self.folder = folder
        self.size = len(leaves)
        self.hashes = [leaf_hash(leaf) for leaf in leaves]
        self._write_tiles(leaves)
        self.note = self._signed()
        self._write_proofs()

    def root_at(self, size: int) -> bytes:
        frontier = Frontier()
        frontier.extend(self.hashes[:size])
        return frontier.root()

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        growth = TileGrowth()
        tiles = dict([*growth.extend(self.hashes[:size]), *growth.edge()])
        return plan_consistency(old_size, size).proof(TileHashes(size, tiles).node)

    def write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _write_tiles(self, leaves: list[bytes]) -> None:
        growth = TileGrowth()
        for size in (*SIZES[:-1], self.size):
            for bundle in new_bundles(growth.size, size):
                items = leaves[bundle.first_leaf : bundle.first_leaf + bundle.width]
                self.write(bundle.entries_path, encode_entries(items))
            for tile in [*growth.extend(self.hashes[growth.size : size]), *growth.edge()]:
                self.write(tile.id.path, tile.data)

    def _signed(self) -> Note:
        text = Checkpoint(LOG.name, self.size, self.root_at(self.size)).text()
        cosignatures = [each.cosign(text, 1_764_000_000 + at) for at, each in enumerate(WITNESSES)]
        note = Note(text).signed_also(LOG.sign(text), STRANGER.sign(text), *cosignatures, FOLLOWING.sign(text))
        self.write("checkpoint", note.encode())
        self.write("log.vkey", str(LOG.verifier()).encode())
        self.write("following.vkey", str(FOLLOWING.verifier()).encode())
        vkeys = [str(each.verifier()) for each in WITNESSES]
        self.write("witnesses.vkeys", "\n".join(vkeys).encode())
        lines = [f"witness w{at} {vkey} https://w{at}.example/" for at, vkey in enumerate(vkeys)]
        self.write("policy", "\n".join([f"log {LOG.verifier()}", *lines, "group g 2 w0 w1 w2\nquorum g\n"]).encode())
        return note

    def _write_proofs(self) -> None:
        for index in PROVEN:
            plan = plan_inclusion(index, self.size)
            tiles = {tile: (self.folder / tile.path).read_bytes() for tile in tiles_of(plan.nodes, self.size)}
            hashes = plan.proof(TileHashes(self.size, tiles).node)
            self.write(f"{index}.tlog-proof", TlogProof(index, hashes, self.note, b"beside").encode())
        histories = [
            {
                "old_size": size,
                "old_root": b64encode(self.root_at(size)).decode(),
                "hashes": [b64encode(each).decode() for each in self.consistency(size, self.size)],
            }
            for size in SIZES
        ]
        self.write("consistency.json", json.dumps(histories).encode())


def stored_tile_paths(folder: Path) -> list[str]:
    """Paths of every hash tile in a log's folder; each is one that we take."""
    paths = [path.relative_to(folder).as_posix() for path in (folder / "tile").rglob("*") if path.is_file()]
    return sorted(parse_tile_path(path).path for path in paths if not path.startswith("tile/entries/"))
