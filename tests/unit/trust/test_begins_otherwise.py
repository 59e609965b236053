"""What a consistency proof shows of a tree that is not the old one grown."""

from __future__ import annotations

import pytest

from ledger.trust.format_fault import ProofFault
from ledger.trust.merkle import Frontier, Node
from ledger.trust.merkle_check import begins_otherwise, check_consistency, telling_size
from ledger.trust.merkle_proof import plan_consistency
from tests.unit.trust.naive_tree import numbered_leaves

_LEAVES, _OTHERS = numbered_leaves(40), numbered_leaves(80)[40:]


def _root(leaves: list[bytes]) -> bytes:
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()


def _proof(leaves: list[bytes], old: int) -> tuple[bytes, ...]:
    def node(at: Node) -> bytes:
        return _root(leaves[at.index << at.height : (at.index + 1) << at.height])

    return plan_consistency(old, len(leaves)).proof(node)


@pytest.mark.parametrize("old", range(2, 34))
def test_a_tree_that_begins_otherwise_is_told_from_one_that_grew(old: int) -> None:
    """For every place where it may part: the proof tells it, of one that grew it never does, and of a perfect tree and
    one leaf more nothing is said."""
    seen = _root(_LEAVES[:old])
    for size in range(old + 1, 36):
        if telling_size(old) == size:
            assert not begins_otherwise(old, size, _proof(_LEAVES[:size], old), seen, _root(_LEAVES[:size]))
            continue
        for common in range(0, size, 3):
            shown = [*_LEAVES[:common], *_OTHERS[common:size]]
            proof = _proof(shown, telling_size(old))
            assert begins_otherwise(old, size, proof, seen, _root(shown)) == (common < old)
            assert not begins_otherwise(old, size, proof, seen, _root(_LEAVES[:size]))


def test_hashes_that_lead_to_no_signed_root_show_nothing() -> None:
    """No hash altered, too few or too many makes evidence; where the proof holds there is none to make."""
    shown = [*_LEAVES[:5], *_OTHERS[5:20]]
    proof, seen, root = _proof(shown, 10), _root(_LEAVES[:10]), _root(shown)
    assert begins_otherwise(10, 20, proof, seen, root)
    with pytest.raises(ProofFault):
        check_consistency(10, 20, proof, seen, root)
    for at, each in enumerate(proof):
        altered = bytes([each[0] ^ 1]) + each[1:]
        assert not begins_otherwise(10, 20, (*proof[:at], altered, *proof[at + 1 :]), seen, root)
    for wrong in (proof[:-1], (*proof, proof[0]), (*proof[:-1], b"short")):
        with pytest.raises(ProofFault):
            begins_otherwise(10, 20, wrong, seen, root)
    assert not begins_otherwise(10, 20, (), seen, root)
    assert not begins_otherwise(1, 20, proof, _root(_LEAVES[:1]), root)
