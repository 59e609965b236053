"""The sealed form of a body, to the byte as `docs/formats.md` says: pure, key and nonce come in."""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag

from ledger.trust.envelope import Envelope, Framed, associated_data, framed, prev_leaf_of
from ledger.trust.fault import EnvelopeFault, UnknownFormat
from ledger.trust.glance import whole
from ledger.trust.record_key import RecordKey
from ledger.trust.sealing import Opened, SealFault, SealFaultKind

NONCE_BYTES = 12
PLAINTEXT_BYTES_MAX = 512 * 1024
_FORMAT = b"\x01"  # as protobuf it would be field 0, which no message has: no clear body begins with it
_TAG_BYTES = 16
_LENGTH_BYTES = 4
_SMALLEST_CLASS = 256
_LARGEST_CLASS = PLAINTEXT_BYTES_MAX + _LENGTH_BYTES
_FRAME_BYTES = len(_FORMAT) + NONCE_BYTES + _TAG_BYTES
_DIGEST_TAG = b"\x4a\x20"  # field 9 of the envelope, 32 bytes
_DIGEST_BYTES = 32
_LAST_FIELD_BYTES = len(_DIGEST_TAG) + _DIGEST_BYTES

SEALED_BYTES_MAX = _LARGEST_CLASS + _FRAME_BYTES
"""Length of the largest sealed body."""
SEALED_BYTES_MIN = _SMALLEST_CLASS + _FRAME_BYTES
"""Length of the smallest sealed body."""


def size_class(content_bytes: int) -> int:
    """The padded length: 256, then four classes between one power of two and the next, 524,292 the last.

    Above the first class at most a quarter is padding, and there are 46 lengths in all.
    """
    if content_bytes <= _SMALLEST_CLASS:
        return _SMALLEST_CLASS
    step = 1 << ((content_bytes - 1).bit_length() - 3)
    return min(-(-content_bytes // step) * step, _LARGEST_CLASS)


def seal_body(key: RecordKey, nonce: bytes, envelope: Envelope, plaintext: bytes) -> tuple[Framed, bytes]:
    """The envelope's bytes with key id and commitment, and the sealed body, which is bound to them and to its place.

    A nonce seals once. ValueError for a plaintext above 512 KiB or a nonce that is not 12 bytes.
    """
    if len(plaintext) > PLAINTEXT_BYTES_MAX or len(nonce) != NONCE_BYTES:
        raise ValueError("a plaintext above 512 KiB, or a nonce that is not 12 bytes")
    commitment = key.commitment(envelope.stream_id, envelope.stream_version, plaintext)
    around = framed(envelope, key.key_id, commitment)
    content_bytes = _LENGTH_BYTES + len(plaintext)
    padding = bytes(size_class(content_bytes) - content_bytes)
    content = b"".join((len(plaintext).to_bytes(_LENGTH_BYTES, "big"), plaintext, padding))
    return around, b"".join((_FORMAT, nonce, key.cipher.encrypt(nonce, content, around.without_digest())))


def open_body(key: RecordKey, envelope: Envelope, body: bytes) -> Opened | SealFault:
    """What was sealed. Checks form, key id, tag, padding, commitment and digest, in this order."""
    if kind := _wrong_outside(key, envelope, body):
        return SealFault(kind)
    nonce, sealed = body[1 : 1 + NONCE_BYTES], body[1 + NONCE_BYTES :]
    try:
        content = key.cipher.decrypt(nonce, sealed, associated_data(envelope))
    except InvalidTag:
        return SealFault(SealFaultKind.TAG)
    plaintext = content[_LENGTH_BYTES : _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "big")]
    if not _padded_right(content, plaintext):
        return SealFault(SealFaultKind.PADDING)
    # GCM does not bind a ciphertext to one key: somebody who knows two keys can make a body that opens under both.
    expected = key.commitment(envelope.stream_id, envelope.stream_version, plaintext)
    if not hmac.compare_digest(expected, envelope.commitment):
        return SealFault(SealFaultKind.COMMITMENT)
    # The one field of the envelope that the tag does not cover, since it is the hash of the tag too.
    if not has_digest(envelope, body):
        return SealFault(SealFaultKind.DIGEST)
    return Opened(plaintext)


def has_digest(envelope: Envelope, body: bytes) -> bool:
    """Whether the body, as stored, is the one that the envelope names."""
    return sha256(body).digest() == envelope.body_sha256


def is_sealed(envelope: Envelope) -> bool:
    """Whether the envelope says that its body is sealed; the strict encoding lets key id and commitment come together
    or not at all."""
    return bool(envelope.key_id)


def sealed_envelope(envelope: bytes) -> Envelope | SealFault:
    """The envelope of a body that is to be opened, or why it cannot be."""
    try:
        decoded = whole(envelope)
    except UnknownFormat:
        return SealFault(SealFaultKind.LATER)
    except EnvelopeFault:
        return SealFault(SealFaultKind.ENVELOPE)
    return decoded if is_sealed(decoded) else SealFault(SealFaultKind.CLEAR)


def lies_in_the_clear(envelope: bytes, body: bytes) -> bool:
    """Whether a body has not the form of a sealed one, which no message has, or its well-formed envelope says that it
    is not sealed; other envelopes are somebody else's fault.

    Asked of every event that is appended or published, so it looks at one place: before `prev_leaf`, or at the end
    where there is none, stands the commitment, or without one the digest of the body, which is always there.
    """
    if body[:1] != _FORMAT or len(body) < SEALED_BYTES_MIN:
        return True
    end = len(envelope) - _LAST_FIELD_BYTES if prev_leaf_of(envelope) else len(envelope)
    return envelope[end - _LAST_FIELD_BYTES : end - _DIGEST_BYTES] == _DIGEST_TAG


def _wrong_outside(key: RecordKey, envelope: Envelope, body: bytes) -> SealFaultKind | None:
    if not is_sealed(envelope):
        return SealFaultKind.CLEAR
    if body[:1] != _FORMAT:
        return SealFaultKind.FORMAT
    if not SEALED_BYTES_MIN <= len(body) <= SEALED_BYTES_MAX:
        return SealFaultKind.LENGTH
    if envelope.key_id != key.key_id:
        return SealFaultKind.KEY_ID
    return None


def _padded_right(content: bytes, plaintext: bytes) -> bool:
    length = int.from_bytes(content[:_LENGTH_BYTES], "big")
    rest = content[_LENGTH_BYTES + length :]
    return (
        length == len(plaintext) and len(content) == size_class(_LENGTH_BYTES + length) and rest.count(0) == len(rest)
    )
