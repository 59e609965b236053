"""How many stored envelopes a second become leaves, tiles and a root on one core: `python -m benchmarks.tree`.

Baseline: one plain hashlib call per envelope over the same bytes in memory, in turns with the product.
"""

from __future__ import annotations

import statistics
import time
from hashlib import sha256
from random import Random

from ledger.trust.bundle import encode_entries
from ledger.trust.leaf import leaf_hash
from ledger.trust.tile import TILE_WIDTH
from ledger.trust.tile_growth import TileGrowth

LEAVES = 200_000
ROUNDS = 5
ENVELOPE_BYTES = 221
"""A sealed event's with its predecessor's leaf hash, an origin of 22 and a type of 26 characters."""


def integrated(envelopes: list[bytes]) -> float:
    """CPU seconds from stored envelopes to entry bundles, hash tiles and the root."""
    began = time.process_time()
    growth = TileGrowth()
    for at in range(0, len(envelopes), TILE_WIDTH):
        bundle = envelopes[at : at + TILE_WIDTH]
        encode_entries(bundle)
        growth.extend(map(leaf_hash, bundle))
    growth.edge()
    growth.root()
    return time.process_time() - began


def hashed(envelopes: list[bytes]) -> float:
    """CPU seconds of the plain loop."""
    began = time.process_time()
    for envelope in envelopes:
        sha256(envelope).digest()
    return time.process_time() - began


def main() -> None:
    """Prints the medians of all rounds."""
    random = Random(1)  # noqa: S311  # bytes to hash, nothing secret
    envelopes = [random.randbytes(ENVELOPE_BYTES) for _ in range(LEAVES)]
    rounds = [(integrated(envelopes), hashed(envelopes)) for _ in range(ROUNDS)]
    rates = [LEAVES / product for product, _ in rounds]
    ratios = [plain / product for product, plain in rounds]
    print(f"{statistics.median(rates):,.0f} leaves/s of one core ({min(rates):,.0f} to {max(rates):,.0f})")
    print(f"{statistics.median(ratios):.2f} of a plain hashlib loop")


if __name__ == "__main__":
    main()
