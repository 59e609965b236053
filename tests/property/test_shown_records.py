"""Whatever a record has become, it can be shown over the wire."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from ledger.application.views_of_state import RecordView
from ledger.domain.values import VisitType
from ledger.server.record_message import record_message
from tests.property.walks import EXAMPLES, Draws, beginnings, begun, walks
from tests.unit.domain.given import HEAD, NOW, RECORD

pytestmark = pytest.mark.property


@given(beginnings, walks)
@settings(max_examples=max(40, EXAMPLES // 5), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_state_of_a_record_has_its_message(beginning: tuple[str, VisitType], draws: Draws) -> None:
    """What the state holds has its field, after every step of any walk; the message says phase and version."""
    for step in begun(beginning).steps(draws):
        if step.done:
            record = step.after
            message = record_message(RecordView(RECORD, record.version, HEAD, NOW, record))
            assert message.version == record.version
            assert len(message.entries) == len(record.entries)
            assert len(message.moves) == len(record.moves)
            assert len(message.foreign_results) == len(record.foreign_results)
