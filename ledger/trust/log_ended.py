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

_HEADER = "ledger-log-ended@v1"
_LINES = 8


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

    def text(self) -> str:
        """The text that is signed."""
        lines = (
            _HEADER,
            *self.last.text().splitlines(),
            self.surviving,
            self.successor.name,
            self.successor,
            self.reason,
        )
        return "".join(f"{line}\n" for line in lines)

    @property
    def lost(self) -> range:
        """The positions whose bytes are gone."""
        return range(self.surviving + 1, self.last.size + 1)


def is_log_ended(note: Note) -> bool:
    """Whether a note claims that a log has ended; no checkpoint's text begins so, since its second line is a size."""
    return note.text.startswith(f"{_HEADER}\n")


def parse_log_ended(text: str) -> LogEnded:
    """What a note's text says; EndedFault for text that is none, or that could not be true."""
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines.pop() or lines[0] != _HEADER:
        raise EndedFault("not its eight lines")
    try:
        last = parse_checkpoint("".join(f"{line}\n" for line in lines[1:4]))
        successor = parse_verifier_key(lines[6])
    except (CheckpointFault, KeyFault) as fault:
        raise EndedFault(*fault.faults) from fault
    surviving = from_decimal(lines[4])
    checks = (
        (surviving is not None and surviving < last.size, "nothing is lost"),
        (successor.name == lines[5] and is_successor(successor.name, last.origin), "the successor is not the next log"),
        (bool(lines[7]), "no reason"),
    )
    faults = [fault for holds, fault in checks if not holds]
    if faults or surviving is None:
        raise EndedFault(*faults)
    return LogEnded(last, surviving, successor, lines[7])


def check_log_ended(note: Note, keys: tuple[VerifierKey, ...]) -> LogEnded:
    """What a note says under the ended log's key, which must be one of `keys`, and under the successor's own.

    Raises EndedFault, SignatureFault.
    """
    ended = parse_log_ended(note.text)
    signed = signers(note, {*keys, ended.successor})
    if ended.successor not in signed or not any(key in signed and key.name == ended.last.origin for key in keys):
        raise EndedFault("not signed by the log that ended and by its successor")
    return ended
