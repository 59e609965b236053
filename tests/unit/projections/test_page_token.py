"""Page tokens: opaque, and of one list only."""

import pytest

from ledger.views.errors import BadPageSize, BadPageToken
from projections.page_token import page_rows, read_token, write_token


def test_a_token_gives_its_key_back() -> None:
    """To the list that issued it."""
    assert read_token("list", write_token("list", "bed", 7), ("", 0)) == ("bed", 7)
    assert read_token("list", "", ("", 0)) == ("", 0)


@pytest.mark.parametrize("token", ["x", "%%%", write_token("other", "bed", 7), write_token("list", 7, "bed"), "W10="])
def test_any_other_token_is_refused(token: str) -> None:
    """One error, whatever is wrong."""
    with pytest.raises(BadPageToken):
        read_token("list", token, ("", 0))


def test_pages_have_a_limit() -> None:
    """0 is the default; nobody gets more than 1,000 rows."""
    assert (page_rows(0), page_rows(1), page_rows(1_000)) == (100, 1, 1_000)
    for size in (-1, 1_001):
        with pytest.raises(BadPageSize):
            page_rows(size)
