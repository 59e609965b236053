"""Ids of streams that are about to begin, whose keys are durable already: no command waits for a key's own flush.

Ids are made here, so a key can be bound to its stream before there is one. An id that no stream takes leaves a key
without a record, as a refused command does: it opens nothing. So that these stay few, ids are made ahead only where
streams begin often, and never more than begin within a few seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from ledger.application.fresh_ids import fresh_id

AHEAD_MAX = 128
LOOK_BACK_SECONDS = 4.0
OFTEN = 16
"""So many within that time: as an import does, and no registration desk."""
FRESH_SECONDS = 20.0
"""How old an id may be when it is taken: below the 30 s for which the sealer remembers its key, so that it is not asked
for again, and far below the hour from which on a key without a record may be destroyed as a lost one."""
_log = logging.getLogger(__name__)


class IdsAhead:
    """Those of one ledger in this process. While nothing begins there is no task and no timer."""

    def __init__(
        self, prepare: Callable[[Sequence[UUID]], Awaitable[None]], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`prepare` makes durable what the first events of these streams will need."""
        self._prepare = prepare
        self._monotonic = monotonic
        self._ready: deque[tuple[UUID, float]] = deque()
        self._begun: deque[float] = deque(maxlen=2 * AHEAD_MAX)
        self._making: asyncio.Task[None] | None = None

    def first(self) -> UUID | None:
        """The id that the next stream should take, if one is at hand; it stays until `begins` is told."""
        oldest = self._monotonic() - FRESH_SECONDS
        while self._ready and self._ready[0][1] <= oldest:
            self._ready.popleft()
        return self._ready[0][0] if self._ready else None

    def begins(self, stream_id: UUID) -> None:
        """A stream is about to begin under an id, from here or not: nobody gets that one again."""
        if self._ready and self._ready[0][0] == stream_id:
            self._ready.popleft()
        self._begun.append(self._monotonic())
        wanted = self._wanted()
        if self._making is None and len(self._ready) <= wanted // 2 < wanted:
            self._making = asyncio.create_task(self._make(wanted - len(self._ready)), name="ids ahead")

    async def close(self) -> None:
        """Waits for what is being made."""
        if self._making is not None:
            await asyncio.wait([self._making])

    def _wanted(self) -> int:
        """Half as many as have begun lately; none where these are few."""
        earliest = self._monotonic() - LOOK_BACK_SECONDS
        while self._begun[0] < earliest:
            self._begun.popleft()
        return len(self._begun) // 2 if len(self._begun) >= OFTEN else 0

    async def _make(self, count: int) -> None:
        made_at = self._monotonic()
        ids = [fresh_id() for _ in range(count)]
        try:
            await self._prepare(ids)
        except Exception as error:  # noqa: BLE001 - nobody waits: who begins a stream makes its key, and is told why not
            _log.warning("no ids could be made ahead", extra={"error": type(error).__name__})
        else:
            self._ready.extend([(each, made_at) for each in ids])
        finally:
            self._making = None
