"""The baseline: bodies left in the clear under an envelope that says otherwise, since no store takes it else."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.trust.envelope import framed
from ledger.trust.sealing import Draft, Opened, Opening, Sealed, seal_in_order

_KEY_ID, _COMMITMENT = bytes(16), bytes(32)


class ClearBodies:
    """Sealer and opener that do nothing."""

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """Every body as it came."""
        return seal_in_order(drafts, lambda envelope, plaintext: (framed(envelope, _KEY_ID, _COMMITMENT), plaintext))

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """Every body as stored."""
        return [Opened(body) for _, body in events]
