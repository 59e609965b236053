"""A changed state is what `dataclasses.replace` would make of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.domain.changed import changed
from ledger.domain.state import nothing_left
from ledger.domain.values import Phase


def test_it_is_what_replace_makes_and_leaves_the_first_as_it_was() -> None:
    """Every field not named is the same; equality and hash of the class hold."""
    before = nothing_left(7)
    after = changed(before, version=8, phase=Phase.ACTIVE, started_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert after == replace(before, version=8, phase=Phase.ACTIVE, started_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert before == nothing_left(7)
    assert changed(after, version=7, phase=before.phase, started_at=None) == before


def test_a_field_that_there_is_not_is_a_defect_by_name() -> None:
    """A slip of the pen in a step must not vanish."""
    with pytest.raises(TypeError, match="phases"):
        changed(nothing_left(1), phases=Phase.ACTIVE)
