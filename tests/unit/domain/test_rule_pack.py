"""Rule packs are data, checked when they are loaded."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.rule_pack import BadRulePack, RetentionClass, RulePack
from ledger.domain.rule_packs import RulePacks
from ledger.domain.values import VisitType


@pytest.mark.parametrize("pack_id", ["cn-2010", "us-generic"])
def test_a_pack_that_comes_with_the_ledger_names_known_templates(pack_id: str) -> None:
    """Every mandatory entry of a pack has a template, so that it can be written."""
    pack = default_pack(pack_id)
    known = {template for template, _ in default_templates().templates}
    assert set(pack.retention) == set(VisitType)
    assert {template for each in pack.mandatory for template in each.templates} <= known
    assert all(each.source for each in pack.mandatory)


def test_the_terms_of_cn_2010() -> None:
    """Outpatient and emergency 15 years, inpatient and observation 30."""
    retention = default_pack("cn-2010").retention
    years = [retention[visit].years for visit in VisitType]
    assert dict(zip(VisitType, years, strict=True)) == {
        VisitType.INPATIENT: 30,
        VisitType.OBSERVATION: 30,
        VisitType.OUTPATIENT: 15,
        VisitType.EMERGENCY: 15,
    }


def test_a_front_page_is_demanded_of_every_stay() -> None:
    """Inpatients and observation stays, under either pack: the archive has no record without one."""
    for pack_id in ("cn-2010", "us-generic"):
        (rule,) = [
            each
            for each in default_pack(pack_id).mandatory
            if each.alternatives == (("front_page",),) and not each.field
        ]
        assert (rule.visits, rule.only_if) == ({VisitType.INPATIENT, VisitType.OBSERVATION}, "")


def test_two_packs_under_one_name_and_version_are_found() -> None:
    """Nobody could say which of them a record was registered under."""
    pack = default_pack("cn-2010")
    with pytest.raises(BadRulePack, match="there twice"):
        RulePacks.of([pack, replace(pack, offer_days=1)])


@pytest.mark.parametrize(
    ("ended_on", "until"),
    [
        (date(2026, 3, 1), date(2041, 3, 1)),
        (date(2024, 2, 29), date(2039, 3, 1)),
        (date(2025, 2, 28), date(2040, 2, 28)),
    ],
)
def test_a_term_runs_by_the_calendar(ended_on: date, until: date) -> None:
    """Whole calendar years; 1 March where the day does not exist."""
    assert RetentionClass("outpatient", 15).until(ended_on) == until


def test_every_fault_of_a_pack_is_named() -> None:
    """A pack that cannot be used is refused at load with everything that is wrong."""
    data: dict[str, Any] = {
        "retention": {"INPATIENT": {"class": "", "years": 0}, "SPA": {}},
        "mandatory": [{"id": "a", "visits": ["SPA"], "one_of": ["x"], "only_if": "rain", "more": 1}, 7],
    }
    with pytest.raises(BadRulePack) as caught:
        RulePack.from_data(data)
    named = {fault.split(":")[0] for fault in caught.value.faults}
    assert {"id", "version", "ahead_seconds_max", "offer_days", "retention.SPA"} <= named
    of_rule = {f"mandatory[0].{each}" for each in ("visits", "one_of", "only_if", "more", "source")}
    assert of_rule | {"mandatory[1]"} <= named
    assert {"retention.INPATIENT.class", "retention.INPATIENT.years", "retention.OUTPATIENT"} <= named
