"""Rows of a synthetic ledger, and the proof of one leaf in a synthetic tree of ten million hashes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from ledger.trust.bundle import decode_entries, encode_entries
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Node, perfect_root
from ledger.trust.merkle_check import root_from_inclusion
from ledger.trust.merkle_proof import plan_inclusion
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.policy import Policy
from ledger.trust.policy_file import parse_policy
from ledger.trust.tile import TILE_WIDTH, BundleId
from ledger.trust.tlog_proof import TlogProof, check_tlog_proof, parse_tlog_proof
from ledger.trust.verify import Copies, Row

EVENTS = 100_000
RECORDS = 2_000
BODY_BYTES = 700
_ORIGIN = "ledger.example/north/1"
_TYPE = "ledger.v1.EntryRecorded"
_SEALED = b"\x01"
"""How a sealed body begins: the store takes no other."""
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
    body = _SEALED + sha256(b"body %d" % index).digest() * (BODY_BYTES // 32 + 1)
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


@dataclass(frozen=True)
class SyntheticProof:
    """The .tlog-proof of one event, and what is trusted of its log."""

    data: bytes
    leaf: bytes
    policy: Policy

    def check(self) -> None:
        """As an outsider does it; ProofFault and others where it does not hold."""
        check_tlog_proof(parse_tlog_proof(self.data), self.leaf, self.policy)


def synthetic_proof(leaves: int) -> SyntheticProof:
    """Of an event in the middle of a tree of so many leaves, with three cosignatures."""
    index = leaves // 2 + 1
    subtrees: dict[Node, bytes] = {}
    hashes = plan_inclusion(index, leaves).proof(lambda node: subtrees.setdefault(node, _subtree(node)))
    root = root_from_inclusion(_leaf(index), index, leaves, hashes)
    text = Checkpoint(_ORIGIN, leaves, root).text()
    log = SigningKey(_ORIGIN, KeyKind.ED25519, bytes(32))
    witnesses = [SigningKey(f"witness{n}.example/ledger", KeyKind.COSIGNATURE, bytes([n]) * 32) for n in (1, 2, 3)]
    note = Note(text).signed_also(log.sign(text), *(each.cosign(text, _TIME) for each in witnesses))
    rules = [f"log {log.verifier()}", *(f"witness w{at} {each.verifier()}" for at, each in enumerate(witnesses))]
    rules += ["group all3 all w0 w1 w2", "quorum all3"]
    policy = parse_policy("".join(f"{line}\n" for line in rules).encode())
    return SyntheticProof(TlogProof(index, hashes, note).encode(), _leaf(index), policy)


def stored_bundle() -> bytes:
    """A full bundle of entries as it is stored."""
    return encode_entries([row.envelope for row in rows_of_range(0, TILE_WIDTH)])


def event_of_bundle(data: bytes) -> bytes:
    """What a proof does to have one event's envelope from a bundle: all of it is read and hashed up to its root."""
    entries = decode_entries(BundleId(0, TILE_WIDTH), data)
    return perfect_root([leaf_hash(each) for each in entries])


def _leaf(index: int) -> bytes:
    return sha256(b"leaf %d" % index).digest()


def _subtree(node: Node) -> bytes:
    """Root of a perfect subtree; above 2^12 leaves its lower half is stood for by hashes, since size alone counts."""
    height = min(node.height, 12)
    first = node.index << height
    return perfect_root([_leaf(first + at) for at in range(1 << height)])
