"""The decision by which a second person endorses an act beforehand, and what an act says of the one it used up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ledger.domain.course_commands import EndorseAct
from ledger.domain.decision import Decision, Facts
from ledger.domain.endorsed_acts import act_endorsed
from ledger.domain.endorsement_events import ActEndorsed, EndorsementUsed
from ledger.domain.endorsement_guards import used_by
from ledger.domain.guards import CODE_MAX, begin, check_reason, expect, on_record
from ledger.domain.state import RecordState, StreamState


def endorse_act(command: EndorseAct, state: StreamState | None, facts: Facts) -> Decision:
    """The sender will stand beside whoever does it, for the hours of the record's pack and once."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    if command.content is not None:
        faults.require(command.content.template, "content.template")
        faults.text(command.content.template, "content.template", CODE_MAX)
    faults.refuse_if_any()
    act, expires_at = act_endorsed(command), facts.now + timedelta(hours=facts.pack.keeping.endorsement_hours)
    event = ActEndorsed(
        facts.meta(),
        facts.ids[0],
        act.act,
        act.subject_id,
        act.template,
        act.content_sha256,
        command.reason,
        expires_at,
    )
    return on_record(command.record_id, event, endorsement_id=facts.ids[0])


def used_up(command: Any, record: RecordState, facts: Facts) -> tuple[EndorsementUsed, ...]:
    """The last event of an act that took two persons of the hospital; none of one that did not."""
    endorsed = used_by(command, record)
    return () if endorsed is None else (EndorsementUsed(facts.meta(), endorsed.endorsement_id),)


DECISIONS = {EndorseAct: endorse_act}
