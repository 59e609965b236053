"""`.tlog-proof` files: that a leaf is in a log and that witnesses saw it, checked offline with a policy alone."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import ProofFault
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.merkle_check import PROOF_HASHES_MAX, check_inclusion
from ledger.trust.note import NOTE_BYTES_MAX, Note, parse_note
from ledger.trust.policy import Policy, Witnessed
from ledger.trust.strict_base64 import from_base64, to_base64

PROOF_BYTES_MAX = NOTE_BYTES_MAX + 128 * 1024
_HEADER = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof file taken apart; nothing in it counts before `check_tlog_proof`."""

    index: int
    """Of the leaf, from 0; for a ledger of ours the position less one."""
    hashes: tuple[bytes, ...]
    """The audit path, the leaf's sibling first."""
    note: Note
    """The checkpoint with its signatures."""
    extra: bytes = b""
    """Data beside the proof, which it does not prove; empty for none."""

    def encode(self) -> bytes:
        """The file's bytes."""
        lines = [
            _HEADER,
            *([_EXTRA + to_base64(self.extra)] if self.extra else []),
            f"{_INDEX}{self.index}",
            *map(to_base64, self.hashes),
        ]
        return ("\n".join(lines) + "\n\n").encode() + self.note.encode()


def parse_tlog_proof(data: bytes) -> TlogProof:
    """The proof in a file's bytes; ProofFault names every fault, NoteFault those of the note in it."""
    if len(data) > PROOF_BYTES_MAX:
        raise ProofFault("more than 384 KiB")
    head, separator, note = data.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    if not separator or lines.pop(0) != _HEADER:
        raise ProofFault(f"does not begin with {_HEADER} and an empty line before the checkpoint")
    stated, counted = _taken(lines, _EXTRA), _taken(lines, _INDEX)
    extra = b"" if stated is None else from_base64(stated)
    index = None if counted is None else from_decimal(counted)
    hashes = [from_base64(line) for line in lines]
    faults = [
        *(["the extra line"] if extra is None or stated == "" else []),
        *(["the index line"] if index is None else []),
        *(f"hash {at}" for at, each in enumerate(hashes, 1) if each is None or len(each) != HASH_BYTES),
        *(["more than 63 hashes"] if len(hashes) > PROOF_HASHES_MAX else []),
    ]
    if faults or index is None or extra is None:
        raise ProofFault(*faults)
    return TlogProof(index, tuple(each for each in hashes if each), parse_note(note), extra)


def check_tlog_proof(proof: TlogProof, leaf_hash: bytes, policy: Policy) -> Witnessed:
    """That a log of the policy holds this leaf at this index, in a checkpoint that the policy accepts.

    `leaf_hash` comes from the bytes that one holds, never from the proof file. Raises ProofFault, and what
    `Policy.accept` raises.
    """
    witnessed = policy.accept(proof.note)
    checkpoint = witnessed.checkpoint
    check_inclusion(leaf_hash, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return witnessed


def _taken(lines: list[str], beginning: str) -> str | None:
    """Takes the first line away where it begins so; what follows in it."""
    return lines.pop(0).removeprefix(beginning) if lines and lines[0].startswith(beginning) else None
