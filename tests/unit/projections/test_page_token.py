"""Page tokens: opaque, and of one list only."""

from base64 import urlsafe_b64encode
from uuid import UUID

import pytest

from ledger.views.errors import BadPageSize, BadPageToken
from ledger.views.page_size import page_rows
from projections.page_token import read_token, write_token


def test_a_token_gives_its_key_back() -> None:
    """To the list that issued it."""
    assert read_token("list", write_token("list", "bed", 7), ("", 0)) == ("bed", 7)
    assert read_token("list", "", ("", 0)) == ("", 0)


def test_a_key_that_starts_below_zero_may_lie_there() -> None:
    """A time before 1970 is one; what PostgreSQL cannot hold is none."""
    assert read_token("list", write_token("list", -1), (-(2**63),)) == (-1,)
    with pytest.raises(BadPageToken):
        read_token("list", write_token("list", -(2**63) - 1), (-(2**63),))


@pytest.mark.parametrize("token", ["x", "%%%", write_token("other", "bed", 7), write_token("list", 7, "bed"), "W10="])
def test_any_other_token_is_refused(token: str) -> None:
    """One error, whatever is wrong."""
    with pytest.raises(BadPageToken):
        read_token("list", token, ("", 0))


@pytest.mark.parametrize(
    "key",
    [["not a UUID", 1, "x"], [str(UUID(int=1)), -1, "x"], [str(UUID(int=1)), 2**63, "x"], [str(UUID(int=1)), 1, "\0"]],
)
def test_a_token_holds_nothing_that_postgresql_cannot_compare(key: list[str | int]) -> None:
    """A token is not signed; what somebody wrote into one is refused here, not by the database."""
    with pytest.raises(BadPageToken):
        read_token("list", write_token("list", *key), (UUID(int=0), 0, ""))


def test_half_a_character_is_no_key() -> None:
    """JSON can spell what UTF-8 cannot; neither that nor endless nesting gets further."""
    for text in ('["list", "\\ud800"]', "[" * 100_000):
        with pytest.raises(BadPageToken):
            read_token("list", urlsafe_b64encode(text.encode()).decode(), ("",))


def test_pages_have_a_limit() -> None:
    """0 is the default; who asks for more than 1,000 rows gets 1,000."""
    assert [page_rows(size) for size in (0, 1, 1_000, 1_001, 5_000)] == [100, 1, 1_000, 1_000, 1_000]
    assert [page_rows(size, 1_000) for size in (0, 7)] == [1_000, 7]
    with pytest.raises(BadPageSize):
        page_rows(-1)
