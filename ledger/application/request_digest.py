"""The content of a command, for telling a retry from another command with the same id.

Protobuf's own bytes are not canonical, so the decoded message is walked: every set field in ascending number with its
length, unset fields and unknown fields not at all. The command id is left out, since it is what the digest is kept
under; deadline and tracing are no part of the message.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_FLOATS = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
_LEFT_OUT = frozenset({"ledger.api.v1.CommandContext.command_id"})


def content_digest(rpc: str, request: Message) -> bytes:
    """SHA-256 over the RPC's name and the canonical form of its decoded request, 32 bytes."""
    out = bytearray()
    _put(out, rpc.encode())
    _walk(request, out)
    return sha256(out).digest()


def _walk(message: Message, out: bytearray) -> None:
    for field, value in message.ListFields():
        if field.full_name in _LEFT_OUT:
            continue
        values = list(value) if field.is_repeated else [value]
        out += struct.pack(">II", field.number, len(values))
        for each in values:
            _put(out, _bytes_of(field, each))


def _bytes_of(field: FieldDescriptor, value: Any) -> bytes:
    if field.message_type is not None:
        inner = bytearray()
        _walk(cast("Message", value), inner)
        return bytes(inner)
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if field.type in _FLOATS:
        return struct.pack(">d", value)
    return int(value).to_bytes(9, "big", signed=True)


def _put(out: bytearray, data: bytes) -> None:
    out += struct.pack(">I", len(data))
    out += data
