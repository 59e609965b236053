"""Signed notes: a text, an empty line, signature lines. Here they are taken apart and put together; whether a
signature holds is said by `ledger.trust.signed_note`, and until then the text means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.trust.format_fault import NoteFault
from ledger.trust.strict_base64 import from_base64, to_base64

NOTE_BYTES_MAX = 256 * 1024
SIGNATURES_MAX = 64
"""Readers must take 16; each witness of a large policy adds one."""

_DASH = "\u2014 "
_KEY_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. Name and key id say which key claims to have signed."""

    name: str
    key_id: bytes
    """4 bytes."""
    value: bytes
    """What the key's algorithm wrote; at least one byte."""

    def line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {to_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signatures, all of them: those of unknown keys are kept and count for nothing."""

    text: str
    """With its final newline."""
    signatures: tuple[Signature, ...] = ()

    def encode(self) -> bytes:
        """The note's bytes; NoteFault for a text or signatures that no reader would take."""
        faults = [fault for fault in (_fault_in_text(self.text), _fault_in_count(len(self.signatures))) if fault]
        if faults:
            raise NoteFault(*faults)
        return (self.text + "\n" + "".join(each.line() for each in self.signatures)).encode()

    def signed_also(self, *signatures: Signature) -> Note:
        """The same note with further signatures; one that is already there is not repeated."""
        return replace(self, signatures=tuple(dict.fromkeys((*self.signatures, *signatures))))


def is_key_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no whitespace or control character, no plus."""
    return bool(name) and not any(each.isspace() or each == "+" or each < " " for each in name) and _is_utf8(name)


def parse_note(data: bytes) -> Note:
    """The note in `data`; NoteFault names every fault."""
    if len(data) > NOTE_BYTES_MAX:
        raise NoteFault("more than 256 KiB")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NoteFault("not UTF-8") from None
    if any(each < " " and each != "\n" for each in whole):
        raise NoteFault("a control character")
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteFault("no signature lines after an empty line")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """The signatures in lines that each end with a newline, as a witness answers; NoteFault names every faulty line."""
    if not lines.endswith("\n"):
        raise NoteFault("the last signature line is cut short")
    each_line = lines[:-1].split("\n")
    if fault := _fault_in_count(len(each_line)):
        raise NoteFault(fault)
    signatures = [_signature_of(line) for line in each_line]
    faults = [f"signature line {at}" for at, each in enumerate(signatures, 1) if each is None]
    if faults:
        raise NoteFault(*faults)
    return tuple(each for each in signatures if each)


def _signature_of(line: str) -> Signature | None:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = from_base64(encoded)
    if not line.startswith(_DASH) or not is_key_name(name) or data is None or len(data) <= _KEY_ID_BYTES:
        return None
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def _fault_in_text(text: str) -> str:
    if not text.endswith("\n"):
        return "the text does not end with a newline"
    if any(each < " " and each != "\n" for each in text):
        return "a control character in the text"
    return "" if _is_utf8(text) else "the text is not UTF-8"


def _fault_in_count(count: int) -> str:
    return "" if 1 <= count <= SIGNATURES_MAX else f"not 1 to {SIGNATURES_MAX} signatures"


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)
