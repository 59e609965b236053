"""Events out of the raw bundles of a replay; the server has not looked at them, so whoever takes them does."""

from __future__ import annotations

from ledger.api.v1.stream_pb2 import EventBundle
from ledger.trust.bundle import decode_bodies, decode_entries
from ledger.trust.format_fault import BundleFault, TileFault
from ledger.trust.tile import BundleId
from ledger.trust.usual_rows import leaf_hashes
from ledger.trust.verify import Row


class BundleDiffers(Exception):
    """A bundle that was served is not what its leaf hashes say; ReadHospital serves what the server has checked."""

    def __init__(self, first_position: int) -> None:
        super().__init__(f"{self.__doc__} (from position {first_position})")
        self.first_position = first_position


def rows_of(bundle: EventBundle) -> list[Row]:
    """The events, each envelope of which has its leaf hash. BundleDiffers.

    Bodies are held against the digests in their envelopes by `LedgerWalk`, or by opening them; that the leaf hashes are
    those of the log a signed head says alone (`RootWatch`).
    """
    try:
        held = BundleId(0, bundle.events)
        entries, bodies = decode_entries(held, bundle.entries), decode_bodies(held, bundle.bodies)
    except (BundleFault, TileFault):
        raise BundleDiffers(bundle.first_position) from None
    if b"".join(leaf_hashes(entries)) != bundle.leaf_hashes:
        raise BundleDiffers(bundle.first_position)
    return [*map(Row, range(bundle.first_position, bundle.first_position + len(entries)), entries, bodies)]
