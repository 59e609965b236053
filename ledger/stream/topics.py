"""Names of topics."""

from __future__ import annotations


def records_topic(hospital: str) -> str:
    """All events of a hospital's ledger."""
    return f"ledger.records.{hospital}"


def transfers_topic(recipient: str) -> str:
    """What concerns transfers and is meant for one hospital, from many senders."""
    return f"ledger.transfers.{recipient}"
