"""Making proofs of RFC 6962: first which nodes a proof needs, then the proof from their hashes.

Planning is apart from reading, so that a caller fetches all tiles at once, waits as it likes, and only then computes:

    plan = plan_inclusion(index, size)
    tiles = {tile: await fetch(tile) for tile in tiles_of(plan.nodes, size)}
    hashes = plan.proof(TileHashes(size, tiles).node)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.trust.merkle import TREE_SIZE_MAX, Node, folded, peaks_of

HashReader = Callable[[Node], bytes]
"""From a node to its 32-byte hash."""


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """The nodes behind each hash of a proof, in the proof's order; several nodes are folded into one hash."""

    parts: tuple[tuple[Node, ...], ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node that must be read."""
        return tuple(node for part in self.parts for node in part)

    def proof(self, read: HashReader) -> tuple[bytes, ...]:
        """The proof's hashes, 32 bytes each."""
        return tuple(folded([read(node) for node in part]) for part in self.parts)


def plan_inclusion(index: int, size: int) -> ProofPlan:
    """The audit path of the leaf at `index` (from 0) in the tree of `size` leaves, the leaf's sibling first.

    ValueError where the tree has no such leaf.
    """
    if not 0 <= index < size <= TREE_SIZE_MAX:
        raise ValueError("the tree has no leaf of this index")
    parts: list[tuple[Node, ...]] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            parts.append(tuple(peaks_of(middle, end)))
            end = middle
        else:
            parts.append(tuple(peaks_of(begin, middle)))
            begin = middle
    return ProofPlan(tuple(reversed(parts)))


def plan_consistency(old_size: int, size: int) -> ProofPlan:
    """What shows that the tree of `old_size` leaves is the beginning of the tree of `size` leaves.

    Empty for an old size of 0 and for equal sizes. ValueError where the old size is above the size.
    """
    if not 0 <= old_size <= size <= TREE_SIZE_MAX:
        raise ValueError("the old size is negative or above the size")
    if old_size in (0, size):
        return ProofPlan(())
    parts: list[tuple[Node, ...]] = []
    begin, end, whole = 0, size, True  # whole: the old tree's root itself is a node, which the verifier has
    while end != old_size:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            parts.append(tuple(peaks_of(middle, end)))
            end = middle
        else:
            parts.append(tuple(peaks_of(begin, middle)))
            begin, whole = middle, False
    if not whole:
        parts.append(tuple(peaks_of(begin, end)))
    return ProofPlan(tuple(reversed(parts)))


def _split(count: int) -> int:
    """The largest power of two below `count`, where RFC 6962 splits `count` leaves."""
    return 1 << ((count - 1).bit_length() - 1)
