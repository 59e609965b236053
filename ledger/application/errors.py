"""What can go wrong between a request and its durable answer, beside a refusal of the domain."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID


class LedgerError(Exception):
    """The ledger could not do what was asked."""

    def __init__(self) -> None:
        super().__init__(" ".join((type(self).__doc__ or "").split()))


class UnknownHospital(LedgerError):
    """No hospital of that id is in the registry."""

    def __init__(self, hospital: str) -> None:
        super().__init__()
        self.hospital = hospital


class UnknownRecord(LedgerError):
    """No such record in this hospital, or not yet at that moment."""

    def __init__(self, record_id: UUID) -> None:
        super().__init__()
        self.record_id = record_id


class UnknownPatient(LedgerError):
    """No such patient in this hospital."""

    def __init__(self, patient_id: UUID) -> None:
        super().__init__()
        self.patient_id = patient_id


class UnknownEntry(LedgerError):
    """The record has no such entry."""

    def __init__(self, entry_id: UUID) -> None:
        super().__init__()
        self.entry_id = entry_id


class UnknownPackage(LedgerError):
    """No such package in this hospital, or not for this recipient."""


class UnknownDisposalList(LedgerError):
    """No such destruction list in this hospital."""

    def __init__(self, list_id: UUID) -> None:
        super().__init__()
        self.list_id = list_id


class UnknownRulePack(LedgerError):
    """No such rule pack comes with this release or stands in the hospital's rulebook."""


class UnknownCommand(LedgerError):
    """No command of that id was ever done in this hospital."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__()
        self.command_id = command_id


class CommandIdReused(LedgerError):
    """The command id was used before with other content."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__()
        self.command_id = command_id


class VersionMismatch(LedgerError):
    """The record does not have the version that the command expects."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__()
        self.expected = expected
        self.actual = actual


class Contention(LedgerError):
    """Other writers were faster every time; nothing was written."""

    def __init__(self, attempts: int) -> None:
        super().__init__()
        self.attempts = attempts


class ClockOff(LedgerError):
    """This process's clock is too far from the database's; nothing was written."""

    def __init__(self, database_now: datetime) -> None:
        super().__init__()
        self.database_now = database_now


class UnknownEventVersion(LedgerError):
    """The stream holds an event that this release cannot read."""

    def __init__(self, type_name: str) -> None:
        super().__init__()
        self.type_name = type_name


class UnknownSourceClaim(LedgerError):
    """A source item is held by a claim that this release cannot read."""


class BodyUnreadable(LedgerError):
    """A stored event cannot be read: its envelope, its body or its key is damaged or missing."""

    def __init__(self, stream_id: UUID, version: int, why: str = "DAMAGED") -> None:
        super().__init__()
        self.stream_id = stream_id
        self.version = version
        self.why = why
        """A SealFaultKind by name, or DAMAGED."""


class ClearLedger(LedgerError):
    """The hospital's ledger holds bodies in the clear, from before they were sealed; this release does not serve it."""

    def __init__(self, hospital: str, position: int) -> None:
        super().__init__()
        self.hospital = hospital
        self.position = position
        """The first of them."""


class RecordDestroyed(LedgerError):
    """The record was destroyed: its events are kept, and nobody can read what they say."""

    def __init__(self, stream_id: UUID) -> None:
        super().__init__()
        self.stream_id = stream_id


class ChainBroken(LedgerError):
    """A stored event does not follow the one before it in its stream."""

    def __init__(self, stream_id: UUID, version: int) -> None:
        super().__init__()
        self.stream_id = stream_id
        self.version = version


class PositionOutOfRange(LedgerError):
    """The position lies above the head of the ledger."""

    def __init__(self, asked: int, head: int) -> None:
        super().__init__()
        self.asked = asked
        self.head = head
