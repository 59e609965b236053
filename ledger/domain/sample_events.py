"""The event of quality by sampling; see events.py."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.quality_sample import SampleDraw
from ledger.domain.values import Defect, EventMeta


@dataclass(frozen=True)
class SampleAssessed:
    """Quality control looked at an archived visit of the short path, which a sample drew."""

    meta: EventMeta
    draw: SampleDraw
    defects: tuple[Defect, ...]
    score: int
    """Computed by the ledger: the full score less the points of the defects."""
    full_score: int
    grade: str
    vetoed: bool
    passed: bool
    """No veto, and a score with which the pack lets a record pass."""
