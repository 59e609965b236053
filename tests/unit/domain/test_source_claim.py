"""What is stored of a source item says what was made from it."""

from uuid import UUID

import pytest

from ledger.domain.source_claim import Taken, UnknownClaim, decode_claim, encode_claim
from tests.unit.domain.given import DIGEST

ENTRY = UUID(int=7)


@pytest.mark.parametrize("taken", list(Taken))
@pytest.mark.parametrize("entry_id", [None, ENTRY])
def test_a_claim_is_read_as_it_was_written(taken: Taken, entry_id: UUID | None) -> None:
    """Kind, entry and digest come back, with an entry and without."""
    assert decode_claim(encode_claim(taken, entry_id, DIGEST)) == (taken, entry_id, DIGEST)


def test_the_claim_of_a_package_is_its_digest_alone() -> None:
    """A package's claim has no kind: its digest is the whole value."""
    assert encode_claim(None, None, DIGEST) == DIGEST
    assert decode_claim(DIGEST) == (None, None, DIGEST)


def test_a_value_of_another_form_is_not_guessed_at() -> None:
    """An unknown kind, or an entry id cut short, is an error and not somebody's entry."""
    for value in (b"?" + DIGEST, b"N" + b"x" * 15 + DIGEST):
        with pytest.raises(UnknownClaim):
            decode_claim(value)
