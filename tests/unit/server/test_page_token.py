"""Opaque page tokens."""

import pytest

from ledger.api.v1.records_pb2 import ListRecordsRequest
from ledger.api.v1.stream_pb2 import ListHospitalsRequest
from ledger.server import page_token
from ledger.server.errors import ForeignPageToken


def test_a_token_gives_its_cursor_back_whatever_the_page_size() -> None:
    """The size of a page may change from one page to the next."""
    token = page_token.encode(ListRecordsRequest(hospital="north", page_size=5), b"42")
    assert page_token.decode(ListRecordsRequest(hospital="north", page_size=9, page_token=token), token) == b"42"


def test_no_token_begins_at_the_start() -> None:
    """An empty token is the first page."""
    assert page_token.decode(ListRecordsRequest(hospital="north"), "") == b""


@pytest.mark.parametrize(
    "token",
    ["x", "AAAA", "not base64!", "A" * 2000, "Ünicode", page_token.encode(ListRecordsRequest(hospital="north"), b"")],
)
def test_what_was_never_a_token_is_refused(token: str) -> None:
    """A guessed, cut or empty token is not read as a cursor."""
    with pytest.raises(ForeignPageToken):
        page_token.decode(ListRecordsRequest(hospital="north"), token)


def test_a_token_is_bound_to_method_and_filter() -> None:
    """A token of another hospital's list, or of another list, would skip rows in silence."""
    token = page_token.encode(ListRecordsRequest(hospital="north"), b"42")
    with pytest.raises(ForeignPageToken):
        page_token.decode(ListRecordsRequest(hospital="south"), token)
    with pytest.raises(ForeignPageToken):
        page_token.decode(ListHospitalsRequest(), token)
