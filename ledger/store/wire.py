"""PostgreSQL's binary form of parameters and columns."""

import struct
from collections.abc import Iterable, Sequence
from uuid import UUID

_INT4 = struct.Struct(">i")
_INT8 = struct.Struct(">q")
_ARRAY = struct.Struct(">iiIii")
_EMPTY_ARRAY = struct.Struct(">iiI")
_NULL = _INT4.pack(-1)

BYTEA, INT8, INT4, TEXT, UUID_TYPE = 17, 20, 23, 25, 2950
"""Type ids, fixed in PostgreSQL's catalogue."""


def int8(value: int) -> bytes:
    """A bigint."""
    return _INT8.pack(value)


def array(type_id: int, values: Sequence[bytes | None]) -> bytes:
    """A one-dimensional array of values in binary form."""
    if not values:
        return _EMPTY_ARRAY.pack(0, 0, type_id)
    parts = [_ARRAY.pack(1, 1 if None in values else 0, type_id, len(values), 1)]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts.append(len(value).to_bytes(4, "big"))
            parts.append(value)
    return b"".join(parts)


def int8_array(values: Iterable[int | None]) -> bytes:
    """An array of bigint."""
    return array(INT8, [None if value is None else _INT8.pack(value) for value in values])


def int4_array(values: Iterable[int]) -> bytes:
    """An array of integer."""
    return array(INT4, [_INT4.pack(value) for value in values])


def text_array(values: Iterable[str | None]) -> bytes:
    """An array of text."""
    return array(TEXT, [None if value is None else value.encode() for value in values])


def uuid_array(values: Iterable[UUID | None]) -> bytes:
    """An array of uuid."""
    return array(UUID_TYPE, [None if value is None else value.bytes for value in values])


def bytea_array(values: Sequence[bytes | None]) -> bytes:
    """An array of bytea."""
    return array(BYTEA, values)


def read_int(data: bytes | None) -> int:
    """A smallint, integer or bigint; 0 for null."""
    return int.from_bytes(data, "big", signed=True) if data else 0


def read_uuid(data: bytes | None) -> UUID | None:
    """A uuid."""
    return UUID(bytes=data) if data else None
