"""Writes vectors.json: `python -m tests.unit.trust.make_vectors`. Released vectors never change; new ones are added."""

import json
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.trust.envelope import FORMAT_CLEAR, Envelope, encode
from ledger.trust.leaf import leaf_hash

VECTORS = Path(__file__).with_name("vectors.json")


def envelopes() -> dict[str, Envelope]:
    """A short stream and the edges of every field."""
    first = Envelope(
        format=FORMAT_CLEAR,
        origin="ledger.example/north/1",
        stream_id=bytes.fromhex("f47ac10b58cc4372a5670e02b2c3d479"),
        stream_version=1,
        type="ledger.v1.RecordRegistered",
        recorded_at=1_764_000_000_000_000,
        actor=bytes(range(16)),
        key_id=b"",
        body_sha256=sha256(b"first body").digest(),
        commitment=b"",
        prev_leaf=b"",
    )
    second = replace(
        first, stream_version=2, type="ledger.v1.CareStarted", recorded_at=1_764_000_000_000_001,
        body_sha256=sha256(b"").digest(), prev_leaf=leaf_hash(encode(first)),
    )  # fmt: skip
    return {
        "first of a stream": first,
        "second of the stream": second,
        "no actor": replace(first, actor=b""),
        "sealed": replace(second, key_id=b"\xaa" * 16, commitment=b"\xbb" * 32),
        "varints of two bytes": replace(second, stream_version=128, origin="o" * 128),
        "largest numbers": replace(second, stream_version=2**64 - 1, recorded_at=2**64 - 1),
        "text beyond ASCII": replace(first, origin="病案/north/1"),
    }


def vector(name: str, envelope: Envelope) -> dict[str, Any]:
    """One vector: the fields, the bytes and the leaf hash."""
    data = encode(envelope)
    fields = {key: value.hex() if isinstance(value, bytes) else value for key, value in asdict(envelope).items()}
    return {"name": name, "fields": fields, "envelope": data.hex(), "leaf_hash": leaf_hash(data).hex()}


if __name__ == "__main__":
    vectors = [vector(name, envelope) for name, envelope in envelopes().items()]
    VECTORS.write_text(json.dumps(vectors, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
