"""The baseline: bodies left in the clear, which no service does."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.trust.envelope import framed
from ledger.trust.sealing import Draft, Opened, Opening, Sealed, seal_in_order


class ClearBodies:
    """Sealer and opener that do nothing."""

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """Every body as it came."""
        return seal_in_order(drafts, lambda envelope, plaintext: (framed(envelope, b"", b""), plaintext))

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """Every body as stored."""
        return [Opened(body) for _, body in events]
