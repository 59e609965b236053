"""Destruction lists and received packages on random walks: each step is decided and led as their declarations say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.decide import decide
from ledger.domain.decision import ClaimedItem
from ledger.domain.disposal_commands import (
    ApproveDisposalList,
    AuthoriseDisposalList,
    DrawUpDisposalList,
    RecordDisposalReport,
    SuperviseDisposalList,
)
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_list_rules import LIST_RULES
from ledger.domain.disposal_values import DisposalListPhase, ReportedRecord
from ledger.domain.evolve import evolve
from ledger.domain.package_rules import PACKAGE_RULES, adds_nothing
from ledger.domain.refusal import Refused
from ledger.domain.state import PackageState
from ledger.domain.transfer_commands import PackageFault
from ledger.domain.values import TransferState
from tests.property.walks import EXAMPLES
from tests.unit.domain.given import (
    APPROVER,
    ARCHIVIST,
    CLOCK,
    HEAD_OF_HOSPITAL,
    LIST,
    NOW,
    PHYSICIAN,
    RECORD,
    SUPERVISORS,
    TERM,
    condemned,
    facts,
)
from tests.unit.domain.test_disposal_list import destroyed, listed
from tests.unit.domain.test_package import ON_PACKAGE, PACKAGE_ID, RECEIVE

pytestmark = pytest.mark.property
LATER = NOW + TERM
PEOPLE = (ARCHIVIST, APPROVER, HEAD_OF_HOSPITAL, PHYSICIAN, CLOCK, *SUPERVISORS)
RECORDS = {False: listed(condemned(), "HELD"), True: listed(destroyed())}
"""The record of the list as the list finds it: held, or destroyed by it."""
walks = st.tuples(st.integers(0, 2**32), st.integers(10, 60))


class Office:
    """One stream: its events, and its state after each."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)  # noqa: S311 - a walk, not a secret
        self.events: list[Any] = []
        self.history: list[Any] = [None]

    def take(self, command: Any, **known: Any) -> set[str] | None:
        """The rules that refuse a command; None where it is done."""
        state = self.history[-1]
        try:
            decision = decide(command, state, facts(now=LATER, **known))
        except Refused as refused:
            assert self.history[-1] is state
            return {each.rule for each in refused.violations}
        for event in decision.events:
            self.events.append(event)
            self.history.append(evolve(self.history[-1], event, len(self.events), LATER))
        return None

    def check_replay(self) -> None:
        """A replayed prefix is the state of that moment."""
        state: Any = None
        for version, event in enumerate(self.events, start=1):
            state = evolve(state, event, version, LATER)
            assert state == self.history[version]


def list_steps(office: Office, length: int) -> Iterator[tuple[Any, Any, set[str] | None]]:
    """Each command on a list, with the state before and what refused it."""
    dice = office.dice
    for _ in range(length):
        state, gone = office.history[-1], dice.random() < 1 / 2
        outcome = ReportedRecord(RECORD, gone if dice.random() < 3 / 4 else not gone, () if gone else ("HELD",))
        supervisors = () if dice.random() < 3 / 4 else tuple(dice.sample(PEOPLE, 2))
        commands: list[Any] = [DrawUpDisposalList("List", (RECORD,))]
        if state is not None:
            signatures = (ApproveDisposalList(LIST), AuthoriseDisposalList(LIST), SuperviseDisposalList(LIST))
            commands = [*signatures, RecordDisposalReport(LIST, supervisors, (outcome,))]
        command, actor = dice.choice(commands), dice.choice([ARCHIVIST, APPROVER, *PEOPLE])
        known = RECORDS[gone] if state is not None else RECORDS[False]
        yield command, state, office.take(command, actor=actor, listed=known)


@given(walks)
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_walk_of_a_list_is_as_declared(walk: tuple[int, int]) -> None:
    """Forward only, by different persons, and what was drawn up, approved and reported stays as it was said."""
    office = Office(walk[0])
    for command, before, refused in list_steps(office, walk[1]):
        rule, after = LIST_RULES[type(command)], office.history[-1]
        outside = before is not None and before.phase not in rule.phases
        assert outside == (refused is not None and "PHASE_NOT_ALLOWED" in refused)
        if refused is not None:
            assert refused <= {"PHASE_NOT_ALLOWED", *(each.rule for each in rule.demands)}
            assert after is before
            continue
        assert isinstance(after, DisposalListState)
        assert after.phase is rule.leads_to
        _check_people(after)
        if before is not None:
            assert (after.records, after.proposed_by, after.title) == (before.records, before.proposed_by, before.title)
    office.check_replay()


def _check_people(state: DisposalListState) -> None:
    """Nobody stands twice for what takes several, and no system for anybody."""
    said = [state.proposed_by, state.approved_by, state.approver, *state.supervisors]
    ids = [each.id for each in said if each is not None]
    assert len(ids) == len(set(ids))
    assert CLOCK.id not in ids
    assert not state.supervisors or state.approver


def package_steps(office: Office, length: int) -> Iterator[tuple[Any, Any, set[str] | None]]:
    """Each command on a package, with the state before and what refused it."""
    dice = office.dice
    for number in range(length):
        state, command = office.history[-1], dice.choice(ON_PACKAGE)
        if number == 0:
            fault = PackageFault("DIGEST_MISMATCH")
            command = dice.choice([RECEIVE, RECEIVE, replace(RECEIVE, verified=None, fault=fault)])
        yield command, state, office.take(command, actor=dice.choice([ARCHIVIST, CLOCK]))


@given(walks)
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_walk_of_a_package_is_as_declared(walk: tuple[int, int]) -> None:
    """Led where it is declared to, refused by the state where it is not, and what is so already makes no event."""
    office = Office(walk[0])
    for command, before, refused in package_steps(office, walk[1]):
        rule, after = PACKAGE_RULES[type(command)], office.history[-1]
        assert isinstance(after, PackageState)
        if before is None:
            assert after.state in rule.opens
        elif adds_nothing(command, before):
            assert (refused, after) == (None, before)
        else:
            outside = before.state not in rule.leads
            assert outside == ("PACKAGE_NOT_OPEN" in (refused or ()))
            assert (refused or set()) <= {"PACKAGE_NOT_OPEN", *(each.rule for each in rule.demands)}
            assert refused is not None or after.state in rule.leads[before.state]
        assert before is None or replace(after, **_changing(before)) == before
    office.check_replay()


def _changing(before: PackageState) -> dict[str, Any]:
    """Whatever may change of a package; the rest is as it arrived."""
    return {name: getattr(before, name) for name in ("version", "state", "code", "outdated", "since_fork")}


def test_the_same_transfer_again_adds_nothing_whatever_became_of_it() -> None:
    """In every state of the package: its bytes were received once."""
    for state in (TransferState.VERIFIED, TransferState.ACCEPTED, TransferState.REJECTED):
        office = Office(1)
        office.take(RECEIVE)
        office.history.append(replace(office.history[-1], state=state))
        before = len(office.events)
        assert office.take(RECEIVE, claimed=ClaimedItem(PACKAGE_ID, None, RECEIVE.package_sha256)) is None
        assert len(office.events) == before


def test_the_walks_do_every_command_and_meet_every_rule() -> None:
    """The model is no walk around the entrance: fixed walks reach each phase, and each refusal but of the records."""
    done, rules = set[Any](), set[str]()
    phases = set[Any]()
    for seed in range(100):
        for steps in (list_steps, package_steps):
            office = Office(seed)
            for command, _, refused in steps(office, 30):
                rules |= refused or set()
                if refused is None:
                    done.add(type(command))
            phases.add(getattr(office.history[-1], "phase", None) or office.history[-1].state)
    assert done == {*LIST_RULES, *PACKAGE_RULES}
    assert phases >= set(DisposalListPhase)
    of_people = {
        "NOT_A_PERSON",
        "SAME_PERSON",
        "OTHER_SUPERVISORS",
        "NOT_SUPERVISED",
        "ALREADY_SUPERVISED",
        "ROLE_NOT_ALLOWED",
    }
    assert rules >= of_people | {"REPORT_UNTRUE", "NOT_EXPLAINED", "PHASE_NOT_ALLOWED", "PERSON_REQUIRED"}
