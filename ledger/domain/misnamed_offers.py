"""Offers under the name of another patient than the record's now, or of a record that was entered in error.

They are taken back, as many as one command can say.

Those that are left are handed over to nobody and accepted by nobody. They end by their time, by the recipient that
finds nothing to fetch, or, where the record is still somebody's, with the next identification or offer.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.domain.decide_holder import TOLD_MAX
from ledger.domain.decision import Facts
from ledger.domain.events import Event
from ledger.domain.state import RecordState
from ledger.domain.transfer_events import TransferWithdrawn
from ledger.domain.transfer_state import OPEN, UNANSWERED, Transfer

WRONG_NAME = "offered under the name of another patient"
IN_ERROR = "the record was entered in error"


def offers_out(record: RecordState) -> list[Transfer]:
    """Offers that their recipients may still fetch or answer."""
    return [each for each in record.transfers.values() if each.state in OPEN]


def taken_back(
    offers: Iterable[Transfer], facts: Facts, beside: int = 0, reason: str = WRONG_NAME
) -> tuple[Event, ...]:
    """That these are withdrawn, as far as one command tells; `beside` are hospitals that it tells something else."""
    meta = facts.meta()
    # What was fetched never runs out: it goes first.
    first = sorted(offers, key=lambda each: each.state in UNANSWERED)[: max(TOLD_MAX - beside, 0)]
    # The recipient reads the reason: it tells nothing of anybody.
    return tuple(TransferWithdrawn(meta, each.transfer_id, each.counterpart, reason) for each in first)
