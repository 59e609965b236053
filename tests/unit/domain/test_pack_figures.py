"""Every figure of a pack says where it is from, and whether somebody has compared it with that."""

from __future__ import annotations

import re

import pytest

from ledger.domain.defaults import default_packs
from ledger.domain.pack_figures import FIGURE_MAX, YEARS_MAX
from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import BadRulePack
from tests.unit.domain.test_pack_text import NATIONAL, faults_of

HEAD = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n'


@pytest.mark.parametrize("name", sorted(default_packs().by_version))
def test_every_figure_that_comes_with_the_ledger_has_its_source(name: tuple[str, int]) -> None:
    """Terms of retention, loans, windows and requests as well as deadlines; nobody has confirmed one yet."""
    pack = default_packs().by_version[name]
    named = {each.name for each in pack.figures}
    assert named >= {
        "ahead_seconds_max",
        "offer_days",
        "retention.OUTPATIENT",
        "keeping.loan_months",
        "deadline.filing",
    }
    assert named >= {"keeping.reopen_hours", "keeping.request_days", "keeping.seal_no_claim_years"}
    assert {f"deadline.{rule.id}" for rule in pack.deadlines.rules} <= named
    assert all(each.source and each.unit and each.unconfirmed for each in pack.figures)


def test_a_figure_has_value_and_unit_of_its_rule() -> None:
    """What a reader of the pack is shown is what the ledger goes by."""
    pack = default_packs().newest("cn-2010")
    shown = {each.name: (each.figure, each.unit) for each in pack.figures}
    assert shown["retention.INPATIENT"] == (30, "years")
    assert shown["keeping.loan_months"] == (pack.keeping.loan_months, "months")
    assert shown["keeping.loan_renewals"] == (pack.keeping.loan_renewals, "times")
    assert {name: shown[f"deadline.{name}"] for name in (each.id for each in pack.deadlines.rules)} == {
        each.id: (each.figure, each.unit) for each in pack.deadlines.rules
    }


@pytest.mark.parametrize("key", ["ahead_seconds_max", "offer_days", "reopen_hours"])
def test_a_figure_without_its_source_is_refused(key: str) -> None:
    """At its line, whatever the figure is of."""
    (number, line), *_ = [each for each in enumerate(NATIONAL.splitlines(), 1) if each[1].startswith(key)]
    lacking = re.sub(r'source = "[^"]*", ', "", line)
    assert lacking != line
    with pytest.raises(BadRulePack) as caught:
        read_pack(NATIONAL.replace(line, lacking), {})
    (only,) = caught.value.faults
    assert re.fullmatch(rf"line {number}: ([a-z]+\.)?{key}\.source: where the figure is from is required", only)


def test_whether_it_was_confirmed_must_be_said() -> None:
    """Nothing passes for confirmed because somebody left it out."""
    with pytest.raises(BadRulePack) as caught:
        read_pack(NATIONAL.replace("unconfirmed = true\n", "", 3), {})
    assert [fault.partition(": ")[2] for fault in caught.value.faults] == [
        f"retention.{visit}.unconfirmed: true or false is required"
        for visit in ("INPATIENT", "OBSERVATION", "OUTPATIENT")
    ]


@pytest.mark.parametrize(
    ("layer", "fault"),
    [
        ("[retention.INPATIENT]\nyears = 40\n", "line 4: retention.INPATIENT.source"),
        ("[keeping]\nloan_days = { figure = 10 }\n", "line 5: keeping.loan_days.source"),
        ("offer_days = { figure = 10 }\n", "line 4: offer_days.unconfirmed"),
        ("[[deadline]]\nid = 'filing'\nfigure = 3\n", "line 4: deadline[24].source"),
    ],
)
def test_a_layer_does_not_borrow_a_source(layer: str, fault: str) -> None:
    """The text that a figure was from says nothing of another figure."""
    assert any(each.startswith(fault) for each in faults_of(HEAD + layer)), faults_of(HEAD + layer)


@pytest.mark.parametrize(
    ("layer", "most"),
    [
        ("[retention.INPATIENT]\nyears = {figure}\nsource = 'x'\nunconfirmed = true\n", YEARS_MAX),
        ("[keeping]\nloan_days = {{ figure = {figure}, source = 'x', unconfirmed = true }}\n", FIGURE_MAX),
    ],
)
def test_a_figure_has_a_limit(layer: str, most: int) -> None:
    """The largest is taken and the next is not: no date or wait leaves the calendar."""
    bases = {("cn-2010", 1): read_pack(NATIONAL, {})[1]}
    assert most in {each.figure for each in read_pack(HEAD + layer.format(figure=most), bases)[0].figures}
    assert "a whole number from 1 to" in faults_of(HEAD + layer.format(figure=most + 1))[0]
    assert "a whole number from 1 to" in faults_of(HEAD + layer.format(figure="true"))[0]
