"""An episode of the patient index as the contract shows it."""

from typing import Any

from ledger.api.v1 import boards_pb2, common_pb2
from ledger.views.event import protobuf_time


def episode(row: tuple[Any, ...], standing: boards_pb2.IdentityStanding.ValueType) -> boards_pb2.Episode:
    """A row of the statement `episodes_of`."""
    return boards_pb2.Episode(
        record_id=str(row[0]),
        visit_type=row[1],
        visit_sequence=row[2],
        phase=row[3],
        departments=row[4],
        started_at=protobuf_time(row[5]),
        ended_at=protobuf_time(row[6]),
        entries=row[7],
        patient_id=str(row[8]),
        standing=standing,
        codes=map(_code, row[10] or []),
        duplicates=map(_duplicate, row[11] or []),
        corrected=row[12],
    )


def _code(found: list[Any]) -> boards_pb2.EpisodeCode:
    system, code, display, version, entries, corrected, subject = found
    coding = common_pb2.Coding(system=system, code=code, display=display, version=version)
    return boards_pb2.EpisodeCode(coding=coding, entries=entries, corrected=corrected, subject_id=subject)


def _duplicate(found: list[Any]) -> boards_pb2.EpisodeDuplicate:
    entry_id, system, kind, source_id = found
    source = common_pb2.SourceItem(system=system, type=kind, id=source_id)
    return boards_pb2.EpisodeDuplicate(entry_id=entry_id or "", source=source)
