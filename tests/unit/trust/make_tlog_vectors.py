"""Writes tlog_vectors/: `python -m tests.unit.trust.make_tlog_vectors`. Released vectors never change.

Everything follows from fixed seeds: the 300 sample leaves, one log, three witnesses.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from ledger.trust.bundle import encode_bodies, encode_entries
from ledger.trust.merkle_proof import plan_consistency, plan_inclusion
from ledger.trust.sealed_key import seal_key
from ledger.trust.tile import TileId
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.tile_hashes import TileHashes
from ledger.trust.tlog_proof import TlogProof
from ledger.trust.witness_request import AddCheckpoint
from tests.unit.trust.tlog_samples import LEAVES, LOG, POLICY, WITNESSES, signed

FOLDER = Path(__file__).with_name("tlog_vectors")
INDEX, OLD_SIZE, SIZE = 77, 200, 300
TIMES = (1_764_000_010, 1_764_000_020, 1_764_000_030)
PASSPHRASE = b"correct horse battery staple"
ENTRIES = [b"first", b"", bytes(range(256))]


def tiles_at(*sizes: int) -> dict[TileId, bytes]:
    """Every tile of a log that grew over these sizes."""
    growth = TileGrowth()
    tiles: dict[TileId, bytes] = {}
    for size in sizes:
        tiles |= growth.extend(LEAVES[growth.size : size])
        tiles |= growth.edge()
    return tiles


def vectors() -> dict[str, bytes]:
    """Each file's name and bytes."""
    tiles = tiles_at(OLD_SIZE, SIZE)
    read = TileHashes(SIZE, {tile: data for tile, data in tiles.items() if tile.exists_in(SIZE)}).node
    note = signed(SIZE, *TIMES)
    return {
        "checkpoint": note.encode(),
        "policy": POLICY,
        "log.vkey": f"{LOG.verifier()}\n".encode(),
        "witnesses.vkeys": "".join(f"{each.verifier()}\n" for each in WITNESSES).encode(),
        "77.tlog-proof": TlogProof(INDEX, plan_inclusion(INDEX, SIZE).proof(read), note, b"beside").encode(),
        "add-checkpoint": AddCheckpoint(OLD_SIZE, plan_consistency(OLD_SIZE, SIZE).proof(read), signed(SIZE)).encode(),
        "log.note-key": seal_key(LOG, PASSPHRASE, salt=bytes(range(16)), nonce=bytes(range(12)), cost=14).encode(),
        "entries": encode_entries(ENTRIES),
        "bodies": encode_bodies(ENTRIES),
        "tiles.json": _json({tile.path: sha256(data).hexdigest() for tile, data in sorted(tiles.items())}),
    }


def _json(digests: Mapping[str, str]) -> bytes:
    return (json.dumps(digests, indent=2) + "\n").encode()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, data in vectors().items():
        (FOLDER / name).write_bytes(data)
