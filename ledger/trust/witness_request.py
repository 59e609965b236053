"""The body of add-checkpoint (tlog-witness): the size that the witness knows, a consistency proof, a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import CheckpointFault, NoteFault, WitnessRequestFault
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.merkle_check import PROOF_HASHES_MAX
from ledger.trust.note import NOTE_BYTES_MAX, Note, parse_note
from ledger.trust.strict_base64 import from_base64, to_base64

REQUEST_BYTES_MAX = NOTE_BYTES_MAX + 8 * 1024
"""A server refuses more before it reads it."""

_OLD = "old "


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """What a log asks a witness to cosign."""

    old_size: int
    """Size of the last checkpoint that the witness cosigned; 0 where it never did."""
    proof: tuple[bytes, ...]
    """Consistency from `old_size` to the checkpoint; empty where `old_size` is 0 or the checkpoint's."""
    note: Note
    """Of a checkpoint."""

    def encode(self) -> bytes:
        """The body's bytes."""
        lines = [f"{_OLD}{self.old_size}", *map(to_base64, self.proof)]
        return ("\n".join(lines) + "\n\n").encode() + self.note.encode()


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """The request in a body; WitnessRequestFault names every fault (status 400)."""
    if len(body) > REQUEST_BYTES_MAX:
        raise WitnessRequestFault("more than 264 KiB")
    head, separator, data = body.partition(b"\n\n")
    if not separator:
        raise WitnessRequestFault("no empty line before the checkpoint")
    first, *encoded = head.decode("ascii", "replace").split("\n")
    old_size = from_decimal(first.removeprefix(_OLD)) if first.startswith(_OLD) else None
    hashes = [from_base64(line) for line in encoded]
    faults = [
        *(["the old size"] if old_size is None else []),
        *(f"hash {at}" for at, each in enumerate(hashes, 1) if each is None or len(each) != HASH_BYTES),
        *(["more than 63 hashes"] if len(hashes) > PROOF_HASHES_MAX else []),
    ]
    try:
        note = parse_note(data)
        parse_checkpoint(note.text)
    except (NoteFault, CheckpointFault) as fault:
        raise WitnessRequestFault(*faults, *fault.faults) from None
    if faults or old_size is None:
        raise WitnessRequestFault(*faults)
    return AddCheckpoint(old_size, tuple(each for each in hashes if each), note)
