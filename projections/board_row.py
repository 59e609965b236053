"""A row of a department board as the edge sends it: the record, and its entries by whom they are about."""

from __future__ import annotations

from typing import Any

from ledger.api.v1 import boards_pb2
from ledger.views.event import protobuf_time


def board_row(row: tuple[Any, ...]) -> boards_pb2.BoardRow:
    """What the view found of a record; the latest entry is that of any subject, the counts are of all together."""
    found = row[10]
    latest = max((each for each in found if each[1] is not None), key=lambda each: each[1], default=None)
    subjects = [_subject(each) for each in found]
    return boards_pb2.BoardRow(
        record_id=str(row[0]),
        record_version=row[1],
        case_number=row[2],
        visit_type=row[3],
        phase=row[4],
        bed=row[5],
        responsible=row[6],
        since=protobuf_time(row[7]),
        open_consultations=max(row[8], 0),
        identity=row[9],
        latest_entry=latest[3] if latest else "",
        latest_entry_at=protobuf_time(latest[4]) if latest else None,
        entries=sum(each.entries for each in subjects),
        drafts=sum(each.drafts for each in subjects),
        to_countersign=sum(each.to_countersign for each in subjects),
        late_items=sum(each.late_items for each in subjects),
        corrected=sum(each.corrected for each in subjects),
        subjects=subjects,
    )


def _subject(found: list[Any]) -> boards_pb2.BoardSubject:
    subject_id, _, entries, latest, latest_at, drafts, to_countersign, late_items, corrected = found
    return boards_pb2.BoardSubject(
        subject_id=subject_id or "",
        entries=entries,
        latest_entry=latest or "",
        latest_entry_at=protobuf_time(latest_at),
        drafts=drafts,
        to_countersign=to_countersign,
        late_items=late_items,
        corrected=corrected,
    )
