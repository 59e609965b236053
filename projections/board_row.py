"""A row of a department board as the edge sends it: the record, and its entries by whom they are about."""

from __future__ import annotations

from typing import Any

from ledger.api.v1 import boards_pb2
from ledger.views.event import protobuf_time
from projections.led_newborn import subject_meant

_COUNTED = slice(5, 9)
"""Drafts, what waits for a superior, late items, what was corrected."""


def board_row(row: tuple[Any, ...]) -> boards_pb2.BoardRow:
    """What the view found of a record; the latest entry is that of any subject, the counts are of all together."""
    found = _by_subject(row[10], row[11] or {})
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
        responsible_id=row[13],
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


def _by_subject(found: list[list[Any]], led: dict[str, str]) -> list[list[Any]]:
    """Each subject once: what is under the id of a newborn that was taken back is the right one's."""
    together: dict[str, list[Any]] = {}
    for row in found:
        subject = subject_meant(row[0] or "", led)
        before = together.get(subject)
        together[subject] = [subject, *row[1:]] if before is None else _added(before, row)
    return [together[subject] for subject in sorted(together)]


def _added(one: list[Any], other: list[Any]) -> list[Any]:
    latest = max(one, other, key=lambda each: each[1] or 0)
    counted = [sum(pair) for pair in zip(one[_COUNTED], other[_COUNTED], strict=True)]
    return [one[0], latest[1], one[2] + other[2], latest[3], latest[4], *counted]


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
