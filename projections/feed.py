"""What the runner needs from outside: the published stream, a lease, and the place of an event in the ledger."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from projections.checkpoint import Checkpoint, Delivered


class Feed(Protocol):
    """A hospital's published events from the checkpoints on, in order within each partition."""

    async def poll(self, timeout_s: float, events_max: int) -> Sequence[Delivered]:
        """The next events; empty when nothing came in time, or only what was handled before."""
        ...

    @property
    def at_rest(self) -> bool:
        """Whether the last poll found nothing at all: what is skipped takes time too."""
        ...

    async def close(self) -> None:
        """Gives up what the feed holds."""
        ...


OpenFeed = Callable[[str, int, Mapping[int, Checkpoint]], Awaitable[Feed]]
"""Opens a hospital's feed: (hospital, partition count, checkpoints by partition)."""


class HeldLease(Protocol):
    """A lease that this process holds."""

    @property
    def epoch(self) -> int:
        """Grows with every holder."""
        ...

    async def renew(self) -> bool:
        """Holds it for another term; False where somebody else holds it now."""
        ...

    async def release(self) -> None:
        """Lets the next holder take it at once."""
        ...


AcquireLease = Callable[[str, str], Awaitable[HeldLease | None]]
"""Takes the lease of (hospital, role) if it is free."""


class LedgerTail(Protocol):
    """Which streams the last events of the ledger belong to; reads the ledger, not a view."""

    async def streams_between(self, hospital: str, after: int, through: int) -> Sequence[UUID]:
        """Streams of the events above `after` up to `through`, in order of position; a page of them at most."""
        ...


class PositionLookup(Protocol):
    """Where an event of the ledger belongs; reads the ledger, not a view."""

    async def stream_at(self, hospital: str, position: int) -> tuple[UUID, int] | None:
        """Stream id and version of the event at a position; None above the head."""
        ...
