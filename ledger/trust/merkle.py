"""The Merkle tree of RFC 6962: its hashes, its perfect subtrees, and a frontier that grows leaf by leaf.

A node of height h and index i is the root of the perfect subtree over the leaves i * 2^h to (i + 1) * 2^h - 1. A tree
of any size is a row of perfect subtrees, one per bit of its size, largest first: its peaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import iter_unpack

HASH_BYTES = 32
TREE_SIZE_MAX = (1 << 63) - 1
"""Other implementations keep sizes in signed 64-bit integers."""

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""

_NODE_BEGUN = sha256(b"\x01")


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A perfect subtree by its height (0 = a leaf) and its index among those of its height."""

    height: int
    index: int


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def peaks_of(begin: int, end: int) -> list[Node]:
    """The perfect subtrees that make up the leaves from `begin` to before `end`, left to right.

    `begin` must be a multiple of the largest power of two below `end - begin`, as it is wherever RFC 6962 splits.
    """
    nodes: list[Node] = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        nodes.append(Node(height, begin >> height))
        begin += 1 << height
    return nodes


def folded(peaks: Sequence[bytes]) -> bytes:
    """The root over peaks given left to right; the empty tree's for none."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2^n hashes of equal height."""
    row: Sequence[bytes] = hashes
    while len(row) > 1:
        row = _row_above(row)
    return row[0]


def _row_above(row: Sequence[bytes]) -> list[bytes]:
    """`node_hash` of each pair, unrolled: this loop bounds the integrate rate. A hash that has taken the first byte is
    copied, which costs less than a new one and joining that byte to the pair.
    """
    above: list[bytes] = []
    begun, keep = _NODE_BEGUN.copy, above.append
    for (pair,) in iter_unpack(f"{2 * HASH_BYTES}s", b"".join(row)):
        node = begun()
        node.update(pair)
        keep(node.digest())
    return above


class Frontier:
    """The peaks of a growing tree: enough to go on and to say the root, in memory of one hash per bit of the size.

    Keep `size` and `peaks` to go on later: `Frontier(size, peaks)`.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """ValueError where the peaks are not one 32-byte hash per bit of a size of 0 to 2^63 - 1."""
        if not 0 <= size <= TREE_SIZE_MAX or len(peaks) != size.bit_count():
            raise ValueError("peaks do not belong to this size")
        if any(len(peak) != HASH_BYTES for peak in peaks):
            raise ValueError("a peak is not 32 bytes")
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, largest first."""
        return tuple(self._peaks)

    def append(self, leaf_hash: bytes) -> None:
        """Adds one leaf by its hash (`ledger.trust.leaf.leaf_hash`)."""
        peaks, carry = self._peaks, self._size
        merged = leaf_hash
        while carry & 1:
            merged = node_hash(peaks.pop(), merged)
            carry >>= 1
        peaks.append(merged)
        self._size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Adds leaves in order."""
        for leaf_hash in leaf_hashes:
            self.append(leaf_hash)

    def root(self) -> bytes:
        """The tree's root at this size."""
        return folded(self._peaks)
