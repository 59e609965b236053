"""The content of a command, for telling a retry from another command with the same id.

Protobuf's own bytes are not canonical, so the decoded message is walked: every set field in ascending number with its
length, unset fields and unknown fields not at all. The command id is left out, since it is what the digest is kept
under; deadline and tracing are no part of the message.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_FLOATS = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
_LEFT_OUT = frozenset({"ledger.api.v1.CommandContext.command_id"})
_ONE = 1
_Write = Callable[[Any], bytes]
_writers: dict[FieldDescriptor, _Write] = {}
"""How each field is written, found once: a descriptor makes its attributes anew whenever they are asked for."""


def content_digest(rpc: str, request: Message) -> bytes:
    """SHA-256 over the RPC's name and the canonical form of its decoded request, 32 bytes."""
    return sha256(_with_length(rpc.encode()) + _canonical(request)).digest()


def _canonical(message: Message) -> bytes:
    return b"".join([(_writers.get(field) or _known(field))(value) for field, value in message.ListFields()])


def _known(field: FieldDescriptor) -> _Write:
    return _writers.setdefault(field, _writer(field))


def _writer(field: FieldDescriptor) -> _Write:
    if field.full_name in _LEFT_OUT:
        return lambda _: b""
    number, bytes_of = field.number, _value_writer(field)
    if field.is_repeated:
        return lambda values: b"".join(
            [struct.pack(">II", number, len(values)), *(_with_length(bytes_of(each)) for each in values)]
        )
    return _single_writer(struct.pack(">II", number, _ONE), bytes_of)


def _single_writer(start: bytes, bytes_of: _Write) -> _Write:
    def write(value: Any) -> bytes:
        data = bytes_of(value)
        return start + len(data).to_bytes(4, "big") + data

    return write


def _value_writer(field: FieldDescriptor) -> _Write:
    if field.message_type is not None:
        return _canonical
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes
    if field.type == FieldDescriptor.TYPE_STRING:
        return str.encode
    if field.type in _FLOATS:
        return struct.Struct(">d").pack
    return lambda value: int(value).to_bytes(9, "big", signed=True)


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
