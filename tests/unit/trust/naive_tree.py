"""The Merkle tree as RFC 6962 writes it down, recursive and slow: what the real one is compared with."""

from collections.abc import Sequence
from hashlib import sha256

Leaves = Sequence[bytes]


def naive_root(leaves: Leaves) -> bytes:
    """MTH(D[n]) of 2.1, from leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Leaves) -> list[bytes]:
    """PATH(m, D[n]) of 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(m: int, leaves: Leaves) -> list[bytes]:
    """PROOF(m, D[n]) of 2.1.2, for 0 < m < n."""
    return _subproof(m, leaves, whole=True)


def _subproof(m: int, leaves: Leaves, *, whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def split(count: int) -> int:
    """The largest power of two below `count`."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def numbered_leaves(count: int) -> list[bytes]:
    """Leaf hashes of "leaf 0", "leaf 1" and so on."""
    return [sha256(b"\x00leaf %d" % number).digest() for number in range(count)]
