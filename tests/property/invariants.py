"""What holds of every step of a record's life: the invariants of the life cycle, without the declaration's guards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from ledger.domain.allowed_actions import actor_faults, reasons_against
from ledger.domain.command_guards import is_person
from ledger.domain.commands import ArchiveRecord, Command, PassQuality, ReturnRecord, SubmitRecord
from ledger.domain.course_commands import CorrectTime, CountersignEntry, FileLateItem, IdentifyPatient
from ledger.domain.deadlines import deadlines
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.keeping_commands import (
    AccountForPaper,
    AnswerPatientRequest,
    AppraiseDisposal,
    ApproveDisposal,
    ApproveReopen,
    DestroyRecord,
    ExtendSeal,
    IssueCopy,
    LendRecord,
    LiftHold,
    LiftRestriction,
    MovePaper,
    PlaceHold,
    RearchiveRecord,
    RenewLoan,
    SealRecord,
    UnsealRecord,
)
from ledger.domain.keeping_values import SealMode, UnsealGround
from ledger.domain.lifecycle import KEPT, RULES, allowed_phases
from ledger.domain.newborn_commands import CorrectBirth, RestoreNewborn, WithdrawNewborn
from ledger.domain.pack_short_path import SHORT_PATH
from ledger.domain.sample_commands import AssessSample
from ledger.domain.seal_guards import OTHER_SIDE
from ledger.domain.state import Entry, EntryVersion, RecordState
from ledger.domain.state_guards import CARE_GOES_ON, FINAL, NOT_FULLY_SEALED, NOT_HELD
from ledger.domain.subjects import subject_of
from ledger.domain.values import EntryState, Phase, VisitType
from tests.property.endorsed_steps import check_endorsed
from tests.property.walks import Step
from tests.unit.domain.given import CLOCK, MANDATORY

_LEFT_TO_ROLES: dict[type[Command], str] = {
    PassQuality: "pass_quality",
    ReturnRecord: "return_record",
    AssessSample: "assess_sample",
    ApproveReopen: "approve_reopen",
    SealRecord: "seal_record",
    ExtendSeal: "seal_record",
    UnsealRecord: "seal_record",
    IssueCopy: "issue_copy",
    LendRecord: "lend_record",
    AccountForPaper: "account_for_paper",
    MovePaper: "account_for_paper",
    RenewLoan: "lend_record",
    AppraiseDisposal: "appraise_disposal",
    ApproveDisposal: "approve_disposal",
    DestroyRecord: "destroy_record",
    PlaceHold: "place_hold",
    LiftHold: "lift_hold",
    AnswerPatientRequest: "answer_request",
    LiftRestriction: "answer_request",
    CorrectBirth: "correct_newborn",
    WithdrawNewborn: "correct_newborn",
    RestoreNewborn: "correct_newborn",
}


def check_step(step: Step) -> None:
    """Every invariant of one step that was done."""
    check_phase(step)
    check_said_allowed(step)
    check_copies(step)
    check_versions(step)
    check_times(step)
    check_moves(step)
    check_reopened(step)
    check_kept_content(step)
    check_holds(step)
    check_family(step)
    check_consultations(step)
    check_seals(step)
    check_two_persons(step)
    check_samples(step)
    check_endorsed(step)
    check_archived(step)
    check_offices(step)
    check_retention(step)


def check_phase(step: Step) -> None:
    """What was done was allowed there, and led to a phase that the declaration names; nothing after the end."""
    if step.after.version == step.before.version:
        return  # The date that stands already is said once more: nothing is written, wherever the record is by now.
    rule, record = RULES[type(step.command)], step.before
    late = {Phase.SUBMITTED} if type(step.command).__name__ == "RecordEntry" else set[Phase]()
    assert record.phase in allowed_phases(type(step.command), record.visit_type) | late
    assert step.after.phase in rule.leads(record.phase)
    assert step.after.archiving.in_error >= (record.archiving.in_error and step.after.phase is not Phase.DESTROYED)
    assert not (record.archiving.in_error and step.after.phase in {Phase.ARCHIVED, Phase.REOPENED})
    assert not (step.after.archiving.in_error and deadlines(step.after, step.facts.pack, step.facts.now))
    assert record.phase is not Phase.DESTROYED
    if step.after.phase is Phase.DESTROYED:
        assert not record.overlays.holds
        assert not record.overlays.seals
        assert not record.overlays.loans
        assert all(paper.outcome for paper in record.overlays.papers.values())
        assert all(visit.phase not in {Phase.REGISTERED, Phase.ACTIVE} for visit in step.facts.visits)
        today = step.facts.pack.deadlines.calendar.day_of(step.facts.now)
        assert record.retain_until <= today.isoformat()
        assert step.facts.context.actor is not CLOCK


def check_said_allowed(step: Step) -> None:
    """What was done had something to name: the list of allowed actions had not said no, to nobody and to who did it."""
    if step.after.version > step.before.version:
        assert not list(reasons_against(type(step.command), step.before, step.facts))
        assert not list(actor_faults(type(step.command), step.before, step.facts))


def check_copies(step: Step) -> None:
    """No copy shows what was retracted."""
    for copy in step.after.overlays.copies.keys() - step.before.overlays.copies.keys():
        shown = [each.entry_id for each in step.after.overlays.copies[copy].versions]
        assert not any(step.before.entries[each].retracted for each in shown)


def check_versions(step: Step) -> None:
    """Every version of every entry stays as it was; a countersignature adds a name to the last one only, and so
    does a signature by certificate, which takes none away.

    Of a destroyed record none remains.
    """
    if step.after.phase is Phase.DESTROYED:
        assert not step.after.entries
        return
    for entry_id, entry in step.before.entries.items():
        after = step.after.entries[entry_id].versions
        assert [each.version for each in after] == list(range(1, len(after) + 1))
        for old, new in zip(entry.versions, after, strict=False):
            assert _unsigned(old) == _unsigned(new)
            assert new.certified[: len(old.certified)] == old.certified
            assert new is after[-1] or new.certified == old.certified


def _unsigned(version: EntryVersion) -> EntryVersion:
    return replace(version, state=EntryState.DRAFT, countersignature=None, countersigned_version=0, certified=())


def check_times(step: Step) -> None:
    """Under a hold, or where all that is finished lies under seals of originals, a corrected time changes nothing.

    What a hold or such a seal lists keeps its time whatever is done. Start, moves and end follow each other.
    """
    after = step.after
    stay = (after.started_at, *(each.moved_at for each in after.moves), after.ended_at)
    said = [at for at in stay if at is not None]
    assert said == sorted(said)
    for entry_id in listed_entries(step.before) if step.after.phase is not Phase.DESTROYED else ():
        assert step.after.entries[entry_id].happened_at == step.before.entries[entry_id].happened_at
    sealed = listed_entries(step.before, originals=True)
    finished = {each.entry_id for each in step.before.entries.values() if each.state is not EntryState.DRAFT}
    if isinstance(step.command, CorrectTime) and (step.before.overlays.holds or (sealed and finished <= sealed)):
        assert times_of_the_stay(step.after) == times_of_the_stay(step.before)


def check_moves(step: Step) -> None:
    """Each move's note is its own, and stood when the patient went; no move takes its note away again."""
    notes = [each.note_entry_id for each in step.after.moves]
    assert notes[: len(step.before.moves)] == [each.note_entry_id for each in step.before.moves]
    named = [each for each in notes if each is not None]
    assert len(named) == len(set(named))
    for each in notes[len(step.before.moves) :]:
        assert each is None or not step.before.entries[each].retracted


def times_of_the_stay(record: RecordState) -> list[datetime | None]:
    """Every time but those of entries."""
    asked = record.consultations.values()
    consultations = [at for each in asked for at in (each.requested_at, each.arrived_at, each.answered_at)]
    return [record.started_at, *(each.moved_at for each in record.moves), record.ended_at, *consultations]


def check_reopened(step: Step) -> None:
    """In a window only what it names is changed or added, and only while it is open; late items are beside it."""
    window = step.before.overlays.reopening
    if step.before.phase is not Phase.REOPENED or isinstance(step.command, FileLateItem | CountersignEntry):
        return
    assert window is not None
    assert window.expires_at is not None
    before, after = step.before.entries, step.after.entries
    changed = {each for each in before if _content(after[each]) != _content(before[each])}
    added = [after[each] for each in after.keys() - before.keys()]
    assert changed <= window.entry_ids
    assert {each.last.content.template for each in added} <= set(window.templates)
    assert not (changed or added) or step.facts.now <= window.expires_at


def _content(entry: Entry) -> tuple[object, ...]:
    return len(entry.versions), entry.retracted, entry.happened_at


def check_kept_content(step: Step) -> None:
    """An archived case changes its content in an open window only; late items are added, and nothing else."""
    if isinstance(step.command, FileLateItem):
        check_late_item(step, step.command)
    elif step.before.phase in KEPT and step.after.phase is not Phase.DESTROYED:
        assert _as_written(step.after) == _as_written(step.before)


def _as_written(record: RecordState) -> dict[UUID, Entry]:
    """Its entries, but for when they came to be about somebody else: an identification says that, and changes none."""
    return {each: replace(record.entries[each], led_versions=()) for each in record.entries}


def _may_be_reopened(step: Step) -> bool:
    barred = (NOT_HELD.faults(step.before, step.facts), NOT_FULLY_SEALED.faults(step.before, step.facts))
    return not any(map(tuple, barred))


def check_late_item(step: Step, command: FileLateItem) -> None:
    """One report more, final; what was there stays, and a report that it corrects names it: never another entry."""
    before, after = step.before.entries, step.after.entries
    (new,) = after.keys() - before.keys()
    if after[new].last.content.template not in step.facts.pack.late_items:
        # Nobody may reopen it: what is held or sealed stays as it is, and the new note of the course lies beside.
        assert not _may_be_reopened(step)
        assert after[new].last.content.template in step.facts.pack.late_beside
        second = after[new].confirmed_by
        assert second
        assert len({second.id, step.facts.context.actor.id, CLOCK.id}) == 3
        assert command.corrects_entry_id is None
    assert after[new].state in FINAL
    assert not step.before.archiving.in_error
    for entry_id, entry in before.items():
        if entry_id != command.corrects_entry_id:
            assert after[entry_id] == entry
            continue
        changed = after[entry_id].changed_version
        assert step.before.version < changed <= step.after.version
        assert after[entry_id] == replace(entry, corrected_by=(*entry.corrected_by, new), changed_version=changed)
        assert entry.last.content.template == after[new].last.content.template
        assert entry_id not in listed_entries(step.before, originals=True)


def listed_entries(record: RecordState, *, originals: bool = False) -> set[UUID]:
    """What seals of originals list, or holds and these."""
    seals = [each for each in record.overlays.seals.values() if each.mode is SealMode.ORIGINAL]
    overlays = seals if originals else [*seals, *record.overlays.holds.values()]
    return {each.entry_id for overlay in overlays for each in overlay.versions}


def check_holds(step: Step) -> None:
    """What a hold or the seal of an original lists is not changed: no next version, no retraction, no signed draft, nor
    whom it is about. Whose the record is stays too, but under a seal while care goes on: two persons put that right.
    """
    for entry_id in listed_entries(step.before) if step.after.phase is not Phase.DESTROYED else ():
        before, after = step.before.entries[entry_id], step.after.entries[entry_id]
        assert (len(after.versions), after.retracted) == (len(before.versions), before.retracted)
        assert subject_of(step.after, after) == subject_of(step.before, before)
    kept = step.before.overlays.holds or step.before.phase not in CARE_GOES_ON
    if listed_entries(step.before) and step.before.identified and step.after.phase is not Phase.DESTROYED:
        if kept:
            assert step.after.patient_id == step.before.patient_id
        elif step.after.patient_id != step.before.patient_id:
            assert isinstance(step.command, IdentifyPatient | WithdrawIdentification)
            assert step.command.confirmed_by
            assert step.command.confirmed_by.id != step.facts.context.actor.id


def check_consultations(step: Step) -> None:
    """Nobody comes to or answers the own question, or another department's than the own as far as that is known, and no
    program does; what a consultant came to is withdrawn by a role that the pack leaves it to, and what was withdrawn
    stays so.
    """
    for asked_id, asked in step.before.consultations.items() if step.after.phase is not Phase.DESTROYED else ():
        after = step.after.consultations[asked_id]
        assert asked.withdrawn_at is None or after.withdrawn_at == asked.withdrawn_at
        came = after.arrived_by != asked.arrived_by
        if came or after.entry_id not in (None, asked.entry_id):
            assert step.facts.context.actor.id != asked.requested_by
            assert is_person(step.facts.context.actor)
            assert step.facts.context.actor.department in ("", asked.to_department)
        if after.withdrawn_at is not None and asked.withdrawn_at is None and asked.arrived_at is not None:
            assert step.facts.may("withdraw_consultation")


def check_family(step: Step) -> None:
    """The patient of a record and its newborns who stand are as many persons."""
    born = [each.patient_id for each in step.after.newborns.values() if not each.withdrawn and each.patient_id]
    persons = [step.after.patient_id, *born] if step.after.phase is not Phase.DESTROYED else []
    assert len(set(persons)) == len(persons)


def check_seals(step: Step) -> None:
    """Two persons each time, one of the hospital and one of the other side; alone the hospital brings two."""
    command = step.command
    if not isinstance(command, SealRecord | ExtendSeal | UnsealRecord):
        return
    actor, second = step.facts.context.actor, command.second_person
    assert second is not None
    assert len({actor.id, second.id, CLOCK.id}) == 3
    assert actor.role not in OTHER_SIDE
    alone = isinstance(command, UnsealRecord) and command.ground is not UnsealGround.BOTH_PRESENT
    assert (second.role in OTHER_SIDE) is not alone
    if isinstance(command, SealRecord):
        (new,) = step.after.overlays.seals.keys() - step.before.overlays.seals.keys()
        assert step.after.overlays.seals[new].second_persons == (second,)


def check_two_persons(step: Step) -> None:
    """Who asks for a reopening or proposes a disposal approves neither; others than who proposed it destroy.

    The clock is none of them.
    """
    before, actor = step.before, step.facts.context.actor
    match step.command:
        case ApproveReopen():
            assert before.overlays.reopening
            assert len({before.overlays.reopening.requested_by, actor.id, CLOCK.id}) == 3
        case ApproveDisposal():
            assert before.archiving.disposal
            assert len({before.archiving.disposal.proposed_by, actor.id, CLOCK.id}) == 3
        case DestroyRecord():
            assert before.archiving.disposal
            assert before.archiving.disposal.approved_by
            assert step.facts.disposal_list
            people = [each.id for each in step.facts.disposal_list.supervisors]
            assert len({*people, before.archiving.disposal.proposed_by, CLOCK.id}) == len(people) + 2 == 4
            assert actor.id not in people
        case _:
            pass


def check_samples(step: Step) -> None:
    """Nobody judges what he or she archived; what passed is final for its draw, what did not stands until mended."""
    if not isinstance(step.command, AssessSample):
        return
    before, after = step.before.archiving, step.after.archiving
    assert step.facts.context.actor.id not in before.archived_by
    assert step.command.draw.seed not in before.passed_draws
    if before.sample is not None and not before.sample.passed:
        assert before.sampled_version < before.rearchived_version < after.sampled_version == step.after.version


def check_archived(step: Step) -> None:
    """Complete and signed it is handed in and archived, once quality control has passed it but on the short path."""
    if not isinstance(step.command, SubmitRecord | ArchiveRecord | RearchiveRecord):
        return
    before = step.before
    if isinstance(step.command, ArchiveRecord) and before.visit_type not in SHORT_PATH:
        assert before.archiving.passed
    accepted = "physician_in_charge" in before.archiving.never_written
    if isinstance(step.command, ArchiveRecord):
        assert before.responsible or before.care_historical or accepted
    assert not isinstance(step.command, ArchiveRecord) or any(not each.retracted for each in before.entries.values())
    for each in before.entries.values():
        accepted = each.entry_id in before.archiving.deficiencies
        assert each.retracted or accepted or each.last.historical or each.state in FINAL
    if before.visit_type is VisitType.INPATIENT:
        there = {each.last.content.template for each in before.entries.values() if not each.retracted}
        assert _mandatory(before) - there <= set(before.archiving.never_written)


def _mandatory(record: RecordState) -> set[str]:
    """What an inpatient's record must hold: a first course note only after a stay of more than eight hours."""
    assert record.started_at
    assert record.ended_at
    stayed = record.ended_at.replace(microsecond=0) - record.started_at
    return {each.template for each in MANDATORY} - ({"first_course_note"} if stayed <= timedelta(hours=8) else set())


def check_offices(step: Step) -> None:
    """What the pack leaves to roles is done by these alone; no program passes or returns a record."""
    name = _LEFT_TO_ROLES.get(type(step.command))
    assert name is None or step.facts.may(name)
    if isinstance(step.command, PassQuality | ReturnRecord | AssessSample):
        assert step.facts.context.actor != CLOCK


def check_retention(step: Step) -> None:
    """The date never shrinks; an archived case has one. Of a destroyed record nothing remains to be kept."""
    if step.after.phase is Phase.DESTROYED:
        return
    assert step.after.retain_until >= step.before.retain_until
    assert step.after.retain_until or step.after.phase not in KEPT
