"""PostgreSQL's binary form of parameters and columns."""

import struct
from collections.abc import Iterable, Sequence
from typing import cast
from uuid import UUID

_INT4 = struct.Struct(">i")
_INT8 = struct.Struct(">q")
_ARRAY = struct.Struct(">iiIii")
_EMPTY_ARRAY = struct.Struct(">iiI")
_NULL = _INT4.pack(-1)

BYTEA, INT8, INT4, TEXT, UUID_TYPE = 17, 20, 23, 25, 2950
"""Type ids, fixed in PostgreSQL's catalogue."""
INT8_MAX = (1 << 63) - 1


def int8(value: int) -> bytes:
    """A bigint."""
    return _INT8.pack(value)


def array(type_id: int, values: Sequence[bytes | None]) -> bytes:
    """A one-dimensional array of values in binary form."""
    if not values:
        return _EMPTY_ARRAY.pack(0, 0, type_id)
    start = _ARRAY.pack(1, 1 if None in values else 0, type_id, len(values), 1)
    return start + (_joined(values) or b"".join(map(_element, values)))


def _joined(values: Sequence[bytes | None]) -> bytes:
    """Values of one length, each after it, in a single join: most columns are of this kind. Empty for other values."""
    if None in values:
        return b""
    present = cast("Sequence[bytes]", values)
    lengths = set(map(len, present))
    if len(lengths) != 1:
        return b""
    length = lengths.pop().to_bytes(4, "big")
    return length + length.join(present)


def _element(value: bytes | None) -> bytes:
    return _NULL if value is None else len(value).to_bytes(4, "big") + value


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
