"""The tree of RFC 6962: hashes, frontier, proofs and their verification."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.format_fault import ProofFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import EMPTY_ROOT, TREE_SIZE_MAX, Frontier, Node, perfect_root
from ledger.trust.merkle_check import check_consistency, check_inclusion, root_from_inclusion
from ledger.trust.merkle_proof import HashReader, plan_consistency, plan_inclusion
from tests.unit.trust.naive_tree import naive_consistency, naive_path, naive_root, numbered_leaves

KNOWN_LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots of the well-known tree of Certificate Transparency's own tests, for 0 to 8 leaves."""

LEAVES = numbered_leaves(600)


def reader(leaves: Sequence[bytes]) -> HashReader:
    def read(node: Node) -> bytes:
        begin = node.index << node.height
        return perfect_root(leaves[begin : begin + (1 << node.height)])

    return read


def test_known_tree() -> None:
    """The frontier says the known root at every size of the known tree."""
    frontier = Frontier()
    roots = [frontier.root().hex()]
    for leaf in KNOWN_LEAVES:
        frontier.append(leaf_hash(leaf))
        roots.append(frontier.root().hex())
    assert roots == KNOWN_ROOTS
    assert bytes.fromhex(KNOWN_ROOTS[0]) == EMPTY_ROOT


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 8), (5, 8), (2, 3), (1, 5)])
def test_known_tree_inclusion(index: int, size: int) -> None:
    """Inclusion in the known tree is proven against its known roots."""
    leaves = [leaf_hash(each) for each in KNOWN_LEAVES]
    proof = plan_inclusion(index, size).proof(reader(leaves[:size]))
    check_inclusion(leaves[index], index, size, proof, bytes.fromhex(KNOWN_ROOTS[size]))


@settings(deadline=None)
@given(st.integers(1, 600))
def test_frontier_equals_the_definition(size: int) -> None:
    """Grown leaf by leaf, stopped anywhere and gone on, the root is that of RFC 6962's definition."""
    frontier = Frontier()
    frontier.extend(LEAVES[: size // 3])
    again = Frontier(frontier.size, frontier.peaks)
    again.extend(LEAVES[size // 3 : size])
    assert again.root() == naive_root(LEAVES[:size])


@settings(deadline=None)
@given(st.data())
def test_inclusion_equals_the_definition(data: st.DataObject) -> None:
    """Every audit path is PATH(m, D[n]), and verifies."""
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    proof = plan_inclusion(index, size).proof(reader(leaves))
    assert list(proof) == naive_path(index, leaves)
    check_inclusion(leaves[index], index, size, proof, naive_root(leaves))


@settings(deadline=None)
@given(st.data())
def test_consistency_equals_the_definition(data: st.DataObject) -> None:
    """Every consistency proof is PROOF(m, D[n]), and verifies."""
    size = data.draw(st.integers(2, 300))
    old_size = data.draw(st.integers(1, size - 1))
    leaves = LEAVES[:size]
    proof = plan_consistency(old_size, size).proof(reader(leaves))
    assert list(proof) == naive_consistency(old_size, leaves)
    check_consistency(old_size, size, proof, naive_root(leaves[:old_size]), naive_root(leaves))


@settings(deadline=None)
@given(st.data())
def test_changed_inclusion_is_refused(data: st.DataObject) -> None:
    """Another leaf, index, size, root, order, or number of hashes is no proof."""
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    proof, root = naive_path(index, leaves), naive_root(leaves)
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
    flipped = data.draw(st.integers(0, len(proof) - 1))
    changes = [
        (leaves[other], index, size, proof, root),
        (leaves[index], other, size, proof, root),
        (leaves[index], index, size, proof, sha256(root).digest()),
        (leaves[index], index, size, proof[:-1], root),
        (leaves[index], index, size, [*proof, root], root),
        (leaves[index], index, size, [*proof[:flipped], sha256().digest(), *proof[flipped + 1 :]], root),
        (leaves[index], index, size, [*proof[:flipped], b"short", *proof[flipped + 1 :]], root),
        (leaves[index], size, size, proof, root),
        (leaves[index], -1, size, proof, root),
    ]
    for change in changes:
        with pytest.raises(ProofFault):
            check_inclusion(*change)


@settings(deadline=None)
@given(st.data())
def test_changed_consistency_is_refused(data: st.DataObject) -> None:
    """Another old root, root, old size, or number of hashes is no proof."""
    size = data.draw(st.integers(2, 300))
    old_size = data.draw(st.integers(1, size - 1))
    leaves = LEAVES[:size]
    proof, old_root, root = naive_consistency(old_size, leaves), naive_root(leaves[:old_size]), naive_root(leaves)
    changes = [
        (old_size, size, proof, sha256(old_root).digest(), root),
        (old_size, size, proof, old_root, sha256(root).digest()),
        (old_size, size, proof[:-1], old_root, root),
        (old_size, size, [*proof, root], old_root, root),
        (old_size, size, [*proof[:-1], b"short"], old_root, root),
        (size + 1, size, proof, old_root, root),
        (size, size, proof, root, root),
        (0, size, proof, EMPTY_ROOT, root),
    ]
    for change in changes:
        with pytest.raises(ProofFault):
            check_consistency(*change)


@settings(deadline=None)
@given(st.data())
def test_number_of_hashes_is_checked(data: st.DataObject) -> None:
    """A hash too few or too many is named as such, also where the caller compares the root itself."""
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    path, proof = naive_path(index, leaves), naive_consistency(index, leaves) if index else []
    with pytest.raises(ProofFault, match="a hash too few"):
        root_from_inclusion(leaves[index], index, size, path[:-1])
    with pytest.raises(ProofFault, match="a hash too many"):
        root_from_inclusion(leaves[index], index, size, [*path, path[0]])
    if not proof:
        return
    with pytest.raises(ProofFault, match="a hash too few"):
        check_consistency(index, size, proof[:-1], naive_root(leaves[:index]), naive_root(leaves))
    with pytest.raises(ProofFault, match="a hash too many"):
        check_consistency(index, size, [*proof, proof[0]], naive_root(leaves[:index]), naive_root(leaves))


def test_more_hashes_than_any_tree_needs() -> None:
    """64 hashes are refused before one of them is used."""
    hashes = [bytes(32)] * 64
    with pytest.raises(ProofFault, match="more than 63"):
        check_inclusion(bytes(32), 0, TREE_SIZE_MAX, hashes, bytes(32))
    with pytest.raises(ProofFault, match="more than 63"):
        check_consistency(1, TREE_SIZE_MAX, hashes, bytes(32), bytes(32))


def test_inclusion_does_not_vouch_for_the_size() -> None:
    """One path serves trees of 5 to 8 leaves: why size and root come from one signed checkpoint."""
    path, root = naive_path(0, LEAVES[:8]), naive_root(LEAVES[:8])
    for size in (5, 6, 7, 8):
        check_inclusion(LEAVES[0], 0, size, path, root)
    for size in (4, 9):
        with pytest.raises(ProofFault):
            check_inclusion(LEAVES[0], 0, size, path, root)


def test_trees_without_a_proof() -> None:
    """Equal sizes need equal roots, the empty tree is the beginning of every tree, and neither takes a hash."""
    root = naive_root(LEAVES[:7])
    check_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    check_consistency(0, 7, [], EMPTY_ROOT, root)
    check_consistency(7, 7, [], root, root)
    assert plan_consistency(0, 7).parts == plan_consistency(7, 7).parts == ()
    for sizes, roots in (((0, 7), (root, root)), ((7, 7), (root, EMPTY_ROOT)), ((0, 0), (EMPTY_ROOT, root))):
        with pytest.raises(ProofFault):
            check_consistency(*sizes, [], *roots)


def test_sizes_out_of_range_are_refused() -> None:
    """No plan is made and no frontier begun for sizes that no tree has."""
    for index, size in ((0, 0), (-1, 3), (3, 3), (0, TREE_SIZE_MAX + 1)):
        with pytest.raises(ValueError, match="leaf"):
            plan_inclusion(index, size)
    for old_size, size in ((-1, 3), (4, 3), (1, TREE_SIZE_MAX + 1)):
        with pytest.raises(ValueError, match="size"):
            plan_consistency(old_size, size)
    for size, peaks in ((3, [b"\0" * 32]), (1, [b"short"]), (-1, [])):
        with pytest.raises(ValueError, match="peak"):
            Frontier(size, peaks)


def test_proofs_of_the_largest_tree() -> None:
    """Plans stay within 63 hashes and within the tree up to 2^63 - 1 leaves."""
    for index in (0, TREE_SIZE_MAX - 1, TREE_SIZE_MAX // 3):
        plan = plan_inclusion(index, TREE_SIZE_MAX)
        assert len(plan.parts) <= 63
        assert all((node.index + 1) << node.height <= TREE_SIZE_MAX for node in plan.nodes)
