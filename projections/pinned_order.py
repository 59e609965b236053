"""Pages of a list whose rows may change their place: the first page pins the order, and its tokens carry it.

A row's mark is 64 bits made of its id; rows of one mark share a place and stand there by id. What has no place, since
it lies beyond the limit or came meanwhile, comes behind by id. Neither place nor id ever changes, and so whatever is in
the list from its first page to its last comes exactly once.
"""

import base64
import binascii
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.views.errors import BadPageToken
from projections.page_token import read_token, write_token

PLACES_MAX = 5_000
"""Rows whose order is pinned; a token of as many has 53 KB, of 50 one KB."""
_MARK_BYTES = 8
_BEFORE_ALL = -1
_SEPARATOR = "."


@dataclass(frozen=True, slots=True)
class PinnedOrder:
    """The marks in their order, or None before the first page, and the last row that was shown: its place and id."""

    marks: tuple[int, ...] | None
    after: tuple[Any, ...]

    def pinned(self, found: Iterable[int]) -> "PinnedOrder":
        """The order of a first page. Two rows of one mark have one place."""
        return PinnedOrder(tuple(dict.fromkeys(found)), self.after)

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Marks, place and id, as the statements of such a list take them."""
        return ([*(self.marks or ())], *self.after)


def read_order(of: str, token: str, first_id: tuple[Any, ...]) -> PinnedOrder:
    """What a token of the list `of` pins; an empty one nothing. `first_id` is below every id. BadPageToken."""
    start = (_BEFORE_ALL, *first_id)
    if not token:
        return PinnedOrder(None, start)
    marks, _, key = token.partition(_SEPARATOR)
    if not key:
        raise BadPageToken
    return PinnedOrder(_unpacked(marks), read_token(of, key, start))


def write_order(of: str, order: PinnedOrder, place: int, *row_id: str | int | UUID) -> str:
    """A token that goes on behind the row with this place and id."""
    marks = order.marks or ()
    packed = base64.urlsafe_b64encode(struct.pack(f">{len(marks)}q", *marks)).decode()
    return packed + _SEPARATOR + write_token(of, place, *row_id)


def _unpacked(text: str) -> tuple[int, ...]:
    try:
        packed = base64.b64decode(text, altchars=b"-_", validate=True)
        marks = struct.unpack(f">{len(packed) // _MARK_BYTES}q", packed)
    except (binascii.Error, ValueError, struct.error):
        raise BadPageToken from None
    # A token is not signed: a mark that stood twice would show its row twice.
    if len(marks) > PLACES_MAX or len(set(marks)) < len(marks):
        raise BadPageToken
    return marks
