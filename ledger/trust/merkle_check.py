"""Checking proofs of RFC 6962. Each function returns nothing where the proof holds and raises ProofFault where not.

Another leaf, index or root, a hash too many or too few do not pass. An inclusion proof does not vouch for the size (the
path of leaf 0 is the same in trees of 5 to 8 leaves): take size and root from one signed checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.trust.format_fault import ProofFault
from ledger.trust.merkle import EMPTY_ROOT, HASH_BYTES, TREE_SIZE_MAX, node_hash

PROOF_HASHES_MAX = 63
"""A tree of at most 2^63 - 1 leaves needs no more."""


def root_from_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that a tree of `size` leaves has where `leaf_hash` is its leaf at `index` (from 0)."""
    if not 0 <= index < size <= TREE_SIZE_MAX:
        raise ProofFault("the tree has no leaf of this index")
    _check_hashes(proof, leaf_hash)
    root, at, last = leaf_hash, index, size - 1
    for sibling in proof:
        if last == 0:
            raise ProofFault("a hash too many")
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while not at & 1 and at:  # the right edge: levels where this node had no sibling
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofFault("a hash too few")
    return root


def check_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """That `leaf_hash` is the leaf at `index` (from 0) of the tree of `size` leaves with this root."""
    if root_from_inclusion(leaf_hash, index, size, proof) != root:
        raise ProofFault("the root is another")


def check_consistency(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """That the tree of `old_size` leaves is the beginning of the tree of `size` leaves."""
    if not 0 <= old_size <= size <= TREE_SIZE_MAX:
        raise ProofFault("the old size is negative or above the size")
    _check_hashes(proof, old_root, root)
    if old_size in (0, size):
        _check_without_proof(old_size, size, proof, old_root, root)
        return
    if not proof:
        raise ProofFault("a hash too few")
    old, new = _both_roots(old_size, size, proof, old_root)
    if old != old_root or new != root:
        raise ProofFault("the old root is another" if old != old_root else "the root is another")


def telling_size(old_size: int) -> int:
    """The old size whose consistency proof has hashes of the first `old_size` leaves, for `begins_otherwise`.

    That of a perfect tree has none of it: it stands for itself. That of one leaf more has its root.
    """
    return old_size + 1 if old_size.bit_count() == 1 else old_size


def begins_otherwise(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Whether the proof, from `telling_size(old_size)` to `size`, shows that the tree with `root` begins with another
    root than `old_root`: it leads to `root` itself, so no proof can ever join the two.

    False says nothing: of a tree of one leaf, or of one leaf less than `size` where it is perfect, no proof tells.
    """
    asked = telling_size(old_size)
    if old_size < 2 or not asked < size <= TREE_SIZE_MAX or not proof:
        return False
    _check_hashes(proof, old_root, root)
    old, new = _both_roots(asked, size, proof, old_root)
    return new == root and old != (old_root if asked == old_size else node_hash(old_root, proof[0]))


def _check_without_proof(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    if proof:
        raise ProofFault("a hash too many")
    if (old_size == 0 and old_root != EMPTY_ROOT) or (size == 0 and root != EMPTY_ROOT):
        raise ProofFault("the root of an empty tree is another")
    if old_size == size and old_root != root:
        raise ProofFault("two roots of one size")


def _both_roots(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """The old and the new root that the proof leads to, both from the same hashes (RFC 9162, 2.1.4.2)."""
    hashes = list(proof)
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = hashes.pop(0) if at else old_root  # an old tree that is perfect stands for itself
    for sibling in hashes:
        if last == 0:
            raise ProofFault("a hash too many")
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofFault("a hash too few")
    return old, new


def _check_hashes(proof: Sequence[bytes], *others: bytes) -> None:
    if len(proof) > PROOF_HASHES_MAX:
        raise ProofFault("more than 63 hashes")
    if any(len(each) != HASH_BYTES for each in (*proof, *others)):
        raise ProofFault("a hash is not 32 bytes")
