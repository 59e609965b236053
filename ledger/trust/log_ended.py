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

_HEADER, _WITH_CLAIM = "ledger-log-ended@v1", "ledger-log-ended@v2"
_LINES = 8
_SURVIVING = 4


@dataclass(frozen=True, slots=True)
class LogEnded:
    """What the note says."""

    last: Checkpoint
    """The last head that the ended log signed."""
    surviving: int
    """The successor's first leaves are the ended log's, up to this position; what came after is lost."""
    successor: VerifierKey
    """Its name is the new origin."""
    reason: str
    """A code."""
    claimed: int = 0
    """Up to which position somebody says that more was known than the last head shows: a witness, a topic; else 0."""

    def text(self) -> str:
        """The text that is signed."""
        lines = (
            _WITH_CLAIM if self.claimed else _HEADER,
            *self.last.text().splitlines(),
            self.surviving,
            *([self.claimed] if self.claimed else []),
            self.successor.name,
            self.successor,
            self.reason,
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
    return note.text.startswith((f"{_HEADER}\n", f"{_WITH_CLAIM}\n"))


def parse_log_ended(text: str) -> LogEnded:
    """What a note's text says; EndedFault for text that is none, or that could not be true."""
    lines = text.split("\n")
    claimed = lines.pop(_SURVIVING + 1) if lines[0] == _WITH_CLAIM and len(lines) > _LINES else ""
    if len(lines) != _LINES + 1 or lines.pop() or lines[0] != (_WITH_CLAIM if claimed else _HEADER):
        raise EndedFault("not its eight lines, or nine")
    try:
        last = parse_checkpoint("".join(f"{line}\n" for line in lines[1:_SURVIVING]))
        successor = parse_verifier_key(lines[6])
    except (CheckpointFault, KeyFault) as fault:
        raise EndedFault(*fault.faults) from fault
    surviving, upto = from_decimal(lines[_SURVIVING]), from_decimal(claimed) if claimed else last.size
    checks = (
        (surviving is not None and upto is not None and surviving < upto, "nothing is lost"),
        (not claimed or (upto is not None and upto > last.size), "the claim is not beyond the last head"),
        (successor.name == lines[5] and is_successor(successor.name, last.origin), "the successor is not the next log"),
        (bool(lines[7]), "no reason"),
    )
    faults = [fault for holds, fault in checks if not holds]
    if faults or surviving is None or upto is None:
        raise EndedFault(*faults)
    return LogEnded(last, surviving, successor, lines[7], upto if claimed else 0)


def check_log_ended(note: Note, keys: tuple[VerifierKey, ...]) -> LogEnded:
    """What a note says under the ended log's key, which must be one of `keys`, and under the successor's own.

    Raises EndedFault, SignatureFault.
    """
    ended = parse_log_ended(note.text)
    signed = signers(note, {*keys, ended.successor})
    if ended.successor not in signed or not any(key in signed and key.name == ended.last.origin for key in keys):
        raise EndedFault("not signed by the log that ended and by its successor")
    return ended
