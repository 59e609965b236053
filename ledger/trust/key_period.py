"""A line of a log's key register: which keys sign it from which head on, signed by all of them.

While one key follows another both sign, so the one that a reader trusts vouches for the one that follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import KeyFault, KeyPeriodFault
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey, parse_verifier_key
from ledger.trust.signed_note import check_signed

_HEADER = "ledger-log-keys@v1"
_KEYS_MAX = 2
_BEFORE_KEYS = 4


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """From one head of a log on, until the next period begins."""

    origin: str
    size: int
    """Of the first head that these keys have signed, all of them."""
    began: int
    """Unix second, by the clock of the program that signed."""
    keys: tuple[VerifierKey, ...]
    """One, or two while the second follows the first."""

    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (_HEADER, self.origin, self.size, self.began, *self.keys))

    def signed(self, keys: Sequence[SigningKey]) -> Note:
        """The note, with a signature of each."""
        return Note(self.text(), tuple(key.sign(self.text()) for key in keys))


def parse_key_period(note: Note) -> KeyPeriod:
    """What a note says under all of the keys that it names. Raises KeyPeriodFault, SignatureFault."""
    lines = note.text.split("\n")
    if lines.pop() or not _BEFORE_KEYS < len(lines) <= _BEFORE_KEYS + _KEYS_MAX or lines[0] != _HEADER:
        raise KeyPeriodFault("not its five lines, or six")
    size, began = from_decimal(lines[2]), from_decimal(lines[3])
    try:
        keys = tuple(parse_verifier_key(line) for line in lines[_BEFORE_KEYS:])
    except KeyFault as fault:
        raise KeyPeriodFault(*fault.faults) from fault
    if size is None or began is None or any((each.name, each.kind) != (lines[1], KeyKind.ED25519) for each in keys):
        raise KeyPeriodFault("size, time or a key is not one of a log's")
    for key in keys:
        check_signed(note, [key])
    return KeyPeriod(lines[1], size, began, keys)
