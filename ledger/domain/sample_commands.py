"""The command of quality by sampling; see commands.py."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.domain.quality_sample import SampleDraw
from ledger.domain.values import Defect


@dataclass(frozen=True)
class AssessSample:
    """Says what quality control found in an archived visit of the short path that a sample drew."""

    record_id: UUID
    draw: SampleDraw
    defects: tuple[Defect, ...] = ()
    score: int = 0
    """0 = as the defects make it; a score that is sent must agree with them."""
