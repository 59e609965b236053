"""A record's state as the contract's messages."""

from __future__ import annotations

from uuid import UUID

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.api.v1 import records_pb2 as records
from ledger.application.errors import UnknownEntry
from ledger.application.message_codec import to_message, to_timestamp
from ledger.application.views_of_state import RecordView
from ledger.domain.course_state import Consultation
from ledger.domain.keeping_state import Destruction, PatientRequest, Seal
from ledger.domain.sealed_versions import came_since
from ledger.domain.state import Archiving, Entry, RecordState, is_destroyed
from ledger.domain.subjects import subject_of
from ledger.domain.transfer_state import Transfer


def record_message(view: RecordView) -> records.Record:
    """The record with its entries, consultations and transfers; of a destroyed one what its envelopes and the
    statement of its destruction say.
    """
    state = view.state
    if is_destroyed(state):
        return _destroyed_message(view)
    message = records.Record(
        record_id=str(view.record_id),
        version=view.version,
        phase=common.Phase.Value(f"PHASE_{state.phase}"),
        patient_id=str(state.patient_id),
        case_number=state.case_number,
        visit_type=common.VisitType.Value(f"VISIT_TYPE_{state.visit_type}"),
        visit_sequence=state.visit_sequence,
        department=state.department,
        bed=state.bed,
        retention_class=state.retention_class,
        rule_pack=state.rule_pack,
        rule_pack_version=state.rule_pack_version,
        retain_until=state.retain_until,
        head_leaf=view.head_leaf,
        updated_at=to_timestamp(view.updated_at),
        identity=common.IdentityStatus.Value(f"IDENTITY_STATUS_{state.identity}"),
        entries=[_entry(state, each) for each in state.entries.values()],
        consultations=[_consultation(each) for each in state.consultations.values()],
        transfers=[_transfer(each) for each in state.transfers.values()],
        copies=[to_message(each, records.IssuedCopy) for each in state.overlays.copies.values()],
        moves=[to_message(each, records.DepartmentMove) for each in state.moves],
        time_corrections=[to_message(each, records.TimeCorrection) for each in state.time_corrections],
        foreign_results=[to_message(each, records.ForeignResult) for each in state.foreign_results],
        correct_record_id=str(state.archiving.correct_record_id or ""),
        statements=[_statement(each) for each in state.overlays.requests.values() if each.statement],
    )
    message.keeping.CopyFrom(_keeping(state))
    archiving = state.archiving
    if archiving.passed or archiving.returns or archiving.grade or archiving.sample:
        message.quality.CopyFrom(_quality(archiving))
    if state.started_at is not None:
        message.started_at.CopyFrom(to_timestamp(state.started_at))
    if state.responsible is not None:
        message.responsible.CopyFrom(to_message(state.responsible, common.Actor))
    if state.disposition is not None:
        message.disposition = common.Disposition.Value(f"DISPOSITION_{state.disposition}")
    return message


def _destroyed_message(view: RecordView) -> records.Record:
    message = records.Record(
        record_id=str(view.record_id),
        version=view.version,
        phase=common.PHASE_DESTROYED,
        head_leaf=view.head_leaf,
        updated_at=to_timestamp(view.updated_at),
    )
    destruction = view.state.archiving.destruction
    message.tombstone.CopyFrom(_tombstone(destruction) if destruction else records.Tombstone())
    return message


def _tombstone(destruction: Destruction) -> records.Tombstone:
    return records.Tombstone(
        list_id=str(destruction.list_id),
        destroyed_at=to_timestamp(destruction.destroyed_at),
        destroyed_by=to_message(destruction.destroyed_by, common.Actor),
        approved_by=to_message(destruction.approved_by, common.Actor),
        supervisors=[to_message(each, common.Actor) for each in destruction.supervisors],
        covers=destruction.covers,
        head_leaf=destruction.head_leaf,
    )


def _keeping(state: RecordState) -> values.Keeping:
    over, archiving = state.overlays, state.archiving
    message = values.Keeping(
        holds=[to_message(each, values.Hold) for each in over.holds.values()],
        seals=[_seal(state, each) for each in over.seals.values()],
        loans=[to_message(each, values.Loan) for each in over.loans.values()],
        papers=[to_message(each, values.Paper) for each in over.papers.values()],
        requests=[to_message(each, values.PatientRequest) for each in over.requests.values()],
        missed=[to_message(each, values.Missed) for each in sorted(over.missed, key=lambda each: each.due_at)],
        restricted=over.restricted,
        restricted_by=[str(each) for each in over.restrictions],
        permanent=archiving.permanent,
        endorsements=[to_message(each, values.Endorsement) for each in over.endorsements.values()],
        newborns=sorted(str(each.subject_id) for each in state.newborns.values() if not each.withdrawn),
        subjects=[to_message(each, values.Newborn) for each in state.newborns.values()],
    )
    if over.reopening is not None:
        message.reopening.CopyFrom(to_message(over.reopening, values.Reopening))
    if archiving.disposal is not None:
        message.disposal.CopyFrom(to_message(archiving.disposal, values.Disposal))
    return message


def _seal(state: RecordState, seal: Seal) -> values.Seal:
    message = to_message(seal, values.Seal)
    message.came_since.extend(to_message(each, values.EntryRef) for each in came_since(state, seal))
    return message


def _quality(archiving: Archiving) -> records.QualityStanding:
    message = records.QualityStanding(
        passed=archiving.passed,
        score=archiving.score,
        grade=archiving.grade,
        defects=[to_message(each, common.Defect) for each in archiving.defects],
        returns=archiving.returns,
    )
    if archiving.sample is not None:
        message.sample.CopyFrom(to_message(archiving.sample, records.SampleFinding))
    return message


def entry_message(state: RecordState, entry_id: UUID) -> records.Entry:
    """One entry with all its versions. Raises UnknownEntry."""
    entry = state.entries.get(entry_id)
    if entry is None:
        raise UnknownEntry(entry_id)
    return _entry(state, entry)


def _entry(state: RecordState, entry: Entry) -> records.Entry:
    return records.Entry(
        entry_id=str(entry.entry_id),
        state=common.EntryState.Value(f"ENTRY_STATE_{entry.state}"),
        versions=[to_message(each, records.EntryVersion) for each in entry.versions],
        retraction_reason=entry.retraction_reason or "",
        corrects_entry_id=str(entry.corrects.entry_id) if entry.corrects else "",
        corrects_entry_version=entry.corrects.version if entry.corrects else 0,
        corrected_by=[str(each) for each in entry.corrected_by],
        corrected_at=None if entry.corrected_at is None else to_timestamp(entry.corrected_at),
        deficiency_accepted=entry.entry_id in state.archiving.deficiencies,
        subject_id=str(subject_of(state, entry) or ""),
        confirmed_by=None if entry.confirmed_by is None else to_message(entry.confirmed_by, common.Actor),
        recorded_again=None if entry.recorded_again is None else to_message(entry.recorded_again, common.EntryPlace),
        nowhere_reason=entry.nowhere_reason,
    )


def _consultation(asked: Consultation) -> records.Consultation:
    return records.Consultation(
        consultation_id=str(asked.consultation_id),
        from_department=asked.from_department,
        to_department=asked.to_department,
        urgency=common.Urgency.Value(f"URGENCY_{asked.urgency}"),
        answered=asked.answered,
        entry_id=str(asked.entry_id or ""),
        requested_at=to_timestamp(asked.requested_at),
        arrived_at=None if asked.arrived_at is None else to_timestamp(asked.arrived_at),
        arrival_reason=asked.arrival_reason,
        answered_at=None if asked.answered_at is None else to_timestamp(asked.answered_at),
        called_at=None if asked.called_at is None else to_timestamp(asked.called_at),
        answer_reason=asked.answer_reason,
        withdrawn_at=None if asked.withdrawn_at is None else to_timestamp(asked.withdrawn_at),
        withdrawal_reason=asked.withdrawal_reason,
    )


def _statement(request: PatientRequest) -> records.PatientStatement:
    return records.PatientStatement(entry_id=str(request.entry_id or ""), text=request.statement)


def _transfer(transfer: Transfer) -> records.TransferStatus:
    return records.TransferStatus(
        transfer_id=str(transfer.transfer_id),
        counterpart=transfer.counterpart,
        state=common.TransferState.Value(f"TRANSFER_STATE_{transfer.state}"),
        record_version=transfer.record_version,
        code=transfer.code,
        outdated=transfer.outdated,
    )
