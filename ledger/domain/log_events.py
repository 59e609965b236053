"""The event with which a log goes on for one that has ended; see events.py for what every event class promises."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ledger.domain.values import Actor, EventMeta


class LossReason(StrEnum):
    """Why the bytes of signed positions are gone."""

    BACKUP_TOO_OLD = "BACKUP_TOO_OLD"
    STORAGE_LOST = "STORAGE_LOST"
    DELETED_BY_MISTAKE = "DELETED_BY_MISTAKE"
    ATTACK = "ATTACK"


@dataclass(frozen=True)
class LogSucceeded:
    """A log ended and this one goes on: the first event under the new origin, on a stream of its own."""

    meta: EventMeta
    ended_origin: str
    last_checkpoint: str
    """The text of the last head that the ended log signed."""
    lost_from: int
    """The first lost position, which is also this event's."""
    lost_to: int
    approvers: tuple[Actor, ...]
    reason: LossReason


@dataclass(frozen=True)
class UpheldDestruction:
    """A record that stays destroyed though its RecordDestroyed is lost."""

    record_id: UUID
    position: int
    """Of the RecordDestroyed in the log that ended."""


@dataclass(frozen=True)
class DestructionsUpheld:
    """Which records were destroyed in the lost positions: behind the LogSucceeded that gave these up."""

    meta: EventMeta
    ended_origin: str
    destroyed: tuple[UpheldDestruction, ...]
