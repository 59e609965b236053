"""Keeps a lease while work goes on."""

import time
from dataclasses import dataclass, field

from projections.checkpoint import Fenced
from projections.feed import HeldLease


@dataclass(slots=True)
class Renewal:
    """Renews a lease when its turn has come; `every_s` is well below the lease's term."""

    lease: HeldLease
    every_s: float
    _renewed: float = field(default_factory=time.monotonic)

    async def keep(self) -> None:
        """Renews if it is time. Fenced where somebody else holds the lease now."""
        if time.monotonic() - self._renewed < self.every_s:
            return
        if not await self.lease.renew():
            raise Fenced
        self._renewed = time.monotonic()
