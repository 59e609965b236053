"""Records that a sample drew, event by event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ledger.domain.next_version import with_archiving
from ledger.domain.quality_sample import SampleFinding
from ledger.domain.sample_events import SampleAssessed
from ledger.domain.state import RecordState


def sample_assessed(state: RecordState, event: SampleAssessed, at: datetime) -> RecordState:
    """Found; an earlier finding is in the events."""
    found = (event.defects, event.score, event.full_score, event.grade, event.passed)
    sample = SampleFinding(event.draw, at, event.meta.actor, *found)
    passed = state.archiving.passed_draws | ({event.draw.seed} if event.passed else frozenset[bytes]())
    return with_archiving(state, sample=sample, sampled_version=state.version + 1, passed_draws=passed)


SAMPLE_STEPS: dict[Any, Callable[[Any, Any, datetime], RecordState]] = {SampleAssessed: sample_assessed}
