"""Quality by sampling: which of the visits on the short path are looked at, drawn so that everybody draws the same.

The seed is made of the leaf hashes of what was archived, the order of the seed: nobody chooses either, and whoever has
the ledger's envelopes finds again what was to be looked at, whether or not anybody did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from ledger.domain.values import Actor, Defect

SAMPLE_MAX = 1_000
"""Records that one draw names."""
SEED_BYTES = 32


@dataclass(frozen=True)
class SampleDraw:
    """A sample of what was archived in a span of time."""

    archived_from: datetime
    archived_before: datetime
    population: int
    """Records from which was drawn."""
    size: int
    seed: bytes

    def spans(self, moment: datetime) -> bool:
        """Whether the moment lies within its span."""
        return self.archived_from <= moment < self.archived_before


@dataclass(frozen=True)
class SampleFinding:
    """What quality control found in a record that a sample drew."""

    draw: SampleDraw
    assessed_at: datetime
    """By the ledger's clock."""
    assessed_by: Actor
    defects: tuple[Defect, ...]
    score: int
    full_score: int
    grade: str
    passed: bool


@dataclass(frozen=True)
class SampleSize:
    """How many records a pack has drawn."""

    least: int
    per_mille: int
    """Of the population, rounded up; 0 = no share."""

    def of(self, population: int) -> int:
        """The number for this population: the larger of the two, and no more than there are, or than a draw names."""
        share = -(-population * self.per_mille // 1000)
        return min(max(self.least, share), population, SAMPLE_MAX)


def seed_of(population: Iterable[tuple[UUID, bytes]]) -> bytes:
    """The seed of records with the leaf hashes of their RecordArchived: of both, by record id."""
    return sha256(b"".join(id_.bytes + leaf for id_, leaf in sorted(population))).digest()


def drawn(seed: bytes, records: Iterable[UUID], size: int) -> list[UUID]:
    """The first `size` of the records by the hash of the seed and their id."""
    return sorted(records, key=lambda each: (sha256(seed + each.bytes).digest(), each))[:size]
