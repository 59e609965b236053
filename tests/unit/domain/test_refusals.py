"""Every demand of the declaration is shown by a refusal, and the refusal goes when the demand is taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.domain.command_guards import CommandGuard
from ledger.domain.commands import Command
from ledger.domain.decide import decide
from ledger.domain.lifecycle import RULES, Rule
from ledger.domain.refusal import Refused
from ledger.domain.state_guards import StateGuard
from tests.unit.domain.given import NOW, as_signer, facts
from tests.unit.domain.refusals import CASES, Case
from tests.unit.domain.refusals_of_conduct import OF_CONDUCT
from tests.unit.domain.refusals_of_course import OF_COURSE
from tests.unit.domain.refusals_of_endorsement import OF_ENDORSEMENT

OF_ENDORSEMENTS = {"NOT_ENDORSED", "ENDORSEMENT_LAPSED"}
"""Everything else is refused though the second person has endorsed the act."""
ALL = [*CASES, *OF_COURSE, *OF_CONDUCT, *OF_ENDORSEMENT]
GUARDS = [
    pytest.param(command, guard, id=f"{command.__name__}-{guard.rule}")
    for command, rule in RULES.items()
    for guard in (*rule.demands, *rule.of_command)
]


def rules_broken(case: Case) -> list[str]:
    """The rules that a case breaks; none where it is done."""
    stream, command = case.build()
    if case.rule not in OF_ENDORSEMENTS:
        stream.endorse(command, case.facts.get("now", NOW))
    try:
        decide(command, stream.state, facts(first_id=900_000, **(as_signer(command) | case.facts)))
    except Refused as refused:
        return [each.rule for each in refused.violations]
    return []


def rules_broken_or_broken_down(case: Case) -> list[str]:
    """The same where a demand is missing, on which the decision relies: that it breaks down is noticed too."""
    try:
        return rules_broken(case)
    except (AssertionError, KeyError, IndexError):
        return []


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_broken_demand_is_refused_by_its_rule(case: Case) -> None:
    """The rule of the case is named, and whatever else is named is not a wrong phase."""
    broken = rules_broken(case)
    assert case.rule in broken
    assert "PHASE_NOT_ALLOWED" not in broken


@pytest.mark.parametrize(("command", "guard"), GUARDS)
def test_no_demand_can_be_taken_out_unnoticed(
    command: type[Command], guard: StateGuard | CommandGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation check: without the demand, some case of its command is not refused by its rule any longer."""
    cases = [case for case in ALL if case.rule == guard.rule and case.command is command]
    assert cases, f"no case breaks {guard.rule} of {command.__name__}"
    with_it = [rules_broken(case).count(guard.rule) for case in cases]
    monkeypatch.setitem(RULES, command, without(RULES[command], guard))
    without_it = [rules_broken_or_broken_down(case).count(guard.rule) for case in cases]
    assert any(after < before for before, after in zip(with_it, without_it, strict=True))


def without(rule: Rule, guard: Any) -> Rule:
    """The rule with one demand less."""
    return replace(
        rule,
        demands=tuple(each for each in rule.demands if each is not guard),
        of_command=tuple(each for each in rule.of_command if each is not guard),
    )
