"""What is kept with a command, and the receipt that a retry gets from it."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.application.outcome import Result, decode_result, encode_result

_KEYS = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=8)
_IDS = st.dictionaries(_KEYS.map(lambda key: f"{key}_id"), st.uuids(), max_size=3)
_DIGESTS = st.dictionaries(_KEYS.map(lambda key: f"{key}_sha256"), st.binary(max_size=32), max_size=3)


@given(_IDS, _DIGESTS)
def test_a_result_comes_back(ids: dict[str, UUID], digests: dict[str, bytes]) -> None:
    """Ids as UUIDs, digests as bytes."""
    result: Result = {**ids, **digests}
    assert decode_result(encode_result(result)) == result


def test_no_result_takes_no_bytes() -> None:
    """Most commands make no id of their own."""
    assert encode_result({}) == b""
    assert decode_result(b"") == {}


def test_the_same_result_is_the_same_bytes() -> None:
    """Whatever the order in which it was made."""
    one, other = UUID(int=1), UUID(int=2)
    assert encode_result({"a_id": one, "b_id": other}) == encode_result({"b_id": other, "a_id": one})
