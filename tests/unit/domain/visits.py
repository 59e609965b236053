"""Visits of every type on their own path to the archive."""

from __future__ import annotations

from ledger.domain.commands import ArchiveRecord, PassQuality, SubmitRecord
from ledger.domain.pack_short_path import SHORT_PATH
from ledger.domain.values import VisitType
from tests.unit.domain.given import RECORD, Stream, closed


def archived_visit(visit: VisitType) -> Stream:
    """An archived case of that type."""
    stream = closed(visit)
    if visit not in SHORT_PATH:
        stream.when(SubmitRecord(RECORD))
        stream.when(PassQuality(RECORD))
    stream.when(ArchiveRecord(RECORD))
    return stream
