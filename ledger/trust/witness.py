"""What a witness answers to add-checkpoint: pure, from the request, the logs it follows and what it cosigned last.

    request = parse_add_checkpoint(body)                       # WitnessRequestFault: 400
    origin = claimed_origin(request)
    answer = witness_answer(request, keys_of(origin), last_of(origin))
    if isinstance(answer, Cosign):                             # compare the last state again, store, and only then:
        line = key.cosign(request.note.text, now).line()       # 200

Reading the last state, storing the new one and comparing must be one atomic step, and the new one durable before the
cosignature leaves: else a slow request could bring back a smaller tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import CheckpointFault, ProofFault, SignatureFault, WitnessRequestFault
from ledger.trust.merkle import EMPTY_ROOT
from ledger.trust.merkle_check import check_consistency
from ledger.trust.note_key import VerifierKey
from ledger.trust.signed_note import check_signed
from ledger.trust.witness_request import AddCheckpoint

SIZE_CONTENT_TYPE = "text/x.tlog.size"
"""Of the answer 409, whose body is `Conflict.body`."""


class Refusal(IntEnum):
    """Why a checkpoint is not cosigned, by the status that tlog-witness gives it."""

    MALFORMED = 400
    """The old size is above the checkpoint's, or the text is no checkpoint."""
    UNTRUSTED = 403
    """No key trusted for the origin signed it, or a signature of such a key is broken."""
    UNKNOWN_ORIGIN = 404
    INCONSISTENT = 422
    """The tree is not the old one grown: perhaps evidence against the log, so worth keeping."""


@dataclass(frozen=True, slots=True)
class Known:
    """The last checkpoint of a log that this witness cosigned; size 0 where it never did."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Cosign:
    """To be stored, then cosigned (status 200)."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Conflict:
    """The log has another size in mind than the witness (status 409): it may ask again from this one."""

    size: int

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return b"%d\n" % self.size


@dataclass(frozen=True, slots=True)
class Refused:
    """Not cosigned."""

    refusal: Refusal
    faults: tuple[str, ...] = ()
    """What was found, without content of the request."""


Answer = Cosign | Conflict | Refused


def claimed_origin(request: AddCheckpoint) -> str:
    """The log that the checkpoint claims to be of; WitnessRequestFault (status 400) where it is no checkpoint."""
    try:
        return parse_checkpoint(request.note.text).origin
    except CheckpointFault as fault:
        raise WitnessRequestFault(*fault.faults) from None


def witness_answer(request: AddCheckpoint, keys: Sequence[VerifierKey], known: Known) -> Answer:
    """What to answer, given the keys trusted for the claimed origin (none: an unknown log) and the last state of it."""
    try:
        checkpoint = parse_checkpoint(request.note.text)
    except CheckpointFault as fault:
        return Refused(Refusal.MALFORMED, fault.faults)
    if not keys:
        return Refused(Refusal.UNKNOWN_ORIGIN)
    try:
        check_signed(request.note, keys)
    except SignatureFault as fault:
        return Refused(Refusal.UNTRUSTED, fault.faults)
    if request.old_size > checkpoint.size:
        return Refused(Refusal.MALFORMED, ("the old size is above the checkpoint's",))
    if request.old_size != known.size:
        return Conflict(known.size)
    try:
        check_consistency(known.size, checkpoint.size, request.proof, known.root, checkpoint.root)
    except ProofFault as fault:
        return Refused(Refusal.INCONSISTENT, fault.faults)
    return Cosign(checkpoint)
