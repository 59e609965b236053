"""Refuses a ledger from before bodies were sealed."""

from __future__ import annotations

from ledger.application.errors import ClearLedger
from ledger.store.reading import EventReader
from ledger.trust.sealed_body import lies_in_the_clear


async def refuse_if_clear(reader: EventReader, hospital: str) -> None:
    """Raises ClearLedger. A ledger that is sealed was sealed from its first event on."""
    first = await reader.read_positions(hospital, 0, 1)
    if any(lies_in_the_clear(row.envelope) for row in first):
        raise ClearLedger(hospital)
