"""A record's proof pack: one file with all its events and what shows that they are in the log and that none is missing.

Lines of text, a word and its values each, base64 for bytes: a court's expert reads it in an editor, a browser with two
calls. There is one spelling: bytes that `ProofPack.encode` does not write are no pack. Nothing in it counts before
`ledger.trust.pack_check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import NoteFault, PackFormFault
from ledger.trust.note import Note, parse_note
from ledger.trust.strict_base64 import from_base64, to_base64

PACK_BYTES_MAX = 256 * 1024 * 1024
EVENTS_MAX = 100_000
HASHES_MAX = 63
"""Of one path: a tree of 2^63 leaves needs no more."""

_HEADER = "ledger-proof-pack@v1"
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class PackEvent:
    """An event of a pack. Its body may be left out, lie as stored, lie opened, or both."""

    envelope: bytes
    body: bytes = b""
    """As stored; empty where it is left out. No stored body is empty."""
    salt: bytes = b""
    """32 bytes with which an opened body is compared with the envelope's commitment."""
    plaintext: bytes = b""
    """The body opened; empty where it is not disclosed."""

    def lines(self, word: str) -> Iterator[str]:
        """Its lines, the envelope's behind `word`."""
        yield f"{word} {to_base64(self.envelope)}"
        if self.body:
            yield f"body {to_base64(self.body)}"
        if self.plaintext:
            yield f"opened {to_base64(self.salt)} {to_base64(self.plaintext)}"


@dataclass(frozen=True, slots=True)
class LeafPlace:
    """Where a leaf lies in the log's tree, with its audit path in the tree of the pack's checkpoint."""

    index: int
    """From 0; the position less one."""
    hashes: tuple[bytes, ...]

    def lines(self, word: str) -> Iterator[str]:
        """The index behind `word`, then the hashes, the leaf's sibling first."""
        yield f"{word} {self.index}"
        yield from (f"hash {to_base64(each)}" for each in self.hashes)


@dataclass(frozen=True, slots=True)
class ProofPack:
    """A pack taken apart."""

    record_id: bytes
    """16 bytes."""
    events: tuple[PackEvent, ...]
    """From version 1, in order."""
    head: LeafPlace
    """Of the event that the map's row names."""
    later: tuple[LeafPlace, ...]
    """Of each event after that one, in order: what the map does not cover is at least shown to be in the log."""
    map_event: PackEvent
    """The MapPublished event, its body in the clear or opened."""
    map_place: LeafPlace
    bucket: bytes
    """The whole bucket of the record."""
    bucket_hashes: tuple[bytes, ...]
    audit: Note | None
    """A monitor's word on the map."""
    checkpoint: Note

    def encode(self) -> bytes:
        """The file's bytes."""
        return ("\n".join(self._lines()) + "\n\n").encode() + self.checkpoint.encode()

    def _lines(self) -> Iterator[str]:
        yield _HEADER
        yield f"record {self.record_id.hex()}"
        for event in self.events:
            yield from event.lines("event")
        yield from self.head.lines("head")
        for place in self.later:
            yield from place.lines("later")
        yield from self.map_event.lines("map")
        yield from self.map_place.lines("place")
        yield f"bucket {to_base64(self.bucket)}"
        yield from (f"hash {to_base64(each)}" for each in self.bucket_hashes)
        if self.audit:
            yield f"audit {to_base64(self.audit.encode())}"


def parse_proof_pack(data: bytes) -> ProofPack:
    """The pack in a file's bytes; PackFormFault names the first line that is at fault."""
    if len(data) > PACK_BYTES_MAX:
        raise PackFormFault("more than 256 MiB")
    head, separator, note = data.partition(b"\n\n")
    if not separator or not head.isascii():
        raise PackFormFault("no lines of ASCII before an empty line and a checkpoint")
    lines = _Lines(head.decode().split("\n"))
    try:
        pack = _pack_in(lines, parse_note(note))
    except NoteFault as fault:
        raise PackFormFault("a note: " + ", ".join(fault.faults)) from fault
    if not lines.ended:
        raise lines.fault("more lines after it than a pack has")
    if (encoded := pack.encode()) != data:
        pairs = enumerate(zip(encoded.split(b"\n"), data.split(b"\n"), strict=False), 1)
        differing = next((at for at, (one, other) in pairs if one != other), len(head.split(b"\n")))
        raise PackFormFault(f"line {differing}: another spelling than a pack's")
    return pack


class _Lines:
    """The lines of a pack, taken one by one."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._lines)

    def next_is(self, word: str) -> bool:
        return not self.ended and self._lines[self._at].partition(" ")[0] == word

    def taken(self, word: str, values: int = 1) -> list[str]:
        """The values of the next line, which must begin with `word`."""
        if not self.next_is(word):
            raise PackFormFault(f"line {self._at + 1}: a line `{word}` is missing")
        words = self._lines[self._at].split(" ")
        self._at += 1
        if len(words) != values + 1:
            raise self.fault(f"not {values} after `{word}`")
        return words[1:]

    def octets(self, word: str, values: int = 1) -> list[bytes]:
        """Values in base64, none of them empty."""
        found = [from_base64(each) for each in self.taken(word, values)]
        if not all(found):
            raise self.fault("not base64, or empty")
        return [each for each in found if each]

    def fault(self, what: str) -> PackFormFault:
        """In the line that was taken last."""
        return PackFormFault(f"line {self._at}: {what}")


def _pack_in(lines: _Lines, checkpoint: Note) -> ProofPack:
    lines.taken(_HEADER, 0)
    record_id = _id_of(lines)
    events: list[PackEvent] = []
    while lines.next_is("event"):
        events.append(_event_in(lines, "event"))
        if len(events) > EVENTS_MAX:
            raise lines.fault(f"more than {EVENTS_MAX} events")
    return ProofPack(
        record_id=record_id,
        events=tuple(events),
        head=_place_in(lines, "head"),
        later=tuple(_later_in(lines)),
        map_event=_event_in(lines, "map"),
        map_place=_place_in(lines, "place"),
        bucket=lines.octets("bucket")[0],
        bucket_hashes=tuple(_hashes_in(lines)),
        audit=parse_note(lines.octets("audit")[0]) if lines.next_is("audit") else None,
        checkpoint=checkpoint,
    )


def _id_of(lines: _Lines) -> bytes:
    (text,) = lines.taken("record")
    try:
        record_id = bytes.fromhex(text)
    except ValueError:
        raise lines.fault("the record id is not hex") from None
    if len(record_id) != _ID_BYTES:
        raise lines.fault("the record id is not 16 bytes")
    return record_id


def _event_in(lines: _Lines, word: str) -> PackEvent:
    event = PackEvent(lines.octets(word)[0])
    if lines.next_is("body"):
        event = replace(event, body=lines.octets("body")[0])
    if lines.next_is("opened"):
        salt, plaintext = lines.octets("opened", 2)
        event = replace(event, salt=salt, plaintext=plaintext)
    return event


def _place_in(lines: _Lines, word: str) -> LeafPlace:
    (text,) = lines.taken(word)
    index = from_decimal(text)
    if index is None:
        raise lines.fault("the index is not a number")
    return LeafPlace(index, tuple(_hashes_in(lines)))


def _later_in(lines: _Lines) -> Iterator[LeafPlace]:
    while lines.next_is("later"):
        yield _place_in(lines, "later")


def _hashes_in(lines: _Lines) -> Iterator[bytes]:
    count = 0
    while lines.next_is("hash"):
        yield lines.octets("hash")[0]
        if (count := count + 1) > HASHES_MAX:
            raise lines.fault(f"more than {HASHES_MAX} hashes")
