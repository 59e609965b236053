"""Events on the use of a record: that it is free again, and who holds the record as it was; see events.py."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.domain.values import EventMeta


@dataclass(frozen=True)
class UseRestrictionLifted:
    """Use is restricted no longer, for no request. Read where an earlier release wrote it, and written no more."""

    meta: EventMeta
    reason: str


@dataclass(frozen=True)
class RestrictionLifted:
    """One restriction ended; others that stand go on."""

    meta: EventMeta
    request_id: UUID
    reason: str


@dataclass(frozen=True)
class CopiesOutdated:
    """What these copies show was changed since they were handed out: who holds them is to be told."""

    meta: EventMeta
    copy_ids: tuple[UUID, ...]
    entry_id: UUID | None
    """None = not of an entry: whose record it is, a time of the stay, or the patient's statement on the whole."""


@dataclass(frozen=True)
class LoansOutdated:
    """The record was changed while it is out: who borrowed it is to be told."""

    meta: EventMeta
    loan_ids: tuple[UUID, ...]
    entry_id: UUID | None
    """None = not of an entry, as in CopiesOutdated."""


@dataclass(frozen=True)
class HolderTold:
    """Who holds a copy, a package or the lent record was told that the record has changed since."""

    meta: EventMeta
    holder_id: UUID
    note: str


UseEvent = UseRestrictionLifted | RestrictionLifted | CopiesOutdated | LoansOutdated | HolderTold
