"""What a record demands by when, and how long it is kept, as the contract's messages."""

from __future__ import annotations

from ledger.api.v1.common_pb2 import Phase
from ledger.api.v1.course_pb2 import Deadline, GetDeadlinesRequest, GetDeadlinesResponse, ReportedMiss, UnansweredOffer
from ledger.api.v1.keeping_pb2 import (
    GetPatientVisitsRequest,
    GetPatientVisitsResponse,
    GetRetentionRequest,
    GetRetentionResponse,
    PatientVisit,
)
from ledger.application.ledger import Ledger
from ledger.application.message_codec import set_timestamp, to_timestamp
from ledger.domain import deadlines as domain
from ledger.domain.decision import Visit
from ledger.domain.keeping_state import Missed
from ledger.domain.transfer_state import Transfer
from ledger.server.arguments import required_uuid


class Terms:
    """The handlers of CourseService.GetDeadlines, KeepingService.GetRetention and GetPatientVisits."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_deadlines(self, request: GetDeadlinesRequest) -> GetDeadlinesResponse:
        """Every deadline of the record, and what was reported as missed."""
        record_id = required_uuid(request.record_id, "record_id")
        found = await (await self._ledger.outlook(request.hospital)).deadlines(record_id)
        return GetDeadlinesResponse(
            record_version=found.record_version,
            deadlines=[_deadline(each, missed=missed) for each, missed in found.deadlines],
            reported=[_reported(each, holds=holds) for each, holds in found.reported],
            offers=[_offer(each, over=over) for each, over in found.offers],
        )

    async def get_retention(self, request: GetRetentionRequest) -> GetRetentionResponse:
        """How long the record is kept, and the patient's records that decide it too."""
        record_id = required_uuid(request.record_id, "record_id")
        found = await (await self._ledger.outlook(request.hospital)).retention(record_id)
        message = GetRetentionResponse(
            record_version=found.record_version,
            phase=_phase(found.record.phase),
            retention_class=found.record.retention_class,
            retain_until=found.record.retain_until,
            computed_until=found.computed.until,
            term_years=found.computed.years,
            term_source=found.computed.source,
            term_pack=found.computed.pack,
            term_until_age=found.computed.until_age,
            term_over=found.term_over,
            visits=[_visit(each) for each in found.visits],
        )
        if found.term_over_at is not None:
            set_timestamp(message.term_over_at, found.term_over_at)
        return message

    async def get_patient_visits(self, request: GetPatientVisitsRequest) -> GetPatientVisitsResponse:
        """The patient's records, as far as retention asks."""
        patient_id = required_uuid(request.patient_id, "patient_id")
        found = await (await self._ledger.outlook(request.hospital)).patient_visits(patient_id)
        return GetPatientVisitsResponse(visits=[_visit(each) for each in found])


def _deadline(each: domain.Deadline, *, missed: bool) -> Deadline:
    message = Deadline(
        rule=each.rule,
        subject_id=str(each.subject_id or ""),
        since=to_timestamp(each.since),
        due_at=to_timestamp(each.due_at),
        missed=missed,
        source=each.source,
        in_working_days=each.in_working_days,
        undated=each.undated,
    )
    if each.met_at is not None:
        message.met_at.CopyFrom(to_timestamp(each.met_at))
    return message


def _reported(each: Missed, *, holds: bool) -> ReportedMiss:
    due_at = to_timestamp(each.due_at)
    return ReportedMiss(rule=each.rule, subject_id=str(each.subject_id or ""), due_at=due_at, holds=holds)


def _offer(each: Transfer, *, over: bool) -> UnansweredOffer:
    message = UnansweredOffer(transfer_id=str(each.transfer_id), over=over)
    if each.expires_at is not None:
        set_timestamp(message.expires_at, each.expires_at)
    return message


def _visit(each: Visit) -> PatientVisit:
    return PatientVisit(record_id=str(each.record_id), retention_class=each.retention_class, phase=_phase(each.phase))


def _phase(phase: str) -> Phase.ValueType:
    return Phase.Value(f"PHASE_{phase}")
