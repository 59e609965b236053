"""Retention by state: us-generic has the terms, a hospital's layer names its state."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.domain.defaults import default_pack, shipped_rules
from ledger.domain.hospital_rules import pack_and_data
from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.values import VisitType

GENERIC = shipped_rules().packs["us-generic", 1]
STATES = {
    each.name.partition(".")[2]: each.figure
    for each in default_pack("us-generic").figures
    if "state_" in each.name and "until_age" not in each.name
}
HEAD = 'id = "house"\nversion = 1\nextends = "us-generic@1"\n'


def layer(text: str) -> RulePack:
    """A layer over us-generic."""
    return read_pack(HEAD + text, {GENERIC.name: pack_and_data(GENERIC)[1]})[0]


def faults_of(text: str) -> list[str]:
    """What is wrong with a layer."""
    with pytest.raises(BadRulePack) as caught:
        layer(text)
    return list(caught.value.faults)


@pytest.mark.parametrize(("state", "years"), sorted(STATES.items()))
def test_a_hospital_s_state_decides_how_long_its_records_are_kept(state: str, years: int) -> None:
    """Every class of every visit has the state's term, which the pack shows with the state's source."""
    pack = layer(f"retention_state = '{state}'\n")
    assert {each.years for each in pack.retention.values()} == {years}
    assert pack.retention[VisitType.INPATIENT].until(date(2026, 3, 1)) == date(2026 + years, 3, 1)
    shown = {each.name: each for each in pack.figures}
    assert shown["retention.INPATIENT"].figure == years
    assert shown["retention.INPATIENT"].source == shown[f"state_retention.{state}"].source


OWN = "[retention.INPATIENT]\nclass = 'adult'\nyears = {}\nsource = 'own counsel'\nunconfirmed = false\n"


@pytest.mark.parametrize(
    ("years", "shown"), [(5, (7, "Cal. Code Regs.")), (7, (7, "Cal. Code Regs.")), (25, (25, "own counsel"))]
)
def test_of_an_own_term_and_the_state_s_the_longer_holds_and_is_named(years: int, shown: tuple[int, str]) -> None:
    """The layer's own term for one type of visit; the others have the state's. Whichever layer names the state."""
    below = read_pack(HEAD + OWN.format(years), {GENERIC.name: pack_and_data(GENERIC)[1]})[1]
    above = 'id = "branch"\nversion = 1\nextends = "house@1"\nretention_state = "CA"\n'
    for pack in (
        layer("retention_state = 'CA'\n" + OWN.format(years)),
        read_pack(above, {("house", 1): below})[0],
    ):
        figures = {each.name: each for each in pack.figures}
        figure = figures["retention.INPATIENT"]
        assert (figure.figure, figure.source.startswith(shown[1])) == (shown[0], True)
        assert pack.retention[VisitType.INPATIENT].years == shown[0]
        assert pack.retention[VisitType.OUTPATIENT].years == 7


def test_a_whole_pack_that_names_its_state_keeps_its_longer_terms() -> None:
    """Its terms are for nobody else."""
    whole = GENERIC.text.replace('id = "us-generic"', 'id = "whole"\nretention_state = "CA"', 1)
    assert {each.years for each in read_pack(whole, {})[0].retention.values()} == {11}


def test_without_a_state_the_longest_common_term_holds() -> None:
    """The generic pack names none, and the table has terms on both sides of it."""
    assert {each.years for each in default_pack("us-generic").retention.values()} == {11}
    assert (min(STATES.values()), STATES["NC"], len(STATES)) == (5, 11, 43)


def test_a_hospital_gives_a_state_that_the_table_leaves_out() -> None:
    """With its own source; a term of the table that is changed needs one too."""
    own = "[[state_retention]]\nid = '{}'\nyears = 12\nsource = 'own counsel'\nunconfirmed = false\n"
    assert layer("retention_state = 'OH'\n" + own.format("OH")).retention[VisitType.EMERGENCY].years == 12
    assert layer("retention_state = 'TX'\n" + own.format("TX")).retention[VisitType.EMERGENCY].years == 12
    lent = faults_of("[[state_retention]]\nid = 'AL'\nyears = 12\n")
    assert [each.split(": ")[1] for each in lent] == ["state_retention[0].source", "state_retention[0].unconfirmed"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("retention_state = 'ZZ'\n", "line 4: retention_state: a state of state_retention is required"),
        ("retention_state = 7\n", "line 4: retention_state: a text is required"),
        ("state_retention = 7\n", "line 4: state_retention: a list of tables is required"),
        ("[[state_retention]]\nyears = 7\n", "line 4: state_retention[0].id: a text is required"),
        (
            "[[state_retention]]\nid = 'ZZ'\nyears = 7\nsource = 'x'\nunconfirmed = true\nminors = 3\n",
            "line 9: state_retention[43].minors: no such key",
        ),
    ],
)
def test_a_faulty_table_is_refused_at_its_line(text: str, fault: str) -> None:
    """A state that is not there, and what has not its shape."""
    assert fault in faults_of(text)
