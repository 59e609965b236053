"""The envelope of an event: what stays readable for ever, written to the byte as `docs/formats.md` says.

Its bytes are the leaf of the event. They are written once, here, stored, and never serialised again.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ledger.trust.fault import EnvelopeFault, EnvelopeTooLarge, UnknownFormat
from ledger.trust.varint import UINT64_MAX, read_varint, write_varint

FORMAT = 1
"""Format 1: SHA-256 leaves and body digests; bodies sealed as `sealed_body` says, under AES-256-GCM."""

ENVELOPE_BYTES_MAX = 4096

TEXTS_REMEMBERED = 1024
"""Origins and types come again with every event."""

_DIGEST_TAG = b"\x4a\x20"  # field 9, 32 bytes
_WRONG_DIGEST = "body_sha256 is not 32 bytes"
_PREV_LEAF_TAG = b"\x5a\x20"  # field 11, 32 bytes
_PREV_LEAF_FIELD_BYTES = 34
_OTHER_FORMAT = "format is not 1"
_ID_BYTES = 16
_DIGEST_BYTES = 32
_VARINT = 0
_LENGTH = 2
_WIRE_TYPES = {1: _VARINT, 4: _VARINT, 6: _VARINT} | dict.fromkeys((2, 3, 5, 7, 8, 9, 10, 11), _LENGTH)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields of an envelope. Byte fields that do not apply are empty."""

    format: int
    origin: str
    stream_id: bytes
    """16 bytes of a random UUIDv4."""
    stream_version: int
    """From 1, without gaps within a stream."""
    type: str
    """Stored event name with version, for example `ledger.v1.EntryRecorded`."""
    recorded_at: int
    """Server time, Unix microseconds."""
    actor: bytes
    """16 bytes, random per person and hospital; empty where no actor applies."""
    key_id: bytes
    """16 bytes: which data key sealed the body; empty for a body in the clear."""
    body_sha256: bytes
    """32 bytes: SHA-256 of the body as stored."""
    commitment: bytes
    """32 bytes, to the plaintext; empty for a body in the clear."""
    prev_leaf: bytes
    """32 bytes: leaf hash of the stream's event before; empty for version 1 only."""


class Framed(NamedTuple):
    """An envelope's bytes without the digest of its body, which is known last: what stands before it and behind it."""

    before: bytes
    behind: bytes

    def with_digest(self, body_sha256: bytes) -> bytes:
        """The envelope's bytes. Raises EnvelopeTooLarge."""
        data = b"".join((self.before, _DIGEST_TAG, body_sha256, self.behind))
        if len(data) > ENVELOPE_BYTES_MAX:
            raise EnvelopeTooLarge(len(data))
        return data

    def without_digest(self) -> bytes:
        """What a sealed body is bound to: the same encoding, without the digest of the sealed body (field 9)."""
        return self.before + self.behind


def encode(envelope: Envelope) -> bytes:
    """The envelope's bytes; ValueError names a field that does not fit its definition, EnvelopeTooLarge its size."""
    if len(envelope.body_sha256) != _DIGEST_BYTES:
        raise ValueError(_WRONG_DIGEST)
    return framed(envelope, envelope.key_id, envelope.commitment).with_digest(envelope.body_sha256)


def framed(envelope: Envelope, key_id: bytes, commitment: bytes) -> Framed:
    """The envelope with these in the place of its own key id and commitment. ValueError as `encode`."""
    wrong = _wrong_place(envelope) or _wrong_seal(key_id, commitment)
    if wrong:
        raise ValueError(wrong)
    before = (
        b"\x08\x01",
        _text_field(b"\x12", envelope.origin),
        b"\x1a\x10",
        envelope.stream_id,
        b"\x20",
        write_varint(envelope.stream_version),
        _text_field(b"\x2a", envelope.type),
        b"\x30",
        write_varint(envelope.recorded_at),
        b"\x3a\x10" + envelope.actor if envelope.actor else b"",
        b"\x42\x10" + key_id if key_id else b"",
    )
    behind = b"\x52\x20" + commitment if commitment else b""
    return Framed(b"".join(before), behind + _PREV_LEAF_TAG + envelope.prev_leaf if envelope.prev_leaf else behind)


@lru_cache(maxsize=TEXTS_REMEMBERED)
def _text_field(tag: bytes, text: str) -> bytes:
    data = text.encode()
    return tag + write_varint(len(data)) + data


def associated_data(envelope: Envelope) -> bytes:
    """What the body of a well-formed envelope is bound to."""
    return framed(envelope, envelope.key_id, envelope.commitment).without_digest()


def decode(data: bytes) -> Envelope:
    """The envelope in `data`; EnvelopeFault(reason, offset) for any bytes that `encode` could not have written.

    UnknownFormat where the first field names another format, whatever follows: only a later release can tell.
    """
    if len(data) > ENVELOPE_BYTES_MAX:
        raise EnvelopeFault("more than 4096 bytes", ENVELOPE_BYTES_MAX)
    values: dict[int, int | bytes] = {}
    offset = last = 0
    while offset < len(data):
        number, value, after = _read_field(data, offset, last)
        if number == 1 and value != FORMAT:
            raise UnknownFormat(_OTHER_FORMAT, len(data))
        values[number] = value
        last, offset = number, after
    return _envelope_of(values, len(data))


def prev_leaf_of(data: bytes) -> bytes:
    """The `prev_leaf` of well-formed envelope bytes, empty for a stream's first event.

    It is the last field, and the field before it is body_sha256 or commitment, so the tag cannot be mistaken.
    """
    if data[-_PREV_LEAF_FIELD_BYTES:-32] == _PREV_LEAF_TAG:
        return data[-32:]
    return b""


def _read_field(data: bytes, offset: int, last: int) -> tuple[int, int | bytes, int]:
    tag, at = read_varint(data, offset)
    number, wire = tag >> 3, tag & 7
    if number not in _WIRE_TYPES or wire != _WIRE_TYPES[number]:
        raise EnvelopeFault("unknown field or wrong wire type", offset)
    if number <= last:
        raise EnvelopeFault("field repeated or out of order", offset)
    value, after = read_varint(data, at)
    if value == 0:
        raise EnvelopeFault("a default value, which must be absent", offset)
    if wire == _VARINT:
        return number, value, after
    if after + value > len(data):
        raise EnvelopeFault("field longer than the data", offset)
    return number, data[after : after + value], after + value


def _envelope_of(values: dict[int, int | bytes], size: int) -> Envelope:
    try:
        envelope = Envelope(
            format=_number(values, 1),
            origin=_octets(values, 2).decode(),
            stream_id=_octets(values, 3),
            stream_version=_number(values, 4),
            type=_octets(values, 5).decode(),
            recorded_at=_number(values, 6),
            actor=_octets(values, 7),
            key_id=_octets(values, 8),
            body_sha256=_octets(values, 9),
            commitment=_octets(values, 10),
            prev_leaf=_octets(values, 11),
        )
    except UnicodeDecodeError:
        raise EnvelopeFault("text that is not UTF-8", size) from None
    digest = "" if len(envelope.body_sha256) == _DIGEST_BYTES else _WRONG_DIGEST
    wrong = _wrong_place(envelope) or digest or _wrong_seal(envelope.key_id, envelope.commitment)
    if wrong:
        raise EnvelopeFault(wrong, size)
    return envelope


def _number(values: dict[int, int | bytes], field: int) -> int:
    value = values.get(field, 0)
    return value if isinstance(value, int) else 0


def _octets(values: dict[int, int | bytes], field: int) -> bytes:
    value = values.get(field, b"")
    return value if isinstance(value, bytes) else b""


def _wrong_place(envelope: Envelope) -> str:
    """What is wrong with the first field that its definition does not allow, but for the body's; empty if nothing."""
    if envelope.format != FORMAT:
        return _OTHER_FORMAT
    if not envelope.origin or not envelope.type:
        return "origin or type is missing"
    if not 1 <= envelope.stream_version <= UINT64_MAX or not 1 <= envelope.recorded_at <= UINT64_MAX:
        return "stream_version or recorded_at is missing or above 64 bits"
    if len(envelope.stream_id) != _ID_BYTES:
        return "stream_id is not 16 bytes"
    if len(envelope.actor) not in (0, _ID_BYTES):
        return "actor is not 16 bytes"
    if len(envelope.prev_leaf) != (0 if envelope.stream_version == 1 else _DIGEST_BYTES):
        return "prev_leaf must be 32 bytes, and absent for version 1 only"
    return ""


def _wrong_seal(key_id: bytes, commitment: bytes) -> str:
    """As `_wrong_place`, for what says how a body is sealed."""
    if len(key_id) not in (0, _ID_BYTES):
        return "key_id is not 16 bytes"
    if len(commitment) not in (0, _DIGEST_BYTES):
        return "commitment is not 32 bytes"
    if bool(key_id) != bool(commitment):
        return "key_id and commitment come together or not at all"
    return ""
