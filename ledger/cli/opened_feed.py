"""Opens every body between the published stream and the views, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.keys.errors import KeysUnavailable
from ledger.store.errors import StoreUnavailable
from ledger.stream.contract import StreamError, StreamUnavailable
from ledger.trust.sealing import Opener, Opening, SealFault, SealFaultKind
from projections.checkpoint import Delivered
from projections.feed import Feed


class ClearStream(StreamError):
    """The published stream holds a body in the clear, from before bodies were sealed; this release reads none of it."""

    def __init__(self, position: int) -> None:
        super().__init__(f"{ClearStream.__doc__} Position {position}.")
        self.position = position


class OpenedFeed:
    """A feed whose events know what is in their bodies; the bodies themselves stay as stored."""

    def __init__(self, feed: Feed, opener: Opener) -> None:
        self._feed = feed
        self._opener = opener

    async def poll(self, timeout_s: float, events_max: int) -> Sequence[Delivered]:
        """As Feed says. StreamUnavailable where keys cannot be asked for: what was polled is read again later."""
        found = await self._feed.poll(timeout_s, events_max)
        if not found:
            return found
        try:
            openings = await self._opener.open([(each.event.envelope, each.event.body) for each in found])
        except (KeysUnavailable, StoreUnavailable) as error:
            raise StreamUnavailable(str(error)) from error
        return [_opened(each, opening) for each, opening in zip(found, openings, strict=True)]

    @property
    def at_rest(self) -> bool:
        """As Feed says."""
        return self._feed.at_rest

    async def close(self) -> None:
        """Gives up what the feed holds."""
        await self._feed.close()


def _opened(each: Delivered, opening: Opening) -> Delivered:
    if opening == SealFault(SealFaultKind.CLEAR):
        raise ClearStream(each.event.position)
    return replace(each, event=replace(each.event, opening=opening))
