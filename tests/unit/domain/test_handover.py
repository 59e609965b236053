"""Until when a sender hands a package over."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.handover import handed_over
from ledger.domain.transfer_state import Transfer
from ledger.domain.values import TransferKind, TransferState
from tests.unit.domain.given import NOW, PATIENT

RECEIVED = (TransferState.DELIVERED, TransferState.VERIFIED, TransferState.ACCEPTED, TransferState.COMPLETED)
ENDED = (TransferState.WITHDRAWN, TransferState.EXPIRED, TransferState.REJECTED)
OPEN = (TransferState.OFFERED, TransferState.SUPERSEDED)
BEFORE, AFTER = NOW - timedelta(microseconds=1), NOW + timedelta(days=1)


def transfer(state: TransferState) -> Transfer:
    """A transfer whose offer ends NOW."""
    return Transfer(UUID(int=1), "south", TransferKind.REFERRAL, state, expires_at=NOW, patient_id=PATIENT)


@pytest.mark.parametrize("state", OPEN)
def test_an_offer_that_nobody_took_up_ends_at_its_time(state: TransferState) -> None:
    """Given an offer not taken up, when its end comes, the package is no longer handed over."""
    assert handed_over(transfer(state), PATIENT, BEFORE)
    assert not handed_over(transfer(state), PATIENT, NOW)


@pytest.mark.parametrize("state", RECEIVED)
def test_what_was_received_may_be_fetched_again(state: TransferState) -> None:
    """Given a package that the recipient has, when it asks again after the end, it gets the same."""
    assert handed_over(transfer(state), PATIENT, AFTER)


@pytest.mark.parametrize("state", ENDED)
def test_what_was_ended_is_kept_back(state: TransferState) -> None:
    """Given a transfer withdrawn, expired or rejected, the package is kept back at any time."""
    assert not handed_over(transfer(state), PATIENT, BEFORE)


@pytest.mark.parametrize("state", [TransferState.PROPOSED, TransferState.PACKAGED])
def test_nothing_is_handed_over_before_it_is_offered(state: TransferState) -> None:
    """Given a transfer without an offer, there is nothing to fetch."""
    assert not handed_over(replace(transfer(state), expires_at=None), PATIENT, BEFORE)


@pytest.mark.parametrize("state", [*OPEN, *RECEIVED])
def test_nothing_is_handed_over_under_another_name(state: TransferState) -> None:
    """Given a record that is another patient's by now, what was offered before is kept back, received or not."""
    assert not handed_over(transfer(state), UUID(int=2), BEFORE)


def test_every_state_is_thought_of() -> None:
    """A state that is added later is decided here first."""
    assert {*OPEN, *RECEIVED, *ENDED, TransferState.PROPOSED, TransferState.PACKAGED} == set(TransferState)
