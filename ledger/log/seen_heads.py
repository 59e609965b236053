"""Heads that somebody was shown of a log beyond what is left of it: what it grows to must come by each of them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence

from ledger.log.signed_history import AnotherHistory
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier


class SeenHeads:
    """By their sizes."""

    def __init__(self, heads: Iterable[Checkpoint]) -> None:
        self._roots = {head.size: head.root for head in heads}

    def within(self, after: int, upto: int) -> list[int]:
        """The sizes above one and up to another, in order."""
        return sorted(size for size in self._roots if after < size <= upto)

    def differs(self, tree: Frontier) -> bool:
        """Whether a head of this very size has another root."""
        root = self._roots.get(tree.size)
        return root is not None and root != tree.root()

    def first_differing(self, tree: Frontier, leaves: Sequence[bytes]) -> int:
        """The first size at which the tree, grown by these leaf hashes, is another than was seen; 0 for none."""
        grown = Frontier(tree.size, tree.peaks)
        for size in self.within(tree.size, tree.size + len(leaves)):
            grown.extend(leaves[grown.size - tree.size : size - tree.size])
            if self.differs(grown):
                return size
        return 0

    async def require_all(self, envelopes: AsyncIterable[bytes]) -> None:
        """Raises AnotherHistory where a ledger, from its first envelope on, is another than was seen."""
        if not self._roots:
            return
        tree, last = Frontier(), max(self._roots)
        async for envelope in envelopes:
            tree.append(leaf_hash(envelope))
            if self.differs(tree):
                raise AnotherHistory(tree.size)
            if tree.size == last:
                return
