"""How events open, change and close what waits."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import (
    common_pb2,
    course_events_pb2,
    events_pb2,
    keeping_events_pb2,
    keeping_values_pb2,
    worklist_pb2,
)
from ledger.views.event import ViewEvent, unix_micros
from projections.worklist.rows import DONE, RETENTION_RUNS, WorkItemRow

Known = Mapping[str, WorkItemRow]
"""Items of the record as they stand, by name; only those that the event names."""
_Step = Callable[[ViewEvent, Any, WorkItemRow, Known], WorkItemRow]
FILING, RETURNED, RETENTION, SAMPLE = "filing", "returned", "retention", "sample"
SAMPLE_NOT_PASSED, SAMPLE_TO_CHECK = "SAMPLE_NOT_PASSED", "SAMPLE_TO_CHECK"
_ACCEPTED = "DEFICIENCY_ACCEPTED"
"""Rule of an entry that waits for nobody because its defect was accepted."""


def _entry(body: Any) -> str:
    return f"entry:{UUID(body.entry_id)}" if body.entry_id else ""


def _missed(body: Any) -> str:
    return f"missed:{body.rule}|{body.subject_id}|{unix_micros(body.due_at) or 0}"


def _consultation(body: Any) -> str:
    return f"consultation:{UUID(body.consultation_id)}"


def _loan(body: Any) -> str:
    return f"loan:{UUID(body.loan_id)}"


def _request(body: Any) -> str:
    return f"request:{UUID(body.request_id)}"


def _transfer(body: Any) -> str:
    return f"holder:{UUID(body.transfer_id)}"


def _told(body: Any) -> str:
    return f"holder:{UUID(body.holder_id)}"


def _copies(body: Any) -> tuple[str, ...]:
    return tuple(f"holder:{UUID(each)}" for each in body.copy_ids)


def _loans(body: Any) -> tuple[str, ...]:
    return tuple(f"holder:{UUID(each)}" for each in body.loan_ids)


def _borrower(body: Any) -> str:
    return f"holder:{UUID(body.loan_id)}"


def _fixed(name: str) -> Callable[[Any], str]:
    return lambda _: name


def _done(event: ViewEvent, _: Message, before: WorkItemRow, __: Known) -> WorkItemRow:
    return WorkItemRow(before.record_id, before.item, event.version)


def _opened(kind: int, rule: str, event: ViewEvent, before: WorkItemRow, **more: Any) -> WorkItemRow:
    more.setdefault("since", event.recorded_at)
    return WorkItemRow(before.record_id, before.item, event.version, kind, rule=rule, **more)


def _drafted(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    since = before.since if before.kind == worklist_pb2.WORK_KIND_DRAFT else event.recorded_at
    who = body.meta.actor.id
    kind = worklist_pb2.WORK_KIND_DRAFT
    return _opened(kind, "OPEN_DRAFT", event, before, person_id=who, since=since, subject_id=body.entry_id)


def _signed(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    if before.rule == _ACCEPTED:
        return before._replace(version=event.version)
    # What an earlier system wrote is never countersigned here.
    if body.state != common_pb2.ENTRY_STATE_AUTHORED or body.meta.historical:
        return _done(event, body, before, known)
    return _opened(worklist_pb2.WORK_KIND_COUNTERSIGN, "NOT_SIGNED", event, before, subject_id=body.entry_id)


def _amended(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    """A defect was accepted of the version that there was; the next one is signed, or accepted anew."""
    return _signed(event, body, before._replace(rule=""), known)


def _accepted(event: ViewEvent, _: Message, before: WorkItemRow, __: Known) -> WorkItemRow:
    """Nobody has to sign it any more; a draft stays a draft."""
    if before.kind == worklist_pb2.WORK_KIND_DRAFT:
        return before._replace(version=event.version)
    return WorkItemRow(before.record_id, before.item, event.version, rule=_ACCEPTED)


def _overdue(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    consultation = known.get(f"consultation:{body.subject_id}")
    return _opened(
        worklist_pb2.WORK_KIND_OVERDUE,
        body.rule,
        event,
        before,
        department=consultation.department if consultation else "",
        since=unix_micros(body.since) or event.recorded_at,
        due_at=unix_micros(body.due_at),
        subject_id=body.subject_id,
    )


def _asked(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    kind, to = worklist_pb2.WORK_KIND_CONSULTATION, body.to_department
    # Asked again it waits as long as it does for the patient: since the first time.
    since = before.since or event.recorded_at
    of = body.consultation_id
    return _opened(kind, "CONSULTATION_OPEN", event, before, department=to, subject_id=of, since=since)


def _answered(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    return _done(event, body, before, known)._replace(since=before.since)


def _returned(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    made = {"score": before.score, "grade": before.grade}
    return _opened(worklist_pb2.WORK_KIND_RETURNED, "QUALITY_RETURNED", event, before, defects=_defects(body), **made)


def _defects(body: Any) -> str:
    return json.dumps([[each.code, each.entry_id, each.text] for each in body.defects], separators=(",", ":"))


def _sampled(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    """What is good enough as it is waits for nobody; what is still wrong when it is looked at again waits as before."""
    if body.passed:
        return _done(event, body, before, known)
    kind, since = worklist_pb2.WORK_KIND_SAMPLE, before.since or event.recorded_at
    made = {"defects": _defects(body), "score": body.score, "grade": body.grade}
    return _opened(kind, SAMPLE_NOT_PASSED, event, before, since=since, **made)


def _mended(event: ViewEvent, _: Message, before: WorkItemRow, __: Known) -> WorkItemRow:
    """Nobody but quality control says that it was what was wrong."""
    rule = SAMPLE_TO_CHECK if before.rule == SAMPLE_NOT_PASSED else before.rule
    return before._replace(version=event.version, rule=rule)


def _assessed(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    """Nobody waits for it yet: whether the record is returned is said by the event after it."""
    return WorkItemRow(before.record_id, before.item, event.version, score=body.score, grade=body.grade)


def _to_file(event: ViewEvent, _: Message, before: WorkItemRow, __: Known) -> WorkItemRow:
    return _opened(worklist_pb2.WORK_KIND_NOT_FILED, "CARE_ENDED", event, before)


def _reopened(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    until = unix_micros(body.expires_at)
    return _opened(worklist_pb2.WORK_KIND_NOT_FILED, "REOPENED", event, before, due_at=until)


def _lent(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    kind, who = worklist_pb2.WORK_KIND_LOAN, body.borrower.id
    return _opened(kind, "LENT", event, before, person_id=who, due_on=body.due_on, subject_id=body.loan_id)


def _renewed(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    return before._replace(version=event.version, due_on=body.due_on if before.kind else "")


def _requested(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    kind = worklist_pb2.WORK_KIND_REQUEST
    return _opened(kind, "REQUEST_OPEN", event, before, due_on=body.due_on, subject_id=body.request_id)


def _outdated(event: ViewEvent, _: Any, before: WorkItemRow, __: Known) -> WorkItemRow:
    # The item is named after who holds it: of many copies in one event each has its own.
    of = before.item.removeprefix("holder:")
    kind, has = worklist_pb2.WORK_KIND_HOLDER, before.delivered
    return _opened(kind, "OUTDATED", event, before, subject_id=of, delivered=has)


def _delivered(event: ViewEvent, _: Any, before: WorkItemRow, __: Known) -> WorkItemRow:
    return before._replace(version=event.version, delivered=True)


def _told_or_replaced(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    return _done(event, body, before, known)._replace(delivered=before.delivered)


def _offer_over(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    """Who has the package is to be told all the same."""
    return before._replace(version=event.version) if before.delivered else _done(event, body, before, known)


def _kept_until(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    return _opened(RETENTION_RUNS, "RETAIN_UNTIL", event, before, due_on=max(before.due_on, body.retain_until))


def _kept_longer(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    """Kept for ever stays so: nothing comes due again."""
    return before if before.kind == DONE else _kept_until(event, body, before, known)


def _term_over(event: ViewEvent, body: Any, before: WorkItemRow, _: Known) -> WorkItemRow:
    due = max(before.due_on, body.retain_until)
    return _opened(worklist_pb2.WORK_KIND_RETENTION, "TERM_OVER", event, before, due_on=due)


def _appraised(event: ViewEvent, _: Message, before: WorkItemRow, __: Known) -> WorkItemRow:
    return before._replace(version=event.version, rule="APPRAISED" if before.kind else "")


def _rejected(event: ViewEvent, _: Message, before: WorkItemRow, __: Known) -> WorkItemRow:
    """To be appraised, as before anybody did."""
    return before._replace(version=event.version, rule="TERM_OVER" if before.kind else "")


def _approved(event: ViewEvent, body: Any, before: WorkItemRow, known: Known) -> WorkItemRow:
    if body.opinion == keeping_values_pb2.DISPOSAL_OPINION_KEEP:
        return _done(event, body, before, known)
    return before._replace(version=event.version, rule="APPROVED" if before.kind else "")


_STEPS: dict[type[Message], tuple[tuple[Callable[[Any], str | tuple[str, ...]], _Step], ...]] = {
    course_events_pb2.EntryDrafted: ((_entry, _drafted),),
    events_pb2.EntryRecorded: ((_entry, _signed),),
    events_pb2.EntryAmended: ((_entry, _amended),),
    course_events_pb2.LateItemFiled: ((_entry, _signed),),
    course_events_pb2.EntryCountersigned: ((_entry, _done),),
    course_events_pb2.DeficiencyAccepted: ((_entry, _accepted),),
    events_pb2.EntryRetracted: ((_entry, _done),),
    course_events_pb2.DeadlineMissed: ((_missed, _overdue),),
    course_events_pb2.DeadlineMissWithdrawn: ((_missed, _done),),
    events_pb2.ConsultationRequested: ((_consultation, _asked),),
    events_pb2.ConsultationAnswered: ((_consultation, _answered),),
    course_events_pb2.ConsultationWithdrawn: ((_consultation, _done),),
    events_pb2.CareEnded: ((_fixed(FILING), _to_file),),
    course_events_pb2.CareResumed: ((_fixed(FILING), _done),),
    course_events_pb2.RecordEnteredInError: ((_fixed(FILING), _done),),
    course_events_pb2.QualityAssessed: ((_fixed(RETURNED), _assessed),),
    events_pb2.QualityReturned: ((_fixed(RETURNED), _returned),),
    events_pb2.RecordSubmitted: ((_fixed(RETURNED), _done),),
    events_pb2.RecordArchived: ((_fixed(FILING), _done), (_fixed(RETENTION), _kept_until)),
    keeping_events_pb2.ReopenApproved: ((_fixed(FILING), _reopened),),
    keeping_events_pb2.SampleAssessed: ((_fixed(SAMPLE), _sampled),),
    keeping_events_pb2.RecordRearchived: (
        (_fixed(FILING), _done),
        (_fixed(RETENTION), _kept_longer),
        (_fixed(SAMPLE), _mended),
    ),
    keeping_events_pb2.RetentionExtended: ((_fixed(RETENTION), _kept_longer),),
    keeping_events_pb2.RetentionEnded: ((_fixed(RETENTION), _term_over),),
    keeping_events_pb2.DisposalAppraised: ((_fixed(RETENTION), _appraised),),
    keeping_events_pb2.AppraisalRejected: ((_fixed(RETENTION), _rejected),),
    keeping_events_pb2.DisposalApproved: ((_fixed(RETENTION), _approved),),
    keeping_events_pb2.LoanIssued: ((_loan, _lent),),
    keeping_events_pb2.LoanRenewed: ((_loan, _renewed),),
    keeping_events_pb2.LoanReturned: ((_loan, _done), (_borrower, _done)),
    keeping_events_pb2.PatientRequestRecorded: ((_request, _requested),),
    keeping_events_pb2.PatientRequestAnswered: ((_request, _done),),
    events_pb2.TransferOutdated: ((_transfer, _outdated),),
    events_pb2.TransferDelivered: ((_transfer, _delivered),),
    events_pb2.TransferSuperseded: ((_transfer, _told_or_replaced),),
    events_pb2.TransferWithdrawn: ((_transfer, _offer_over),),
    events_pb2.TransferRejected: ((_transfer, _offer_over),),
    keeping_events_pb2.CopiesOutdated: ((_copies, _outdated),),
    keeping_events_pb2.LoansOutdated: ((_loans, _outdated),),
    keeping_events_pb2.HolderTold: ((_told, _told_or_replaced),),
}
CHANGES_ITEMS = frozenset(_STEPS)


def items_named(event: ViewEvent) -> tuple[str, ...]:
    """The items that the event changes, and the consultation that a missed deadline is about."""
    body: Any = event.message
    names = [each for name, _ in _STEPS.get(event.body_class, ()) for each in _each(name(body))]
    if event.body_class is course_events_pb2.DeadlineMissed and body.subject_id:
        names.append(f"consultation:{body.subject_id}")
    return tuple(name for name in names if name)


def items_after(event: ViewEvent, known: Known) -> Iterable[WorkItemRow]:
    """The items after the event."""
    body: Any = event.message
    for name, step in _STEPS.get(event.body_class, ()):
        for item in _each(name(body)):
            yield step(event, body, known.get(item, WorkItemRow(event.stream_id, item, event.version)), known)


def _each(names: str | tuple[str, ...]) -> tuple[str, ...]:
    """The items of a step; an event that is about none of a kind names it by nothing."""
    return tuple(each for each in ((names,) if isinstance(names, str) else names) if each)
