"""Tiles and bundles: paths, bytes, growth."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.bundle import (
    ENTRY_BYTES_MAX,
    STORED_BODY_BYTES_MAX,
    decode_bodies,
    decode_entries,
    encode_bodies,
    encode_entries,
)
from ledger.trust.format_fault import BundleFault, TileFault
from ledger.trust.merkle import Frontier, Node, peaks_of
from ledger.trust.merkle_check import check_consistency, check_inclusion
from ledger.trust.merkle_proof import plan_consistency, plan_inclusion
from ledger.trust.tile import (
    BundleId,
    TileId,
    edge_tiles,
    new_bundles,
    new_tiles,
    parse_bundle_path,
    parse_tile_path,
    tile_of,
    tiles_of,
)
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.tile_hashes import TileHashes, decode_hash_tile, encode_hash_tile, root_of_edge
from tests.unit.trust.naive_tree import numbered_leaves

LEAVES = numbered_leaves(70_000)


def stored_tiles(*sizes: int) -> dict[TileId, bytes]:
    """Every tile that a log writes which grows over these sizes."""
    stored: dict[TileId, bytes] = {}
    growth = TileGrowth()
    for size in sizes:
        growth = TileGrowth(growth.size, {tile: stored[tile] for tile in edge_tiles(growth.size)})
        stored |= growth.extend(LEAVES[growth.size : size])
        stored |= growth.edge()
    return stored


SIZES = (1, 255, 256, 257, 600, 65_535, 65_536, 66_000, 70_000)
STORED = stored_tiles(*SIZES)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileId(0, 1_234_067), "tile/0/x001/x234/067"),
        (TileId(0, 0, 1), "tile/0/000.p/1"),
        (TileId(1, 999, 255), "tile/1/999.p/255"),
        (TileId(2, 1000), "tile/2/x001/000"),
        (TileId(63, 0), "tile/63/000"),
    ],
)
def test_path_of_a_tile(tile: TileId, path: str) -> None:
    """A tile has one path, and the path that tile."""
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/0", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/0", "tile/0/0000", "tile/0/x000/001",
        "tile/0/001/000", "tile/0/x001/x000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/999",
        "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000/", "/tile/0/000", "tile/0/000\n",
        "tile/0/٠٠٠", "tile/0/../000", "tile/7/128", "tile/63/001", "tile/0/x036/x028/x797/x018/x963/968",
        "tile/0/" + "x999/" * 400 + "000", "tile/entries/000", "tile/0/X001/000",
    ],
)  # fmt: skip
def test_path_of_no_tile(path: str) -> None:
    """Any other spelling, a width of 0 or 256, and an index out of range are refused."""
    with pytest.raises(TileFault):
        parse_tile_path(path)


def test_path_of_a_bundle() -> None:
    """Entries and bodies of the same leaves differ in the path's beginning only."""
    bundle = BundleId(1_234_067, 5)
    assert bundle.entries_path == "tile/entries/x001/x234/067.p/5"
    assert bundle.bodies_path == "bodies/x001/x234/067.p/5"
    assert bundle.first_leaf == 1_234_067 * 256
    assert parse_bundle_path(bundle.entries_path) == ("tile/entries", bundle)
    assert parse_bundle_path(bundle.bodies_path) == ("bodies", bundle)
    for path in (
        "bodies/000.p/0",
        "bodies/000.p/256",
        "entries/000",
        "tile/entries/1",
        "bodies/x000/000",
        "tile/0/000",
    ):
        with pytest.raises(TileFault):
            parse_bundle_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_numbers_of_no_tile(level: int, index: int, width: int) -> None:
    """A tile with impossible numbers cannot be made."""
    with pytest.raises(TileFault):
        TileId(level, index, width)


def test_the_specification_s_example() -> None:
    """70,000 leaves are 273 full tiles and one of 112, one full tile and one of 17, one of 1; 256 leaves are two."""
    tiles = list(new_tiles(0, 70_000))
    assert tiles == [
        *map(TileId, [0] * 273, range(273)), TileId(0, 273, 112), TileId(1, 0), TileId(1, 1, 17), TileId(2, 0, 1)
    ]  # fmt: skip
    assert list(new_tiles(0, 256)) == [TileId(0, 0), TileId(1, 0, 1)]
    assert edge_tiles(70_000) == [TileId(0, 273, 112), TileId(1, 1, 17), TileId(2, 0, 1)]
    assert list(new_bundles(250, 520)) == [BundleId(0), BundleId(1), BundleId(2, 8)]
    assert edge_tiles(0) == list(new_bundles(5, 5)) == list(new_tiles(5, 5)) == []


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_growth_makes_the_tiles_it_should(one: int, other: int) -> None:
    """From any size to any other, what is written is exactly what `new_tiles` names, and joins to the same tree."""
    old_size, size = sorted((one, other))
    old = TileGrowth()
    old.extend(LEAVES[:old_size])
    growth = TileGrowth(old_size, dict(old.edge()))
    written = [*growth.extend(LEAVES[old_size:size]), *growth.edge()]
    # an edge tile that did not grow is written again: the same bytes under the same path
    assert set(new_tiles(old_size, size)) <= {tile.id for tile in written}
    assert {tile.id for tile in written} <= {*new_tiles(old_size, size), *edge_tiles(old_size)}
    assert all(tile.id.exists_in(size) and len(tile.data) == 32 * tile.id.width for tile in written)
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    assert growth.root() == frontier.root() == root_of_edge(size, dict(growth.edge()))
    assert growth.frontier().peaks == frontier.peaks


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_proofs_from_tiles(data: st.DataObject) -> None:
    """Proofs need only the tiles they name, as a log that grew by those sizes has stored them."""
    size = data.draw(st.sampled_from(SIZES))
    index = data.draw(st.integers(0, size - 1))
    old_size = data.draw(st.integers(1, size))
    root = root_of_edge(size, STORED)
    inclusion = plan_inclusion(index, size)
    tiles = {tile: STORED[tile] for tile in tiles_of(inclusion.nodes, size)}
    check_inclusion(LEAVES[index], index, size, inclusion.proof(TileHashes(size, tiles).node), root)
    consistency = plan_consistency(old_size, size)
    tiles = {tile: STORED[tile] for tile in tiles_of(consistency.nodes, size)}
    frontier = Frontier()
    frontier.extend(LEAVES[:old_size])
    check_consistency(old_size, size, consistency.proof(TileHashes(size, tiles).node), frontier.root(), root)


def test_full_tile_stands_for_a_partial_one() -> None:
    """A log may have dropped the partial tile: the full one's bytes serve as well."""
    tile = TileId(0, 0, 255)
    assert decode_hash_tile(tile, STORED[TileId(0, 0)]) == decode_hash_tile(tile, STORED[tile]) == LEAVES[:255]
    assert encode_hash_tile(LEAVES[:255]) == STORED[tile]


@pytest.mark.parametrize("size_bytes", [0, 31, 32, 65, 8191, 8224])
def test_torn_tile(size_bytes: int) -> None:
    """A tile of too few, too many or torn hashes is refused."""
    with pytest.raises(TileFault):
        decode_hash_tile(TileId(0, 0, 2), bytes(size_bytes))


def test_tiles_that_are_not_there() -> None:
    """A node beyond the tree, a missing tile, and an edge that is not whole are refused."""
    hashes = TileHashes(257, {TileId(0, 0): STORED[TileId(0, 0)]})
    assert hashes.node(Node(0, 255)) == LEAVES[255]
    for node in (Node(0, 256), Node(8, 0), Node(0, 257), Node(9, 0), Node(0, -1)):
        with pytest.raises(TileFault):
            hashes.node(node)
    with pytest.raises(TileFault, match=r"tile/1/000\.p/1 is missing"):
        TileGrowth(257, {TileId(0, 1, 1): STORED[TileId(0, 1, 1)]})
    with pytest.raises(TileFault):
        encode_hash_tile([])
    with pytest.raises(ValueError, match="size"):
        list(new_tiles(3, 2))


def test_tile_of_a_node_is_as_wide_as_the_tree_has_it() -> None:
    """Nodes between the levels of tiles come from the level below."""
    assert tile_of(Node(3, 31), 70_000) == TileId(0, 0)
    assert tile_of(Node(4, 4374), 70_000) == TileId(0, 273, 112)
    assert [tile_of(node, 70_000) for node in peaks_of(0, 70_000)] == [
        TileId(2, 0, 1), TileId(1, 1, 17), TileId(1, 1, 17), *[TileId(0, 273, 112)] * 3
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_bundles_come_back(items: list[bytes]) -> None:
    """Entries and bodies come back as they went in, and only as many as the bundle's width says."""
    bundle = BundleId(7, len(items))
    assert decode_entries(bundle, encode_entries(items)) == items
    assert decode_bodies(bundle, encode_bodies(items)) == items
    for change in (b"\0", b"\0\0", b"\0\0\0\0"):
        with pytest.raises(BundleFault):
            decode_entries(bundle, encode_entries(items) + change)
        with pytest.raises(BundleFault):
            decode_bodies(bundle, encode_bodies(items) + change)
    with pytest.raises(BundleFault):
        decode_entries(bundle, encode_entries(items)[:-1])
    with pytest.raises(BundleFault):
        decode_bodies(bundle, encode_bodies(items)[:-1])


def test_bundle_bytes() -> None:
    """Lengths are big-endian: two bytes for an entry, four for a body."""
    assert encode_entries([b"ab", b""]) == b"\0\2ab\0\0"
    assert encode_bodies([b"ab", b""]) == b"\0\0\0\2ab\0\0\0\0"


@pytest.mark.parametrize(("encode", "item_bytes_max"), [(encode_entries, 4096), (encode_bodies, 1 << 20)])
def test_bundle_limits(encode: Callable[[list[bytes]], bytes], item_bytes_max: int) -> None:
    """No bundle is empty, holds more than 256 items, or one that is too large."""
    assert {ENTRY_BYTES_MAX, STORED_BODY_BYTES_MAX} == {4096, 1 << 20}
    encode([bytes(item_bytes_max)])
    for items in ([], [b""] * 257, [bytes(item_bytes_max + 1)]):
        with pytest.raises(BundleFault):
            encode(items)


def test_item_that_is_too_large_is_not_read() -> None:
    """The announced length is checked before anything else; other people's logs may have larger entries."""
    entry = bytes(4097)
    data = (4097).to_bytes(2, "big") + entry
    with pytest.raises(BundleFault, match="4096"):
        decode_entries(BundleId(0, 1), data)
    assert decode_entries(BundleId(0, 1), data, entry_bytes_max=65_535) == [entry]
    with pytest.raises(BundleFault, match="1048576"):
        decode_bodies(BundleId(0, 1), b"\xff\xff\xff\xff")
