"""Compares a ledger that is being walked with signed tree heads: nothing else shows that the end is the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.trust.log_ended import LogEnded
from ledger.trust.policy import Witnessed
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.verify import Fault, RowFault


class _Awaited(NamedTuple):
    """A root that somebody has signed."""

    size: int
    root: bytes
    head: Witnessed | None
    """None for what survives of a log that ended."""


class RootWatch:
    """Takes every leaf from the first on, and looks at the root wherever a signed head says what it must be."""

    def __init__(self, heads: Iterable[Witnessed] = (), ends: Iterable[LogEnded] = ()) -> None:
        """The heads in any order; each was accepted under a policy before. `ends`: of logs of this ledger that ended,
        checked too; each says under two keys which root survives.
        """
        heads = sorted(heads, key=lambda head: head.checkpoint.size, reverse=True)
        by_origin = {end.last.origin: end for end in ends}
        self.lost: list[Witnessed] = []
        """Heads of a log that ended above what survives of it: there is nothing to compare them with any more."""
        self._after_end: list[Witnessed] = []
        compared = [head for head in heads if self._is_comparable(head, by_origin.get(head.checkpoint.origin))]
        awaited = [_Awaited(head.checkpoint.size, head.checkpoint.root, head) for head in compared]
        awaited += [_Awaited(end.surviving, end.surviving_root, None) for end in by_origin.values()]
        self._open = sorted(awaited, key=lambda each: each.size, reverse=True)
        self._growth = TileGrowth()
        self.compared: list[Witnessed] = []
        """The heads whose root was found, in order of size."""

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._growth.size

    def root(self) -> bytes:
        """The root at this size."""
        return self._growth.root()

    def take(self, leaves: Sequence[bytes]) -> Fault | None:
        """The next leaf hashes; SIGNED_ROOT at the first size whose root is not the signed one."""
        begin = 0
        while self._open and self._open[-1].size <= self.size + len(leaves) - begin:
            end = begin + self._open[-1].size - self.size
            self._grow(leaves[begin:end])
            begin = end
            awaited = self._open.pop()
            if awaited.root != self.root():
                return Fault(RowFault.SIGNED_ROOT, awaited.size, b"", 0)
            if awaited.head is not None:
                self.compared.append(awaited.head)
        self._grow(leaves[begin:])
        return None

    def end(self) -> Fault | None:
        """After the last leaf: BEHIND where a signed head has more."""
        if self._after_end:
            return Fault(RowFault.AFTER_END, self._after_end[0].checkpoint.size, b"", 0)
        fault = self.take(())
        return fault or (Fault(RowFault.BEHIND, self.size + 1, b"", 0) if self._open else None)

    def _grow(self, leaves: Sequence[bytes]) -> None:
        self._growth.extend(leaves)

    def _is_comparable(self, head: Witnessed, end: LogEnded | None) -> bool:
        checkpoint = head.checkpoint
        if end is None or checkpoint.size <= end.surviving:
            return True
        (self.lost if end.gives_up(checkpoint) else self._after_end).append(head)
        return False
