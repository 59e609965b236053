"""How much one command may append."""

# pyright: reportPrivateUsage=false
# No command decides more than a handful of events today: the limit is for the first one that would.

import pytest

from ledger.application.hospital_ledger import EVENTS_PER_COMMAND_MAX, _check_limits
from ledger.domain.refusal import Refused


def test_a_hundred_events_are_taken_and_one_more_is_not() -> None:
    """The contract's limit, refused before anything is sealed or written."""
    _check_limits([b"body"] * EVENTS_PER_COMMAND_MAX)
    with pytest.raises(Refused) as refused:
        _check_limits([b"body"] * (EVENTS_PER_COMMAND_MAX + 1))
    assert [each.rule for each in refused.value.violations] == ["TOO_MANY_EVENTS"]
    assert EVENTS_PER_COMMAND_MAX == 100
