"""The names under which rules across records are kept: HMACs, so that the table tells no case number by itself."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ledger.domain import decision
from ledger.store import append
from ledger.store.reservation_keys import reservation_hmac


class ReservationKeys:
    """Turns the domain's reservations into the store's, under one hospital's key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def key(self, kind: str, parts: Sequence[str]) -> bytes:
        """HMAC-SHA-256 over the kind and the parts, 32 bytes."""
        return reservation_hmac(self._secret, kind, *parts)

    def of_command(self, digest: bytes) -> bytes:
        """What is kept of a command's content, which short texts would be guessed from otherwise; 32 bytes."""
        return reservation_hmac(self._secret, "command", digest)

    def stored(self, wanted: decision.Reservation, stream_id: UUID) -> append.Reservation:
        """The store's form of a reservation of the domain."""
        key = self.key(wanted.kind, wanted.parts)
        match wanted:
            case decision.Claim(kind=kind, value=value, group=group):
                grouped = None if group is None else self.key(kind, group)
                return append.Claim(kind, key, value, stream_id, grouped)
            case decision.Swap(kind=kind, expected=expected, value=value):
                return append.Swap(kind, key, expected, value)
            case decision.FactClaim(kind=kind, item=item, expected=before):
                # The key of the item's own claim, its digest, its system: `stated_facts` reads it.
                source = self.key("source", (item.system, item.type, item.id))
                stated = source + item.content_sha256 + item.system.encode()
                if before is None:
                    return append.Claim(kind, key, stated, stream_id)
                return append.Swap(kind, key, before, stated)
            case decision.Bump(kind=kind, expected=count):
                return append.Bump(kind, key, count)
