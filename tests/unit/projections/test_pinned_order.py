"""Tokens that carry the order of a list."""

from uuid import UUID

import pytest

from ledger.views.errors import BadPageToken
from projections.page_token import write_token
from projections.pinned_order import PLACES_MAX, PinnedOrder, read_order, write_order

_ID = UUID(int=7)
_FIRST = (UUID(int=0),)
_ORDER = read_order("list", "", _FIRST).pinned([3, -(2**63), 2**63 - 1])


def test_a_token_gives_the_order_back() -> None:
    """With the place and the id behind which it goes on, to the list that issued it."""
    assert read_order("list", write_order("list", _ORDER, 2, _ID), _FIRST) == PinnedOrder(_ORDER.marks, (2, _ID))
    assert read_order("list", "", _FIRST) == PinnedOrder(None, (-1, *_FIRST))


def test_two_rows_of_one_mark_have_one_place() -> None:
    """Joined twice a row would come twice."""
    assert _ORDER.pinned([5, 6, 5]).marks == (5, 6)


def test_the_largest_token_is_small_enough_for_a_request() -> None:
    """A request has at most 1 MiB."""
    token = write_order("list", _ORDER.pinned(range(PLACES_MAX)), 9, _ID)
    assert len(token) < 54_000
    marks = read_order("list", token, _FIRST).marks
    assert marks is not None
    assert len(marks) == PLACES_MAX


def _marked(*marks: int) -> str:
    return write_order("list", PinnedOrder(marks, ()), 1, _ID)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "%%%." + write_token("list", 1, _ID),
        "AAAA." + write_token("list", 1, _ID),
        "\u4e2d." + write_token("list", 1, _ID),
        write_token("list", 1, _ID),
        "AAAAAAAAAAA=",
        "AAAAAAAAAAA=.",
        write_order("other", _ORDER, 1, _ID),
        write_order("list", _ORDER, -2, _ID),
        write_order("list", _ORDER, 1, "no id"),
        _marked(4, 4),
        _marked(*range(PLACES_MAX + 1)),
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    """One error, whatever is wrong; a mark that stands twice or too many of them no list has issued."""
    with pytest.raises(BadPageToken):
        read_order("list", token, _FIRST)
