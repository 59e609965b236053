"""Refuses a ledger from before bodies were sealed."""

from __future__ import annotations

from ledger.application.errors import ClearLedger
from ledger.store.reading import EventReader


async def refuse_if_clear(reader: EventReader, hospital: str) -> None:
    """Raises ClearLedger where any body lies in the clear, whichever position it has. StoreUnavailable."""
    position = await reader.first_in_the_clear(hospital)
    if position is not None:
        raise ClearLedger(hospital, position)
