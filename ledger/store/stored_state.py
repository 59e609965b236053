"""One `state` of the library's stored events to and from our two columns, envelope and body; exact for any bytes."""

import struct

from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault

_LENGTH = struct.Struct(">I")


def join_state(envelope: bytes, body: bytes) -> bytes:
    """Length of the envelope (32 bits, big-endian), envelope, body; the body alone where there is no envelope."""
    return _LENGTH.pack(len(envelope)) + envelope + body if envelope else body


def split_state(state: bytes) -> tuple[bytes, bytes]:
    """Envelope and body of a state. Bytes that hold no well-formed envelope are all body.

    Whatever the bytes are, `join_state` gives them back: the library's own tests store states of their own.
    """
    if len(state) < _LENGTH.size:
        return b"", state
    (length,) = _LENGTH.unpack_from(state)
    end = _LENGTH.size + length
    envelope = state[_LENGTH.size : end]
    try:
        decode(envelope)
    except EnvelopeFault:
        return b"", state
    return envelope, state[end:]
