"""The baseline: bodies left in the clear, in the form of sealed ones and under an envelope that says so too, since no
store takes them else.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.trust.envelope import framed
from ledger.trust.sealed_body import SEALED_BYTES_MIN
from ledger.trust.sealing import Draft, Opened, Opening, Sealed, seal_in_order

_KEY_ID, _COMMITMENT = bytes(16), bytes(32)
_FORMAT, _LENGTH_BYTES = b"\x01", 4


class ClearBodies:
    """Sealer and opener that do nothing."""

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """Every body as it came, with its length before it."""
        return seal_in_order(drafts, lambda envelope, body: (framed(envelope, _KEY_ID, _COMMITMENT), _formed(body)))

    async def prepare(self, origin: str, stream_ids: Sequence[bytes]) -> None:
        """Nothing is needed."""

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """Every body as stored."""
        return [Opened(_taken(body)) for _, body in events]


def _formed(body: bytes) -> bytes:
    return (_FORMAT + len(body).to_bytes(_LENGTH_BYTES, "big") + body).ljust(SEALED_BYTES_MIN, b"\0")


def _taken(stored: bytes) -> bytes:
    begin = len(_FORMAT) + _LENGTH_BYTES
    return stored[begin : begin + int.from_bytes(stored[len(_FORMAT) : begin], "big")]
