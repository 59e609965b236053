"""Rows of a synthetic ledger, and the proof of one leaf in a synthetic tree of ten million hashes."""

from __future__ import annotations

from hashlib import sha256

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Node, perfect_root
from ledger.trust.merkle_check import root_from_inclusion
from ledger.trust.merkle_proof import plan_inclusion
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.tlog_proof import TlogProof
from ledger.trust.verify import Copies, Row

EVENTS = 100_000
RECORDS = 2_000
BODY_BYTES = 700
_ORIGIN = "ledger.example/north/1"
_TYPE = "ledger.v1.EntryRecorded"
_BEGIN = 1_795_782_896_000_000
_TIME = 1_795_782_900


def rows_of_range(begin: int, end: int) -> list[Row]:
    """The rows of the positions after `begin` to `end`; the records take turns, so each chain runs through them all."""
    leaves: dict[int, bytes] = {}
    rows: list[Row] = []
    for index in range(end):
        row = _row(index, leaves)
        if index >= begin:
            rows.append(row)
    return rows


def _row(index: int, leaves: dict[int, bytes]) -> Row:
    number, version = index % RECORDS, index // RECORDS + 1
    stream_id = sha256(b"record %d" % number).digest()[:16]
    body = sha256(b"body %d" % index).digest() * (BODY_BYTES // 32 + 1)
    envelope = encode(
        Envelope(
            format=FORMAT,
            origin=_ORIGIN,
            stream_id=stream_id,
            stream_version=version,
            type=_TYPE,
            recorded_at=_BEGIN + index,
            actor=stream_id,
            key_id=stream_id,
            body_sha256=sha256(body).digest(),
            commitment=sha256(stream_id).digest(),
            prev_leaf=leaves.get(number, b""),
        )
    )
    leaf = leaves[number] = leaf_hash(envelope)
    return Row(index + 1, envelope, body, Copies(stream_id, version, _TYPE, _BEGIN + index, leaf))


def tlog_proof_bytes(leaves: int) -> int:
    """Size of the .tlog-proof of one event in the middle of a tree of so many leaves, with three cosignatures."""
    index = leaves // 2 + 1
    subtrees: dict[Node, bytes] = {}
    hashes = plan_inclusion(index, leaves).proof(lambda node: subtrees.setdefault(node, _subtree(node)))
    root = root_from_inclusion(_leaf(index), index, leaves, hashes)
    text = Checkpoint(_ORIGIN, leaves, root).text()
    log = SigningKey(_ORIGIN, KeyKind.ED25519, bytes(32))
    witnesses = [SigningKey(f"witness{n}.example/ledger", KeyKind.COSIGNATURE, bytes([n]) * 32) for n in (1, 2, 3)]
    note = Note(text).signed_also(log.sign(text), *(each.cosign(text, _TIME) for each in witnesses))
    return len(TlogProof(index, hashes, note).encode())


def _leaf(index: int) -> bytes:
    return sha256(b"leaf %d" % index).digest()


def _subtree(node: Node) -> bytes:
    """Root of a perfect subtree; above 2^12 leaves its lower half is stood for by hashes, since size alone counts."""
    height = min(node.height, 12)
    first = node.index << height
    return perfect_root([_leaf(first + at) for at in range(1 << height)])
