"""What is wrong with a file of a log, and how its files are read."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import override

from ledger.trust.format_fault import BundleFault
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId

Read = Callable[[str], bytes | None]
"""From a path of the log (`checkpoint`, `tile/0/000`, ...) to its bytes; None where there are none."""


class LogFault(Exception):
    """The log does not hold:"""

    def __init__(self, path: str, what: str, position: int = 0, stream_id: bytes = b"") -> None:
        """`what` says kind, position and record where the file has them."""
        super().__init__(f"{self.__doc__} {path}: {what}")
        self.path = path
        self.what = what
        self.position = position
        """0 where the file is of no position."""
        self.stream_id = stream_id

    @override
    def __reduce__(self) -> tuple[type[LogFault], tuple[str, str, int, bytes]]:
        """As one process hands it to another."""
        return LogFault, (self.path, self.what, self.position, self.stream_id)


def read_bundle(read: Read, path: str, full: str, bundle: BundleId) -> tuple[bytes, BundleId]:
    """A bundle's file, or the full one of its place: a log may drop a partial one then. LogFault where neither is."""
    data, held = read(path), bundle
    if data is None and bundle.width < TILE_WIDTH:
        data, held = read(full), BundleId(bundle.index)
    if data is None:
        raise LogFault(path, "missing")
    return data, held


def read_tile(read: Read, tile: TileId, size_bytes: int) -> bytes | None:
    """A tile's file, or as many bytes of the full one of its place; None where neither is."""
    data = read(tile.path)
    if data is None and not tile.is_full:
        full = read(TileId(tile.level, tile.index).path)
        data = None if full is None else full[:size_bytes]
    return data


def bundle_fault(path: str, bundle: BundleId, fault: BundleFault) -> LogFault:
    """Of a bundle's bytes, with the positions that it should hold."""
    first = bundle.first_leaf + 1
    what = f"BUNDLE at positions {first} to {first + bundle.width - 1}: {'; '.join(fault.faults)}"
    return LogFault(path, what, first)
