"""Tiles of the tree as tlog-tiles names them: 256 hashes of one level, and how a tile is found by its path.

A tile of level L and index N holds the nodes of height 8L with the indices 256N to 256N + 255; the last of a level is
partial while it has fewer. Bundles of entries and bodies are cut like the tiles of level 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ledger.trust.format_fault import TileFault
from ledger.trust.merkle import HASH_BYTES, TREE_SIZE_MAX, Node

TILE_WIDTH = 256
TILE_HEIGHT = 8
"""Levels of the tree that one level of tiles spans."""
LEVEL_MAX = 63
HASH_TILE_BYTES_MAX = TILE_WIDTH * HASH_BYTES

_PATH = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII
)
_BUNDLE_PATH = re.compile(
    r"(?P<kind>tile/entries|bodies)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII
)
_PATH_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True, order=True)
class TileId:
    """Which tile: level 0 to 63, index from 0 within the level, width 1 to 256 (256 = full).

    TileFault for any other numbers, and for an index that no tree of at most 2^63 - 1 leaves has.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= self.level <= LEVEL_MAX:
            raise TileFault("the level is not 0 to 63")
        if not 1 <= self.width <= TILE_WIDTH:
            raise TileFault("the width is not 1 to 256")
        if self.index < 0 or self.index << (TILE_HEIGHT * (self.level + 1)) > TREE_SIZE_MAX:
            raise TileFault("the index is out of range")

    @property
    def is_full(self) -> bool:
        """Whether it has all its 256 hashes, and so never changes."""
        return self.width == TILE_WIDTH

    @property
    def path(self) -> str:
        """`tile/<L>/<N>[.p/<W>]`."""
        return f"tile/{self.level}/{numbered(self.index, self.width)}"

    def exists_in(self, size: int) -> bool:
        """Whether the tree of `size` leaves has this very tile, or a wider one of the same place."""
        return self.index * TILE_WIDTH + self.width <= size >> (TILE_HEIGHT * self.level)


@dataclass(frozen=True, slots=True, order=True)
class BundleId:
    """Which bundle of entries or bodies: like the tile of level 0 with the same index and width."""

    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        TileId(0, self.index, self.width)

    @property
    def entries_path(self) -> str:
        """`tile/entries/<N>[.p/<W>]`."""
        return f"tile/entries/{numbered(self.index, self.width)}"

    @property
    def bodies_path(self) -> str:
        """`bodies/<N>[.p/<W>]`, ours."""
        return f"bodies/{numbered(self.index, self.width)}"

    @property
    def first_leaf(self) -> int:
        """Index in the tree of its first entry; the entry's position in the ledger is one more."""
        return self.index * TILE_WIDTH


def parse_tile_path(path: str) -> TileId:
    """The tile of a path; TileFault for any spelling but the one that `TileId.path` gives."""
    found = _PATH.fullmatch(path) if len(path) <= _PATH_CHARACTERS_MAX else None
    if found is None:
        raise TileFault("the path is not tile/<L>/<N>[.p/<W>]")
    tile = TileId(int(found["level"]), _index_of(found["index"]), _width_of(found["width"]))
    if tile.path != path:
        raise TileFault("the index has leading zeroes")
    return tile


def parse_bundle_path(path: str) -> tuple[str, BundleId]:
    """(`tile/entries` or `bodies`, the bundle) of a path; TileFault for any other spelling."""
    found = _BUNDLE_PATH.fullmatch(path) if len(path) <= _PATH_CHARACTERS_MAX else None
    if found is None:
        raise TileFault("the path is not tile/entries/<N>[.p/<W>] or bodies/<N>[.p/<W>]")
    bundle = BundleId(_index_of(found["index"]), _width_of(found["width"]))
    if path not in (bundle.entries_path, bundle.bodies_path):
        raise TileFault("the index has leading zeroes")
    return found["kind"], bundle


def edge_tiles(size: int) -> list[TileId]:
    """The partial tiles of the tree of `size` leaves, lowest level first: all that must be read to grow it."""
    tiles: list[TileId] = []
    level, width_in_all = 0, size
    while width_in_all:
        index, width = divmod(width_in_all, TILE_WIDTH)
        if width:
            tiles.append(TileId(level, index, width))
        level, width_in_all = level + 1, index
    return tiles


def new_tiles(old_size: int, size: int) -> Iterator[TileId]:
    """The tiles that the tree of `size` leaves has and that of `old_size` had not, level by level from 0.

    ValueError where the old size is above the size.
    """
    if not 0 <= old_size <= size <= TREE_SIZE_MAX:
        raise ValueError("the old size is negative or above the size")
    level = 0
    while size >> (TILE_HEIGHT * level):
        yield from (
            TileId(level, each.index, each.width)
            for each in new_bundles(old_size >> (TILE_HEIGHT * level), size >> (TILE_HEIGHT * level))
        )
        level += 1


def new_bundles(old_size: int, size: int) -> Iterator[BundleId]:
    """The bundles that the tree of `size` leaves has and that of `old_size` had not, in order."""
    if old_size == size:
        return
    for index in range(old_size // TILE_WIDTH, size // TILE_WIDTH):
        yield BundleId(index)
    if size % TILE_WIDTH:
        yield BundleId(size // TILE_WIDTH, size % TILE_WIDTH)


def tile_of(node: Node, size: int) -> TileId:
    """The tile from which a node's hash follows, as wide as the tree of `size` leaves has it.

    TileFault where that tree does not hold the node.
    """
    if node.height < 0 or node.index < 0 or (node.index + 1) << node.height > size:
        raise TileFault("the tree has no such node")
    level, inner = divmod(node.height, TILE_HEIGHT)
    index = (node.index << inner) // TILE_WIDTH
    return TileId(level, index, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH))


def tiles_of(nodes: Iterable[Node], size: int) -> list[TileId]:
    """The tiles that hold these nodes, each once, in order of level and index."""
    return sorted({tile_of(node, size) for node in nodes})


def numbered(index: int, width: int = TILE_WIDTH) -> str:
    """`x001/x234/067[.p/<W>]`: three digits a folder, so that none grows without a limit."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups)) + ("" if width == TILE_WIDTH else f".p/{width}")


def _index_of(text: str) -> int:
    return int(text.replace("x", "").replace("/", ""))


def _width_of(text: str | None) -> int:
    if text is None:
        return TILE_WIDTH
    if int(text) >= TILE_WIDTH:
        raise TileFault("the width of a partial tile is not 1 to 255")
    return int(text)
