"""One `state` of the library's stored events to and from our two columns: envelope and body."""

import struct

_LENGTH = struct.Struct(">I")


def join_state(envelope: bytes, body: bytes) -> bytes:
    """Length of the envelope (32 bits, big-endian), envelope, body."""
    return _LENGTH.pack(len(envelope)) + envelope + body


def split_state(state: bytes) -> tuple[bytes, bytes]:
    """Envelope and body of a state that `join_state` made."""
    (length,) = _LENGTH.unpack_from(state)
    end = _LENGTH.size + length
    return state[_LENGTH.size : end], state[end:]
