"""Giving up a log: two different persons, something lost, one event on a stream of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from ledger.domain.decide_log import SucceedLog, succeed_log
from ledger.domain.decision import LOG
from ledger.domain.evolve import evolve
from ledger.domain.log_events import LogSucceeded, LossReason, UpheldDestruction
from ledger.domain.log_succession import LogSuccessionState
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.values import Actor

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
STREAM = UUID("11112222-3333-4444-8000-000000000009")
ADA, BEA = Actor(UUID(int=1), "Ada", "records_office"), Actor(UUID(int=2), "Bea", "physician")
PROGRAM = Actor(UUID(int=3), "ledger", "system")
COMMAND = SucceedLog(UUID(int=7), "l/north/1", "l/north/1\n9\nAA==\n", 6, 9, (ADA, BEA), LossReason.ATTACK)


def test_the_succession_says_what_is_lost_and_who_approved() -> None:
    """One event opens the stream; its actor is the first approver."""
    decision = succeed_log(COMMAND, STREAM, NOW)
    (event,) = decision.events
    assert isinstance(event, LogSucceeded)
    assert (decision.stream_id, decision.kind, event.meta.actor) == (STREAM, LOG, ADA)
    assert (event.lost_from, event.lost_to, event.approvers, event.reason) == (6, 9, (ADA, BEA), LossReason.ATTACK)
    assert evolve(None, event, 1, NOW) == LogSuccessionState(1, "l/north/1")


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        (replace(COMMAND, lost_from=10), ["NOTHING_LOST"]),
        (replace(COMMAND, approvers=(ADA,)), ["NOT_TWO_PERSONS"]),
        (replace(COMMAND, approvers=(ADA, replace(ADA, name="Ada again"))), ["NOT_TWO_PERSONS"]),
        (replace(COMMAND, approvers=(ADA, PROGRAM)), ["NOT_A_PERSON"]),
        (replace(COMMAND, approvers=(), lost_from=10), ["NOTHING_LOST", "NOT_TWO_PERSONS"]),
        (replace(COMMAND, destroyed=(UpheldDestruction(UUID(int=8), 7),) * 360_001), ["TOO_MANY"]),
    ],
    ids=["nothing lost", "one person", "one person twice", "a program", "nobody", "too many destroyed"],
)
def test_every_fault_is_named(command: SucceedLog, rules: list[str]) -> None:
    """Nothing is given up without a loss and two different persons."""
    with pytest.raises(Refused) as refused:
        succeed_log(command, STREAM, NOW)
    assert refused.value.kind is RefusalKind.STATE
    assert [each.rule for each in refused.value.violations] == rules
