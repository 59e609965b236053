"""What the views show of a record is what its state says, on the same random walks that hold the invariants."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ledger.api.v1 import boards_pb2, common_pb2, worklist_pb2
from ledger.application.body_codec import encode_body
from ledger.application.message_codec import micros_of
from ledger.domain.decide_holder import HOLDING
from ledger.domain.state import Archiving, Entry, RecordState
from ledger.domain.values import EntryState, Phase, VisitType
from ledger.views.view import Row, RowKey, View
from projections.archive_register.view import ArchiveRegister
from projections.confirmed_visits.view import ConfirmedVisit, ConfirmedVisits
from projections.department_board.view import DepartmentBoard
from projections.fold import fold, plan
from projections.patient_index.view import PatientIndex
from projections.usage.view import Usage
from projections.views import ALL
from projections.worklist.view import Worklist
from tests.contract.views import histories as h
from tests.property.walks import EXAMPLES, Draws, Walk, beginnings, begun, walks
from tests.services.sealed import opened_event
from tests.unit.domain.given import Stream

pytestmark = pytest.mark.property


@given(beginnings, walks)
@settings(max_examples=max(40, EXAMPLES // 5), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_view_shows_what_the_record_holds(beginning: tuple[str, VisitType], draws: Draws) -> None:
    """Phase, overlays, entries, what waits: after every step of any walk, destroyed records as tombstones."""
    walk = begun(beginning)
    shown = Shown(walk)
    shown.check()
    for step in walk.steps(draws):
        if step.done:
            shown.check()


class Shown:
    """The rows of every view of the walk's record."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.stream = h.EventStream(walk.stream.stream_id)
        self.rows: dict[type[View], dict[RowKey, Row]] = {type(view): {} for view in ALL}

    def check(self) -> None:
        """Folds the events that are new, and compares."""
        self._fold()
        record, rows = self.walk.stream.record, self.rows
        check_phases(record, rows)
        assert sum(row.events for row in of_table(rows[Usage], "days")) == record.version
        check_draw(self.walk.stream, of_table(rows[ConfirmedVisits], "records"))
        if record.phase is Phase.DESTROYED:
            check_nothing_left(rows)
            return
        check_register(record, of_table(rows[ArchiveRegister], "records")[0])
        check_entries(record, rows)
        check_newborns(record, rows)
        check_stay(record, rows)
        check_course(record, rows[PatientIndex])
        check_worklist(record, of_table(rows[Worklist], "items"))

    def _fold(self) -> None:
        for each in self.walk.stream.events[self.stream.version :]:
            sealed = self.stream.seal_bytes(encode_body(each), f"ledger.v1.{type(each).__name__}")
            event = opened_event(sealed.version, sealed.envelope, sealed.body)
            for view in ALL:
                assert not fold(view, plan(view, [event]), self.rows[type(view)]).poison, (view.name, sealed.type)


def of_table(rows: dict[RowKey, Row], table: str) -> list[Any]:
    """The rows of one table."""
    return [row for key, row in rows.items() if key.table == table]


def check_phases(record: RecordState, rows: dict[type[View], dict[RowKey, Row]]) -> None:
    """Every view that shows a phase shows the record's."""
    phase = common_pb2.Phase.Value(f"PHASE_{record.phase.name}")
    for view, table in (
        (ArchiveRegister, "records"),
        (DepartmentBoard, "records"),
        (Worklist, "records"),
        (PatientIndex, "episodes"),
    ):
        (row,) = of_table(rows[view], table)
        assert row.phase == phase, view.name


def check_nothing_left(rows: dict[type[View], dict[RowKey, Row]]) -> None:
    """Of a destroyed record: no entry, no code, no item, no name, no number."""
    for view, tables in {
        ArchiveRegister: ("overlays",),
        DepartmentBoard: ("entries", "newborns"),
        Worklist: ("items",),
        PatientIndex: tuple(each.name for each in PatientIndex.tables if each.name not in {"episodes", "patients"}),
    }.items():
        assert not [row for table in tables for row in of_table(rows[view], table)]
    for view, table in ((ArchiveRegister, "records"), (DepartmentBoard, "records"), (Worklist, "records")):
        assert of_table(rows[view], table)[0].case_number == ""


def check_register(record: RecordState, row: Any) -> None:
    """Counts of what is open, dates, score, disposal."""
    overlays, archiving = record.overlays, record.archiving
    open_papers = [each for each in overlays.papers.values() if each.outcome is None]
    shown = (row.holds, row.seals, row.loans, row.papers, row.copies)
    held = (overlays.holds, overlays.seals, overlays.loans, open_papers, overlays.copies)
    assert shown == tuple(len(each) for each in held)
    assert (row.restrictions, row.retain_until) == (len(overlays.restrictions), archiving.retain_until)
    assert (row.returns, row.permanent) == (archiving.returns, archiving.permanent)
    check_sample(archiving, row)
    assert (row.passed, row.department) == (archiving.passed, record.department)
    disposal = archiving.disposal
    assert row.approved == (disposal is not None and disposal.approved_by is not None)
    assert bool(row.opinion) == (disposal is not None)


def check_sample(archiving: Archiving, row: Any) -> None:
    """The score of the last assessment, of a sample too, and what it found."""
    found = archiving.sample
    assert row.score == (found.score if found else archiving.score)
    standing = {True: {boards_pb2.SAMPLE_STANDING_PASSED}, None: {boards_pb2.SAMPLE_STANDING_UNSPECIFIED}}
    waiting = {boards_pb2.SAMPLE_STANDING_TO_MEND, boards_pb2.SAMPLE_STANDING_TO_CHECK}
    assert row.sample in standing.get(found.passed if found else None, waiting)
    # Rows have the times of their feed, which is not the walk's clock.
    assert (row.sampled_at is None) == (found is None)


def check_draw(stream: Stream, rows: list[Any]) -> None:
    """A sample may draw what was archived without quality control having passed it, also once it is destroyed."""
    said = [type(each).__name__ for each in stream.events]
    confirmed = "RecordArchived" in said and "QualityPassed" not in said[: said.index("RecordArchived")]
    (row,) = rows or (ConfirmedVisit(stream.stream_id, 0),)
    assert (row.archived_at is not None, bool(row.leaf)) == ("RecordArchived" in said, confirmed)
    assert (row.assessed_at is not None, row.destroyed) == ("SampleAssessed" in said, "RecordDestroyed" in said)


def check_stay(record: RecordState, rows: dict[type[View], dict[RowKey, Row]]) -> None:
    """Who is in charge, when care began and ended, since when the department has the patient, as corrected last."""
    (board,), (work,) = of_table(rows[DepartmentBoard], "records"), of_table(rows[Worklist], "records")
    in_charge = record.responsible
    shown = (board.responsible, board.responsible_id)
    assert shown == ((in_charge.name, str(in_charge.id)) if in_charge else ("", ""))
    assert work.responsible_id == board.responsible_id
    open_ = sum(not each.answered and each.withdrawn_at is None for each in record.consultations.values())
    assert board.open_consultations == open_
    if record.started_at is None:
        return
    (episode,) = of_table(rows[PatientIndex], "episodes")
    since = record.moves[-1].moved_at if record.moves else record.started_at
    assert (episode.started_at, board.since) == (micros_of(record.started_at), micros_of(since))
    if record.disposition is not None and record.ended_at is not None:
        (register,) = of_table(rows[ArchiveRegister], "records")
        assert episode.ended_at == register.ended_at == micros_of(record.ended_at)


def check_entries(record: RecordState, rows: dict[type[View], dict[RowKey, Row]]) -> None:
    """The board has every entry in its state with its subject; the index has those that were signed and stand."""
    subjects = {each.entry_id: each.subject_id for each in of_table(rows[DepartmentBoard], "entries")}
    assert subjects == {each.entry_id: each.last.content.subject_id for each in record.entries.values()}
    states = {each.entry_id: each.state for each in of_table(rows[DepartmentBoard], "entries")}
    assert states == {
        each.entry_id: common_pb2.EntryState.Value(f"ENTRY_STATE_{each.state.name}") for each in record.entries.values()
    }
    corrects = {each.entry_id: each.corrects.entry_id for each in record.entries.values() if each.corrects}
    shown = [of_table(rows[view], "entries") for view in (DepartmentBoard, PatientIndex)]
    for entries in shown:
        standing_late = {each.entry_id: each.corrects for each in entries if each.corrects}
        assert standing_late.items() <= corrects.items()
        assert standing_late.keys() >= {each for each in corrects if not record.entries[each].retracted}
    signed = {each.entry_id for each in of_table(rows[PatientIndex], "entries") if not each.retracted}
    standing = {EntryState.AUTHORED, EntryState.SIGNED, EntryState.COUNTERSIGNED}
    assert signed == {each.entry_id for each in record.entries.values() if each.state in standing}


def check_newborns(record: RecordState, rows: dict[type[View], dict[RowKey, Row]]) -> None:
    """Board and index lead what is about a newborn that was taken back to whoever is meant."""
    meant = {each.subject_id: each.same_as_id for each in record.newborns.values() if each.same_as_id}
    for view in (DepartmentBoard, PatientIndex):
        led = {each.subject_id: each.same_as for each in of_table(rows[view], "newborns") if each.same_as}
        assert led == meant, view.name
    shown = {each.subject_id: each.patient_id for each in of_table(rows[PatientIndex], "linked_newborns")}
    patients = {each.subject_id: each.patient_id for each in record.newborns.values()}
    assert {key: each for key, each in shown.items() if each} == {key: each for key, each in patients.items() if each}


def check_course(record: RecordState, rows: dict[RowKey, Row]) -> None:
    """The index has the registration, every consultation with its times, and what became of others' results."""
    (episode,) = of_table(rows, "episodes")
    assert episode.registered_at is not None
    assert {each.consultation_id: (each.to_department, each.entry_id) for each in of_table(rows, "consultations")} == {
        each.consultation_id: (each.to_department, each.entry_id) for each in record.consultations.values()
    }
    for each in of_table(rows, "consultations"):
        asked = record.consultations[each.consultation_id]
        there = asked.arrived_at
        assert each.arrived_at == (None if there is None else micros_of(there))
        assert (each.answered_at is not None, each.withdrawn_at is not None) == (
            asked.answered,
            asked.withdrawn_at is not None,
        )
    said = [(each.record_version, each.result_id, each.entry_id, each.repeated) for each in record.foreign_results]
    shown = of_table(rows, "foreign_results")
    assert [(each.said_version, each.result_id, each.entry_id, each.repeated) for each in shown] == said


def check_worklist(record: RecordState, items: list[Any]) -> None:
    """As many of each kind as wait by the record's state."""
    entries, overlays = list(record.entries.values()), record.overlays
    open_entries = {
        worklist_pb2.WORK_KIND_DRAFT: [each for each in entries if each.state is EntryState.DRAFT],
        worklist_pb2.WORK_KIND_COUNTERSIGN: [each for each in entries if _waits(record, each)],
    }
    expected = {
        **{kind: len(found) for kind, found in open_entries.items()},
        worklist_pb2.WORK_KIND_OVERDUE: len(overlays.missed),
        worklist_pb2.WORK_KIND_RETURNED: int(record.phase is Phase.RETURNED),
        worklist_pb2.WORK_KIND_CONSULTATION: sum(
            not each.answered and each.withdrawn_at is None for each in record.consultations.values()
        ),
        worklist_pb2.WORK_KIND_NOT_FILED: int(
            record.phase in {Phase.CLOSED, Phase.SUBMITTED, Phase.RETURNED, Phase.REOPENED}
        ),
        worklist_pb2.WORK_KIND_LOAN: len(overlays.loans),
        worklist_pb2.WORK_KIND_RETENTION: int(record.phase is Phase.DUE),
        worklist_pb2.WORK_KIND_REQUEST: sum(each.granted is None for each in overlays.requests.values()),
        worklist_pb2.WORK_KIND_SAMPLE: int(bool(record.archiving.sample and not record.archiving.sample.passed)),
        worklist_pb2.WORK_KIND_HOLDER: sum(
            each.outdated for each in (*overlays.copies.values(), *overlays.loans.values())
        )
        + sum(each.outdated and (each.delivered or each.state in HOLDING) for each in overlays.transfers.values()),
    }
    assert {kind: sum(item.kind == kind for item in items) for kind in expected} == expected


def _waits(record: RecordState, entry: Entry) -> bool:
    """Whether a superior has to sign it: no defect was accepted for it, and it was written here."""
    accepted = entry.entry_id in record.archiving.deficiencies
    return entry.state is EntryState.AUTHORED and not entry.last.historical and not accepted
