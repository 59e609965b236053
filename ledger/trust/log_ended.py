"""The note with which a log ends for ever: its last head, what of it survives, and which log goes on.

The ended log's own key signs it, as the last thing it ever signs, and the successor's key too: so whoever trusts the
first learns from nobody else which key follows, and nobody can end a log for it. It names no person.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import CheckpointFault, EndedFault, KeyFault
from ledger.trust.lineage import is_successor
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey, parse_verifier_key
from ledger.trust.signed_note import signers
from ledger.trust.strict_base64 import to_base64

_HEADER = "ledger-log-ended@v1"
_LINES = 10
_SURVIVING = 4
_UNPROVEN, _UNWITNESSED = " unproven", " unwitnessed"
CLAIM_MAX = 10_000_000
"""Positions that may be given up beyond what any head or the ledger shows: nine months of a large hospital
(docs/scale.md). A mistyped number must not make every head that anybody kept one that was lost."""


@dataclass(frozen=True, slots=True)
class LogEnded:
    """What the note says."""

    last: Checkpoint
    """The last head that the ended log signed."""
    surviving: int
    """The successor's first leaves are the ended log's, up to this position; what came after is lost."""
    surviving_root: bytes
    """Of the tree of the leaves that survive: both logs' trees begin with it, and each can be asked to prove it."""
    successor: VerifierKey
    """Its name is the new origin."""
    reason: str
    """A code."""
    claimed: int = 0
    """Up to which position somebody says that more was known than the last head shows: a witness, a topic; else 0."""
    unproven: bool = False
    """The last head lies beyond all that was left to compare it with, and persons alone say that it was this log's."""
    unwitnessed: bool = False
    """Fewer witnesses than a quorum could be asked whether they know of more; persons ended the log all the same."""

    def text(self) -> str:
        """The text that is signed."""
        lines = (
            _HEADER,
            *self.last.text().splitlines(),
            self.surviving,
            to_base64(self.surviving_root),
            self.claimed or self.last.size,
            self.successor.name,
            self.successor,
            f"{self.reason}{_UNPROVEN if self.unproven else ''}{_UNWITNESSED if self.unwitnessed else ''}",
        )
        return "".join(f"{line}\n" for line in lines)

    @property
    def lost(self) -> range:
        """The positions whose bytes are gone."""
        return range(self.surviving + 1, (self.claimed or self.last.size) + 1)

    def gives_up(self, head: Checkpoint) -> bool:
        """Whether a head of the ended log is one that was lost with it; another of that size would be a fork."""
        known = head == self.last if head.size == self.last.size else head.size in self.lost
        return known and head.size > self.surviving


def is_log_ended(note: Note) -> bool:
    """Whether a note claims that a log has ended; no checkpoint's text begins so, since its second line is a size."""
    return note.text.startswith(f"{_HEADER}\n")


def parse_log_ended(text: str) -> LogEnded:
    """What a note's text says; EndedFault for text that is none, or that could not be true."""
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines.pop() or lines[0] != _HEADER:
        raise EndedFault("not its ten lines")
    try:
        last = parse_checkpoint("".join(f"{line}\n" for line in lines[1:_SURVIVING]))
        # Behind its origin, what survives is written as a checkpoint is: a size, then a root.
        survives = parse_checkpoint("".join(f"{line}\n" for line in (lines[1], *lines[_SURVIVING : _SURVIVING + 2])))
        successor = parse_verifier_key(lines[8])
    except (CheckpointFault, KeyFault) as fault:
        raise EndedFault(*fault.faults) from fault
    surviving, upto = survives.size, from_decimal(lines[6]) or 0
    proven = lines[9].removesuffix(_UNWITNESSED)
    reason = proven.removesuffix(_UNPROVEN)
    checks = (
        (surviving < upto, "nothing is lost"),
        (upto >= last.size, "less is given up than the last head shows"),
        (not claims_too_much(upto, last.size, surviving), f"more than {CLAIM_MAX:,} positions beyond what is known"),
        (successor.name == lines[7] and is_successor(successor.name, last.origin), "the successor is not the next log"),
        (bool(reason) and " " not in reason, "no reason"),
    )
    if faults := [fault for holds, fault in checks if not holds]:
        raise EndedFault(*faults)
    claimed = upto if upto > last.size else 0
    return LogEnded(
        last, surviving, survives.root, successor, reason, claimed,
        unproven=reason != proven, unwitnessed=proven != lines[9],
    )  # fmt: skip


def claims_too_much(upto: int, signed: int, surviving: int) -> bool:
    """Whether a position is further beyond the last head and the ledger than anybody may give up by word alone."""
    return upto > max(signed, surviving) + CLAIM_MAX


def check_log_ended(note: Note, keys: tuple[VerifierKey, ...]) -> LogEnded:
    """What a note says under the ended log's key, which must be one of `keys`, and under the successor's own.

    Raises EndedFault, SignatureFault.
    """
    ended = parse_log_ended(note.text)
    signed = signers(note, {*keys, ended.successor})
    if ended.successor not in signed or not any(key in signed and key.name == ended.last.origin for key in keys):
        raise EndedFault("not signed by the log that ended and by its successor")
    return ended
