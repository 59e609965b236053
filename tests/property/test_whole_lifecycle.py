"""Every invariant of the life cycle, on random walks over every command that the declaration knows.

`LEDGER_SOAK_EXAMPLES` makes the walks as many as wanted (`make soak`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import event as note_to_hypothesis
from hypothesis import strategies as st

from ledger.domain.commands import Command, PassQuality, ReturnRecord
from ledger.domain.course_commands import FileLateItem
from ledger.domain.deadlines import deadlines
from ledger.domain.decide import decide
from ledger.domain.decision import Decision, Facts
from ledger.domain.evolve import evolve
from ledger.domain.keeping_commands import (
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
    PlaceHold,
    RenewLoan,
    SealRecord,
    UnsealRecord,
)
from ledger.domain.keeping_values import SealMode, UnsealGround
from ledger.domain.lifecycle import KEPT, RULES, allowed_phases
from ledger.domain.newborn_commands import CorrectBirth, RestoreNewborn, WithdrawNewborn
from ledger.domain.refusal import Refused
from ledger.domain.seal_guards import OTHER_SIDE
from ledger.domain.state import EntryVersion, RecordState, StreamState
from ledger.domain.state_guards import FINAL, NOT_FULLY_SEALED, NOT_HELD
from ledger.domain.values import Actor, IdentityStatus, Phase, VisitType
from tests.property.lifecycle_commands import COMMANDS, PEOPLE, Pick
from tests.unit.domain.given import (
    CLOCK,
    NOW,
    PACKAGE,
    TERM,
    Stream,
    active,
    archived,
    by_signer,
    closed,
    condemned,
    due,
    emptied,
    facts,
    patient,
    permanent,
    registered,
    reopened,
    submitted,
    visit_of,
    wrong,
    wrong_and_due,
)

pytestmark = pytest.mark.property
EXAMPLES = int(os.environ.get("LEDGER_SOAK_EXAMPLES", "200"))
STEPS_MAX = 60
_LEFT_TO_ROLES: dict[type[Command], str] = {
    PassQuality: "pass_quality",
    ReturnRecord: "return_record",
    ApproveReopen: "approve_reopen",
    SealRecord: "seal_record",
    ExtendSeal: "seal_record",
    UnsealRecord: "seal_record",
    IssueCopy: "issue_copy",
    LendRecord: "lend_record",
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
_END_OF_LIFE = frozenset({Phase.VOIDED, Phase.DESTROYED})


@dataclass(frozen=True)
class Draw:
    """One step of a walk, as drawn: which command is taken depends on the state that it meets."""

    choice: int
    among: str
    """`any` command, one that is `allowed` in the phase, or one that moves the record `on` to another phase."""
    pick: Pick
    actor: Actor
    wait: timedelta
    other_stay: bool


@dataclass(frozen=True)
class Step:
    """A command of a walk, with the record before and after; `done` is False where it was refused."""

    command: Command
    facts: Facts
    before: RecordState
    after: RecordState
    done: bool


@dataclass
class Walk:
    """A record that lives through the drawn steps."""

    stream: Stream
    now: timedelta = timedelta()

    def steps(self, draws: list[Draw]) -> Iterator[Step]:
        """Every step in turn."""
        for number, draw in enumerate(draws):
            self.now += draw.wait
            yield self._step(number, draw)
        note_to_hypothesis(f"ends {self.stream.record.phase}")

    def _step(self, number: int, draw: Draw) -> Step:
        record = self.stream.record
        known = self._facts(number, draw, record)
        kind = chosen(record, draw)
        command = COMMANDS[kind](record, known, draw.pick)
        known = by_signer(command, known)
        try:
            decision = decide(command, record, known)
        except Refused as refused:
            check_refusal(refused)
            return Step(command, known, record, record, done=False)
        for each in decision.events:
            self.stream.apply(each, known.now)
        return Step(command, known, record, self.stream.record, done=True)

    def _facts(self, number: int, draw: Draw, record: RecordState) -> Facts:
        own = visit_of(self.stream)
        other = replace(own, phase=Phase.ACTIVE, ended_at=None)
        return facts(
            first_id=10_000 + 100 * number,
            now=NOW + self.now,
            actor=draw.actor,
            counterpart_known=True,
            package=PACKAGE,
            patient=patient(),
            leaves=tuple(bytes([index % 256]) * 32 for index in range(record.version)),
            visits=(own, other) if draw.other_stay else (own,),
        )


def chosen(record: RecordState, draw: Draw) -> type[Command]:
    """The command of a step: mostly one that the phase allows or that leads on, so that late phases are reached."""
    allowed = [each for each in RULES if record.phase in allowed_phases(each, record.visit_type)]
    on = [each for each in allowed if RULES[each].leads(record.phase) - {record.phase}]
    among = {"any": list(RULES), "allowed": allowed, "on": on}[draw.among] or list(RULES)
    return among[draw.choice % len(among)]


drawn = st.builds(
    Draw,
    choice=st.integers(0, 10_000),
    among=st.sampled_from(["on", "allowed", "on", "any"]),
    pick=st.builds(Pick, st.integers(0, 200), st.sampled_from([False, False, True])),
    actor=st.sampled_from(PEOPLE),
    wait=st.sampled_from(
        [timedelta(seconds=1), timedelta(minutes=30), timedelta(days=1), timedelta(days=40), timedelta(days=365 * 20)]
    ),
    other_stay=st.sampled_from([False, False, False, True]),
)
walks = st.lists(drawn, max_size=STEPS_MAX)
_BEGINNINGS: dict[str, tuple[Callable[[VisitType], Stream], timedelta]] = {
    "registered": (registered, timedelta()),
    "unidentified": (lambda visit: active(visit, identity=IdentityStatus.UNVERIFIED), timedelta()),
    "closed": (closed, timedelta()),
    "emptied": (emptied, timedelta()),
    "submitted": (lambda _: submitted(), timedelta()),
    "archived": (lambda _: archived(), timedelta()),
    "reopened": (lambda _: reopened(), timedelta()),
    "due": (lambda _: due(), TERM),
    "permanent": (lambda _: permanent(), TERM),
    "condemned": (lambda _: condemned(), TERM),
    "wrong": (wrong, timedelta()),
    "wrong and due": (wrong_and_due, TERM),
}
"""From the name of a beginning to the record and to how much later than NOW its last events are."""
beginnings = st.tuples(st.sampled_from(sorted(_BEGINNINGS)), st.sampled_from(list(VisitType)))


def begun(beginning: tuple[str, VisitType]) -> Walk:
    """A walk that begins with a record in that phase."""
    make, since = _BEGINNINGS[beginning[0]]
    stream = make(beginning[1])
    return Walk(stream, since)


@given(beginnings, walks)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_invariant_holds_on_every_walk(beginning: tuple[str, VisitType], draws: list[Draw]) -> None:
    """Phase, entries, holds, retention, the end: nothing happens but what the declaration and the invariants allow."""
    walk = begun(beginning)
    for step in walk.steps(draws):
        if step.done:
            check_phase(step)
            check_versions(step)
            check_kept_content(step)
            check_holds(step)
            check_seals(step)
            check_offices(step)
            check_retention(step)
    check_replay(walk)


def check_refusal(refused: Refused) -> None:
    """A refusal names its faults, each with a rule; that nothing was written, the replay shows."""
    assert refused.violations
    assert all(each.rule for each in refused.violations)


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
    assert not (step.after.archiving.in_error and deadlines(step.after, step.facts.pack))
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


def check_versions(step: Step) -> None:
    """Every version of every entry stays as it was; a countersignature adds a name to the last one only.

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


def _unsigned(version: EntryVersion) -> EntryVersion:
    return replace(version, state=version.content and version.state.DRAFT, countersignature=None)


def check_kept_content(step: Step) -> None:
    """An archived case changes its content in an open window only; late items are added, and nothing else."""
    if isinstance(step.command, FileLateItem):
        check_late_item(step, step.command)
    elif step.before.phase in KEPT and step.after.phase is not Phase.DESTROYED:
        assert step.after.entries == step.before.entries


def _may_be_reopened(step: Step) -> bool:
    barred = (NOT_HELD.faults(step.before, step.facts), NOT_FULLY_SEALED.faults(step.before, step.facts))
    return not any(map(tuple, barred))


def check_late_item(step: Step, command: FileLateItem) -> None:
    """One report more, final; what was there stays, and a report that it corrects names it: never another entry."""
    before, after = step.before.entries, step.after.entries
    (new,) = after.keys() - before.keys()
    if after[new].last.content.template not in step.facts.pack.late_items:
        # Nobody may reopen it: what is held or sealed stays as it is, and the new note lies beside.
        assert not _may_be_reopened(step)
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
    """What a hold or the seal of an original lists is not changed: no next version, no retraction, no signed draft."""
    for entry_id in listed_entries(step.before) if step.after.phase is not Phase.DESTROYED else ():
        before, after = step.before.entries[entry_id], step.after.entries[entry_id]
        assert (len(after.versions), after.retracted) == (len(before.versions), before.retracted)


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


def check_offices(step: Step) -> None:
    """What the pack leaves to roles is done by these alone; no program passes or returns a record."""
    name = _LEFT_TO_ROLES.get(type(step.command))
    assert name is None or step.facts.may(name)
    if isinstance(step.command, PassQuality | ReturnRecord):
        assert step.facts.context.actor != CLOCK


def check_retention(step: Step) -> None:
    """The date never shrinks; an archived case has one. Of a destroyed record nothing remains to be kept."""
    if step.after.phase is Phase.DESTROYED:
        return
    assert step.after.retain_until >= step.before.retain_until
    assert step.after.retain_until or step.after.phase not in KEPT


def check_replay(walk: Walk) -> None:
    """A replayed prefix is the state of that moment."""
    state: StreamState | None = None
    for version, (each, at) in enumerate(zip(walk.stream.events, walk.stream.times, strict=True), start=1):
        state = evolve(state, each, version, at)
        assert state == walk.stream.history[version], type(each).__name__


@given(beginnings, walks)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_decision_is_the_same_everywhere_and_always(beginning: tuple[str, VisitType], draws: list[Draw]) -> None:
    """Same command, state and facts: the same decision or the same faults, however often it is asked."""
    for step in begun(beginning).steps(draws):
        assert _decided(step) == _decided(step)


def _decided(step: Step) -> Decision | tuple[object, ...]:
    try:
        return decide(step.command, step.before, step.facts)
    except Refused as refused:
        return refused.violations


@given(st.sampled_from(list(VisitType)), st.lists(drawn, min_size=1, max_size=30))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_care_is_never_blocked_by_an_archive_rule(visit: VisitType, draws: list[Draw]) -> None:
    """Whatever holds, seals, loans or requests stand: a note is written during care, and a late result at any time."""
    walk = begun(("registered", visit))
    for step in walk.steps(draws):
        record = step.after
        if record.phase in {Phase.ACTIVE, Phase.CLOSED, Phase.RETURNED}:
            assert _accepted(walk, "RecordEntry", step)
        if record.phase in KEPT | {Phase.SUBMITTED} and not record.archiving.in_error:
            assert _accepted(walk, "FileLateItem", step)


def _accepted(walk: Walk, name: str, step: Step) -> bool:
    make = next(make for kind, make in COMMANDS.items() if kind.__name__ == name)
    known = replace(step.facts, ids=tuple(each for each in step.facts.ids))
    command = make(walk.stream.record, known, Pick(4))
    decide(command, walk.stream.record, by_signer(command, known))
    return True


def test_the_walks_reach_every_phase() -> None:
    """The model is no walk around the entrance: each phase of the declaration is reached by some fixed walk."""
    reached: Counter[Phase] = Counter()

    @given(beginnings, walks)
    @settings(
        max_examples=5_000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
    )
    def collect(beginning: tuple[str, VisitType], draws: list[Draw]) -> None:
        if len(reached) == len(Phase):
            return
        for step in begun(beginning).steps(draws):
            reached[step.after.phase] += 1

    collect()
    assert set(reached) == set(Phase)
