"""An episode of the patient index as the contract shows it."""

from typing import Any
from uuid import UUID

from ledger.api.v1 import boards_pb2, common_pb2
from ledger.views.event import protobuf_time
from projections.led_newborn import subject_meant

CODES_MAX = 200
"""Codes of an episode, and whatever else it lists; the view is asked for one more, which says that there are more."""


def episode(row: tuple[Any, ...], standing: boards_pb2.IdentityStanding.ValueType) -> boards_pb2.Episode:
    """A row of the statement `episodes_of`."""
    codes: list[list[Any]] = row[10] or []
    duplicates: list[list[Any]] = row[11] or []
    consultations: list[list[Any]] = row[17] or []
    results: list[list[Any]] = row[18] or []
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
        codes=_codes(codes[:CODES_MAX], row[13] or {}),
        codes_cut=len(codes) > CODES_MAX,
        duplicates=map(_duplicate, duplicates[:CODES_MAX]),
        duplicates_cut=len(duplicates) > CODES_MAX,
        corrected=row[12],
        newborns=_newborns(row[0], row[14] or []),
        registered_at=protobuf_time(row[16]),
        consultations=map(_consultation, consultations[:CODES_MAX]),
        consultations_cut=len(consultations) > CODES_MAX,
        foreign_results=map(_foreign_result, results[:CODES_MAX]),
        foreign_results_cut=len(results) > CODES_MAX,
    )


def _newborns(record_id: UUID, found: list[list[str]]) -> list[boards_pb2.LinkedNewborn]:
    return [linked_newborn((record_id, subject_id, patient_id)) for subject_id, patient_id in found]


def linked_newborn(row: tuple[Any, ...]) -> boards_pb2.LinkedNewborn:
    """A row of the statement `births_of`."""
    record_id, subject_id, patient_id = map(str, row)
    return boards_pb2.LinkedNewborn(record_id=record_id, subject_id=subject_id, patient_id=patient_id)


def _codes(found: list[list[Any]], led: dict[str, str]) -> list[boards_pb2.EpisodeCode]:
    """Each code once for each subject: what is under the id of a newborn that was taken back is the right one's."""
    by_code: dict[tuple[str, str, str], boards_pb2.EpisodeCode] = {}
    for system, code, display, version, entries, corrected, named in found:
        subject = subject_meant(named, led)
        coding = common_pb2.Coding(system=system, code=code, display=display, version=version)
        shown = by_code.setdefault((subject, system, code), boards_pb2.EpisodeCode(coding=coding, subject_id=subject))
        shown.entries += entries
        shown.corrected += corrected
    return [by_code[key] for key in sorted(by_code)]


def _duplicate(found: list[Any]) -> boards_pb2.EpisodeDuplicate:
    entry_id, system, kind, source_id = found
    source = common_pb2.SourceItem(system=system, type=kind, id=source_id)
    return boards_pb2.EpisodeDuplicate(entry_id=entry_id or "", source=source)


def _consultation(found: list[Any]) -> boards_pb2.EpisodeConsultation:
    consultation_id, asking, asked, urgency, *times, entry_id = found
    requested_at, arrived_at, answered_at, withdrawn_at = map(protobuf_time, times)
    return boards_pb2.EpisodeConsultation(
        consultation_id=consultation_id,
        from_department=asking,
        to_department=asked,
        urgency=urgency,
        requested_at=requested_at,
        arrived_at=arrived_at,
        answered_at=answered_at,
        withdrawn_at=withdrawn_at,
        entry_id=entry_id or "",
    )


def _foreign_result(found: list[Any]) -> boards_pb2.EpisodeForeignResult:
    result_id, hospital, entry_id, repeated = found
    return boards_pb2.EpisodeForeignResult(
        result_id=result_id, hospital=hospital, entry_id=entry_id or "", repeated=repeated
    )
