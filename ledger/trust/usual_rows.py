"""Stored events of the form that nearly all have, read many at a time and column by column.

A whole ledger is checked in steps of the interpreter, and these are what it costs beside the hashes. So each step here
is taken by all rows of a page in C. Nothing here says what is wrong with a row: what is not plain is left to others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from struct import unpack
from typing import NamedTuple

from ledger.trust.glance import USUAL_FIELDS, type_of
from ledger.trust.varint import read_varint

PAGE_ROWS = 256
"""Rows that are read at once."""

Said = tuple[bytes, int, str, int, bytes]
"""What an envelope says and its hash: stream id, version, type, recorded_at, leaf hash."""

Fields = tuple[bytes, ...]
"""An envelope's fields as USUAL_FIELDS groups them."""


class Found(NamedTuple):
    """What envelopes say, each at its place."""

    said: list[Said]
    named_before: Sequence[bytes | None]
    """The leaf that each names as the one before it; None where it names none."""


_HEADS_REMEMBERED = 64
_LEAF_BEGUN = sha256(b"\x00")
_LOW = int.from_bytes(b"\x7f" * 8 * PAGE_ROWS, "little")
_JOINS = tuple(
    (int.from_bytes(low * PAGE_ROWS, "little"), int.from_bytes(high * PAGE_ROWS, "little"), shift)
    for low, high, shift in (
        (b"\x7f\x00" * 4, b"\x00\x7f" * 4, 1),
        (b"\xff\x3f\x00\x00" * 2, b"\x00\x00\xff\x3f" * 2, 2),
        (b"\xff\xff\xff\x0f\x00\x00\x00\x00", b"\x00\x00\x00\x00\xff\xff\xff\x0f", 4),
    )
)
"""Groups of 7 bits are joined to 14, these to 28, these to 56: which of two are low, which high, how far those move."""


def usual_fields(head: bytes, envelopes: Iterable[bytes]) -> list[Fields | None]:
    """The fields of each envelope that begins with this format and origin; None for one of no usual form."""
    return [found and found.groups() for found in map(_form(head), envelopes)]


def said_by(fields: Sequence[Fields], envelopes: Iterable[bytes], bodies: Iterable[bytes]) -> Found | None:
    """What envelopes say; None where not every one fits its body and its type's length. At most PAGE_ROWS of them.

    `fields`: what `usual_fields` found of each.
    """
    stream_ids, versions, types, times, sealed, clear, named_before = zip(*fields, strict=True)
    if [one or other for one, other in zip(sealed, clear, strict=True)] != [sha256(body).digest() for body in bodies]:
        return None
    name_of = {each: type_of(each) for each in {*types}}
    if "" in name_of.values():
        return None
    names = [name_of[each] for each in types]
    said = zip(
        stream_ids, _numbers(versions), names, varints_of_eight(b"".join(times)), leaf_hashes(envelopes), strict=True
    )
    return Found([*said], named_before)


@lru_cache(_HEADS_REMEMBERED)
def _form(head: bytes) -> Callable[[bytes], re.Match[bytes] | None]:
    return re.compile(re.escape(head) + USUAL_FIELDS, re.DOTALL).fullmatch


def _numbers(varints: Sequence[bytes]) -> Sequence[int]:
    joined = b"".join(varints)
    return joined if len(joined) == len(varints) else [read_varint(each, 0)[0] for each in varints]


def leaf_hashes(envelopes: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each, `leaf_hash` unrolled: a hash that has taken the first byte is copied, none is joined."""
    leaves: list[bytes] = []
    begun, keep = _LEAF_BEGUN.copy, leaves.append
    for envelope in envelopes:
        leaf = begun()
        leaf.update(envelope)
        keep(leaf.digest())
    return leaves


def varints_of_eight(joined: bytes) -> Sequence[int]:
    """The values of at most PAGE_ROWS varints of eight bytes each, all at once: joined they are one large number."""
    number = int.from_bytes(joined, "little") & _LOW
    for low, high, shift in _JOINS:
        number = number & low | (number & high) >> shift
    return unpack(f"<{len(joined) // 8}Q", number.to_bytes(len(joined), "little"))
