"""Packages on their way here. A sender that stalls holds up its own offers alone: the topic goes on beside it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from consumers.patience import Patience
from consumers.receiving_hospital.fetching import OpenChannel, fetch_package
from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.rejection import Rejection
from consumers.waiting_room import NotNow

HELD_SECONDS_MAX = 5.0
"""So long the topic waits for a package; one that takes longer comes beside it, and its offer is looked at again."""
UNDER_WAY_MAX = 8
"""Packages that come, or have come and are not yet taken, beside the topic: each may be held whole."""
_ATTEMPTS_MAX = 3


class HandOvers:
    """At most one package of a sender, and so many of all, beside the topic."""

    def __init__(
        self, open_channel: OpenChannel, patience: Patience, held_seconds_max: float = HELD_SECONDS_MAX
    ) -> None:
        self._open_channel = open_channel
        # A sender that is away is waited for elsewhere, not here.
        self._patience = replace(patience, attempts_max=_ATTEMPTS_MAX)
        self._held_seconds_max = held_seconds_max
        self._under_way: dict[UUID, _UnderWay] = {}

    async def fetch(self, offer: Offer, address: str) -> bytes | Rejection:
        """As `fetch_package`; NotNow also while the package still comes, to be asked again later."""
        who = f"hospital {offer.sender} at {address}"
        coming, held = self._under_way.get(offer.transfer_id), 0.0
        if coming is None:
            self._require_place(offer.sender, who)
            coming, held = _UnderWay(offer.sender, self._begun(offer, address)), self._held_seconds_max
            self._under_way[offer.transfer_id] = coming
        await asyncio.wait({coming.task}, timeout=held)
        if not coming.task.done():
            raise NotNow(who, "STILL_SENDING")
        del self._under_way[offer.transfer_id]
        return coming.task.result()

    def drop(self, transfer_id: UUID) -> None:
        """The offer has its answer without the package."""
        if (coming := self._under_way.pop(transfer_id, None)) is not None:
            coming.task.cancel()

    def _require_place(self, sender: str, who: str) -> None:
        if any(each.sender == sender for each in self._under_way.values()):
            raise NotNow(who, "SENDS_ANOTHER")
        if len(self._under_way) >= UNDER_WAY_MAX:
            raise NotNow(who, "OTHERS_SEND")

    def _begun(self, offer: Offer, address: str) -> asyncio.Task[bytes | Rejection]:
        fetching = fetch_package(offer, address, self._open_channel, self._patience)
        task = asyncio.create_task(fetching, name=f"package {offer.transfer_id}")
        # Whoever drops it asks no more; without this its end would be reported as one that nobody saw.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task


class _UnderWay:
    """A package that comes."""

    def __init__(self, sender: str, task: asyncio.Task[bytes | Rejection]) -> None:
        self.sender = sender
        self.task = task
