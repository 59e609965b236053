"""Where a topic stands, compared with the ledger: what is published, and which partitions have lost their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.publisher.ledger_log import LedgerLog
from ledger.stream.partition import partition_of

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """What the topic holds. `resume` is the position after which publishing goes on."""

    last: tuple[int, ...]
    """Last position in every partition; 0 = none."""
    damaged: tuple[int, ...]
    """Partitions that end before others do: a broker that lost its newest writes, or records that were deleted."""

    @property
    def highest(self) -> int:
        """The last position on the topic."""
        return max(self.last, default=0)

    @property
    def resume(self) -> int:
        """Below it nothing is missing."""
        return min((self.last[number] for number in self.damaged), default=self.highest)


async def compare(log: LedgerLog, hospital: str, last: Sequence[int]) -> Standing:
    """The standing of a topic whose partitions end at these positions.

    Transactions are contiguous and atomic, so a whole topic holds every position up to its highest; each partition's
    last one then is the ledger's last below the highest that belongs there.
    """
    undecided = set(range(len(last)))
    damaged: list[int] = []
    above = max(last, default=0)
    # Below the last event of a partition there is nothing to decide about it.
    while undecided and above > min(last[number] for number in undecided):
        rows = await log.streams_below(hospital, above, _PAGE)
        if not rows:
            break
        for position, stream_id in rows:
            above = position - 1
            partition = _decide(stream_id, len(last), undecided)
            if partition is not None and last[partition] < position:
                damaged.append(partition)
    return Standing(tuple(last), tuple(sorted(damaged)))


def _decide(stream_id: UUID, partitions: int, undecided: set[int]) -> int | None:
    """The partition of an event, where it is the first of that partition to be looked at."""
    partition = partition_of(stream_id.bytes, partitions)
    if partition not in undecided:
        return None
    undecided.discard(partition)
    return partition
