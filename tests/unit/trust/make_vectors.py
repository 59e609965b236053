"""Writes vectors.json: `python -m tests.unit.trust.make_vectors`. Released vectors never change; new ones are added."""

import json
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.record_key import RecordKey
from ledger.trust.sealed_body import seal_body

VECTORS = Path(__file__).with_name("vectors.json")
SEALED_VECTORS = Path(__file__).with_name("sealed_vectors.json")
DATA_KEY = bytes(range(32))
NONCE = bytes(range(12))


def envelopes() -> dict[str, Envelope]:
    """A short stream and the edges of every field."""
    first = Envelope(
        format=FORMAT,
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


def sealed_vector(name: str, envelope: Envelope, plaintext: bytes) -> dict[str, Any]:
    """One body, sealed under a key and a nonce that nobody may use."""
    key = RecordKey(DATA_KEY)
    around, body = seal_body(key, NONCE, envelope, plaintext)
    return {
        "name": name,
        "data_key": DATA_KEY.hex(),
        "nonce": NONCE.hex(),
        "plaintext": plaintext.hex(),
        "salt": key.salt(envelope.stream_id, envelope.stream_version).hex(),
        "envelope": around.with_digest(sha256(body).digest()).hex(),
        "body": body.hex(),
    }


def sealed_vectors() -> list[dict[str, Any]]:
    """An empty body, a short one, and one that just leaves the smallest size class."""
    known = envelopes()
    return [
        sealed_vector("nothing in it", known["first of a stream"], b""),
        sealed_vector("a short body", known["second of the stream"], "体温 36.6".encode()),
        sealed_vector("a second size class", known["no actor"], bytes(range(253))),
    ]


if __name__ == "__main__":
    SEALED_VECTORS.write_text(json.dumps(sealed_vectors(), indent=2) + "\n", encoding="utf-8")
    vectors = [vector(name, envelope) for name, envelope in envelopes().items()]
    VECTORS.write_text(json.dumps(vectors, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
