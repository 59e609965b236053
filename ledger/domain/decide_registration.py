"""The decision that forms a record: what the archive will need is fixed now (front-end control)."""

from __future__ import annotations

from uuid import UUID

from ledger.domain.commands import RegisterRecord
from ledger.domain.decision import PATIENT, Bump, Claim, Decision, Facts, Reservation
from ledger.domain.events import RecordRegistered
from ledger.domain.faults import Faults, refuse
from ledger.domain.guards import CODE_MAX, check_source, check_time, expect, source_claim, taken_before
from ledger.domain.held_items import check_fact, check_fact_shape, fact_claims
from ledger.domain.patient_lifecycle import phase_faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import RecordState, StreamState

VISITS_MAX = 100_000
"""Visits of one type that one patient can have."""


def register_record(command: RegisterRecord, state: StreamState | None, facts: Facts) -> Decision:
    """One episode of one patient; unique by case number, visit type and sequence."""
    if facts.claimed is not None and facts.claimed.taken not in (Taken.RECORD, Taken.LINKED):
        raise refuse(RefusalKind.STATE, "context.source", "SOURCE_ELSEWHERE", "something else holds the item")
    absorbed = facts.patient.absorbed if facts.patient else frozenset[UUID]()
    # A record of the half that was merged into the patient is the patient's.
    if facts.claimed is not None and expect(state, RecordState, "context.source").patient_id not in {
        command.patient_id,
        *absorbed,
    }:
        raise refuse(RefusalKind.STATE, "patient_id", "SOURCE_ELSEWHERE", "the item is a record of another patient")
    if facts.claimed is not None and (taken_before(facts, Taken.RECORD) or taken_before(facts, Taken.LINKED)):
        return Decision(facts.claimed.stream_id, "record", ())
    faults = Faults()
    patient = facts.patient
    if patient is None:
        faults.add("patient_id", "UNKNOWN_PATIENT", "no such patient in this hospital", RefusalKind.NOT_FOUND)
    else:
        faults.note_all(phase_faults(RegisterRecord, patient), RefusalKind.STATE)
    if not 1 <= command.visit_sequence <= VISITS_MAX:
        faults.add("visit_sequence", "OUT_OF_RANGE", f"visits are counted from 1 to {VISITS_MAX}")
    faults.require(command.department, "department")
    faults.text(command.department, "department", CODE_MAX)
    check_time(facts, faults)
    check_source(facts, faults)
    check_fact_shape(facts.context.fact_sha256, "context.fact_sha256", faults)
    if facts.context.source is not None:
        check_fact(facts.context.source, facts.fact, None, "context.source", faults)
    if facts.claimed is not None:
        faults.add("context.source", "SOURCE_CHANGED", "a registration is never changed", RefusalKind.STATE)
    faults.refuse_if_any()
    assert patient is not None  # noqa: S101 - its absence is a fault above
    event = RecordRegistered(
        meta=facts.meta(),
        patient_id=command.patient_id,
        case_number=patient.case_number,
        visit_type=command.visit_type,
        visit_sequence=command.visit_sequence,
        department=command.department,
        identity=patient.identity,
        retention_class=facts.pack.retention[command.visit_type].name,
        rule_pack=facts.pack.id,
        rule_pack_version=facts.pack.version,
    )
    visit = (patient.case_number, command.visit_type, str(command.visit_sequence))
    claims: list[Reservation] = [
        Claim("visit", visit, group=(patient.case_number,)),
        Bump(PATIENT, (str(command.patient_id),), facts.patient_bumps),
    ]
    if (source := source_claim(facts, Taken.RECORD)) is not None:
        claims.append(source)
    claims += fact_claims(facts.context.source, facts.context.fact_sha256, facts.fact, command.patient_id)
    return Decision(facts.ids[0], "record", (event,), tuple(claims))


DECISIONS = {RegisterRecord: register_record}
