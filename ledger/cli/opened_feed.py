"""Opens every body between the published stream and the views, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.trust.sealing import Opener
from projections.checkpoint import Delivered
from projections.feed import Feed


class OpenedFeed:
    """A feed whose events know what is in their bodies; the bodies themselves stay as stored."""

    def __init__(self, feed: Feed, opener: Opener) -> None:
        self._feed = feed
        self._opener = opener

    async def poll(self, timeout_s: float, events_max: int) -> Sequence[Delivered]:
        """As Feed says."""
        found = await self._feed.poll(timeout_s, events_max)
        if not found:
            return found
        openings = await self._opener.open([(each.event.envelope, each.event.body) for each in found])
        return [
            replace(each, event=replace(each.event, opening=opening))
            for each, opening in zip(found, openings, strict=True)
        ]

    @property
    def at_rest(self) -> bool:
        """As Feed says."""
        return self._feed.at_rest

    async def close(self) -> None:
        """Gives up what the feed holds."""
        await self._feed.close()
