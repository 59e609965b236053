"""Whether a log may be given up for a successor. It is asked by who repairs a ledger, never over the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.domain.command_guards import is_person
from ledger.domain.decision import LOG, Decision
from ledger.domain.faults import Faults
from ledger.domain.log_events import DestructionsUpheld, LogSucceeded, LossReason, UpheldDestruction
from ledger.domain.refusal import RefusalKind
from ledger.domain.values import Actor, EventMeta

APPROVERS = 2
UPHELD_MAX = 4_000
"""Destructions an event, 200 KB of its body."""
_UPHELD_EVENTS_MAX = 90
"""Beside LogSucceeded, below what one command may add."""


@dataclass(frozen=True)
class SucceedLog:
    """Gives up what is lost of a log for good."""

    command_id: UUID
    ended_origin: str
    last_checkpoint: str
    lost_from: int
    lost_to: int
    approvers: tuple[Actor, ...]
    reason: LossReason
    destroyed: tuple[UpheldDestruction, ...] = ()
    """Records whose RecordDestroyed is among what is lost, by the tombstones of their keys."""


def succeed_log(command: SucceedLog, stream_id: UUID, now: datetime) -> Decision:
    """The events of a new stream. Raises Refused with every fault: nothing lost, or not two different persons."""
    faults = Faults()
    if command.lost_from > command.lost_to:
        faults.add("lost_to", "NOTHING_LOST", "the ledger is not behind its log", RefusalKind.STATE)
    if len({each.id for each in command.approvers}) != APPROVERS or len(command.approvers) != APPROVERS:
        faults.add("approvers", "NOT_TWO_PERSONS", "two different persons approve", RefusalKind.STATE)
    if not all(map(is_person, command.approvers)):
        faults.add("approvers", "NOT_A_PERSON", "a person approves, not a system", RefusalKind.STATE)
    if len(command.destroyed) > UPHELD_MAX * _UPHELD_EVENTS_MAX:
        faults.add("destroyed", "TOO_MANY", f"at most {UPHELD_MAX * _UPHELD_EVENTS_MAX} records", RefusalKind.STATE)
    faults.refuse_if_any()
    first = command.approvers[0]
    meta = EventMeta(actor=first, occurred_at=now, command_id=command.command_id, purpose="RECORDMGT")
    succeeded = LogSucceeded(
        meta,
        command.ended_origin,
        command.last_checkpoint,
        command.lost_from,
        command.lost_to,
        command.approvers,
        command.reason,
    )
    return Decision(stream_id, LOG, (succeeded, *_upheld(meta, command)))


def _upheld(meta: EventMeta, command: SucceedLog) -> list[DestructionsUpheld]:
    destroyed = sorted(command.destroyed, key=lambda each: each.record_id)
    parts = [destroyed[begin : begin + UPHELD_MAX] for begin in range(0, len(destroyed), UPHELD_MAX)]
    return [DestructionsUpheld(meta, command.ended_origin, tuple(part)) for part in parts]
