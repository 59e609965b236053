"""Rule packs from text: layers say what differs, and every fault is named with its line."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest

from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.pack_text import TEXT_CHARACTERS_MAX, read_pack
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.toml_lines import key_lines

NATIONAL = files("ledger.domain").joinpath("data", "pack_cn-2010.toml").read_text(encoding="utf-8")
OVERLAY = """\
id = "north"
version = 3
extends = "cn-2010@1"

[keeping]
loan_days = { figure = 10, source = "rule of the house", unconfirmed = false }

[retention.INPATIENT]
years = 40
source = "rule of the house"
unconfirmed = false

[[deadline]]
id = "front_page"
figure = 12
source = "rule of the house"
unconfirmed = false

[[mandatory]]
id = "summary"
visits = ["INPATIENT"]
all_of = ["stage_summary"]
source = "rule of the house"
"""


def bases() -> dict[tuple[str, int], Mapping[str, Any]]:
    """The national pack alone."""
    return {("cn-2010", 1): read_pack(NATIONAL, {})[1]}


def faults_of(text: str) -> list[str]:
    """The faults of a text over the national pack."""
    with pytest.raises(BadRulePack) as caught:
        read_pack(text, bases())
    return list(caught.value.faults)


def test_an_overlay_says_only_what_differs() -> None:
    """Tables by key, rules by id; everything that it does not name is the base's."""
    base, _ = read_pack(NATIONAL, {})
    pack, whole = read_pack(OVERLAY, bases())
    assert (pack.id, pack.version) == ("north", 3)
    assert (pack.keeping.loan_days, pack.keeping.loan_renewals) == (10, base.keeping.loan_renewals)
    assert {each.years for each in pack.retention.values()} == {40, 30, 15}
    changed = {each.id: each for each in pack.deadlines.rules}
    assert (changed["front_page"].figure, changed["front_page"].unit) == (12, "hours")
    assert changed["front_page"].source == "rule of the house"
    unchanged = [each for each in base.deadlines.rules if each.id != "front_page"]
    assert [each for each in pack.deadlines.rules if each.id != "front_page"] == unchanged
    assert [each.id for each in pack.mandatory] == [*(each.id for each in base.mandatory), "summary"]
    assert "extends" not in whole


def test_a_layer_is_laid_over_a_layer() -> None:
    """National base, region, hospital: each over the one below."""
    pack, data = read_pack(OVERLAY, bases())
    known = {**bases(), (pack.id, pack.version): data}
    ward, _ = read_pack(
        'id = "ward"\nversion = 1\nextends = "north@3"\n[keeping]\n'
        'loan_renewals = { figure = 2, source = "ward", unconfirmed = false }\n',
        known,
    )
    assert (ward.keeping.loan_days, ward.keeping.loan_renewals) == (10, 2)


def test_the_layer_of_2018_answers_consultations_within_a_day() -> None:
    """It comes with the ledger, and differs in that figure alone."""
    base, layer = default_pack("cn-2010"), default_pack("core-2018")
    differing = [
        (old.id, old.figure, new.figure)
        for old, new in zip(base.deadlines.rules, layer.deadlines.rules, strict=True)
        if old != new
    ]
    assert differing == [("routine_consultation", 48, 24)]
    assert (layer.mandatory, layer.retention, layer.keeping) == (base.mandatory, base.retention, base.keeping)


def test_every_fault_of_a_layer_has_its_line() -> None:
    """All at once, in the order of the text; a rule is found by its id although the base has others before it."""
    text = (
        OVERLAY.replace("figure = 10", "figure = 0")
        .replace("[retention", "loan_weeks = 2\n\n[retention")
        .replace("years = 40\nsource", 'years = "long"\norigin')
        .replace("figure = 12", "figure = -1")
        .replace('visits = ["INPATIENT"]', 'visits = ["SPA"]\nonly_if = "rain"')
        .replace("version = 3", "version = 3\ncolour = 1")
    )
    assert faults_of(text) == [
        "line 3: colour: no such key",
        "line 7: keeping.loan_days.figure: a whole number from 1 to 10000 is required",
        "line 9: keeping.loan_weeks: no such figure",
        "line 11: retention.INPATIENT.source: a layer that gives a figure says where it is from",
        "line 12: retention.INPATIENT.years: a whole number from 1 to 1000 is required",
        "line 13: retention.INPATIENT.origin: no such key",
        "line 18: deadline[21].figure: a whole number from 1 to 10000 is required",
        "line 24: mandatory[16].visits: no such visit type SPA",
        "line 25: mandatory[16].only_if: one of consultation, death, grave, rescue, surgery, survival, transfer",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id = \n", "line 1: not TOML"),
        ('id = "a"\nversion = 1\nversion = 2\n', "line 3: not TOML"),
        ('id = "a"\nversion = 1\nextends = "mars-2199@1"\n', "line 3: extends"),
        ('id = "a"\nversion = 1\nextends = "cn-2010"\n', "line 3: extends"),
        ('id = "cn-2010"\nversion = 1\nextends = "cn-2010@1"\n', "line 3: extends: a pack does not extend itself"),
        (f'id = "a"\nversion = {"9" * 5000}\n', "line 1: not TOML"),
        ("a = " + "[" * 50_000, "line 1: not TOML"),
        ('id = "A b"\nversion = true\nextends = "cn-2010@1"\n', "line 1: id"),
        ('extends = "cn-2010@1"\n', "line 1: id: a layer has its own"),
        ("#" * (TEXT_CHARACTERS_MAX + 1), "line 1: at most"),
    ],
)
def test_a_text_that_is_no_pack_is_refused_with_its_line(text: str, fault: str) -> None:
    """Not TOML, twice the same key, no such base, too long, numbers and lists that Python cannot read."""
    assert any(each.startswith(fault) for each in faults_of(text))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("retention = 5\ncalendar = 'x'\n", {"line 4: retention", "line 5: calendar"}),
        ("deadline = 3\n", {"line 4: deadline"}),
        ("[retention]\nINPATIENT = 30\n", {"line 5: retention.INPATIENT"}),
        ("[final_signers]\nfront_page = 'physician'\n", {"line 5: final_signers.front_page"}),
        (
            "[[deadline]]\nid = 'front_page'\nunit = ['hours']\nvisits = 4\nlate = 1\n",
            {"line 6: deadline[21].unit", "line 7: deadline[21].visits", "line 8: deadline[21].late"},
        ),
        ("[calendar]\nzone = 1\nholidays = 2\n", {"line 5: calendar.zone", "line 6: calendar.holidays"}),
        ("mandatory = 1\n", {"line 4: mandatory"}),
    ],
)
def test_what_has_not_its_shape_is_named_and_breaks_nothing(text: str, named: set[str]) -> None:
    """Whatever stands where a table, a list or a text belongs: a fault with its line, never a crash."""
    head = 'id = "a"\nversion = 1\nextends = "cn-2010@1"\n'
    assert {": ".join(each.split(": ")[:2]) for each in faults_of(head + text)} == named


_HEAD = 'id = "a"\nversion = 1\nextends = "cn-2010@1"\n'
_WRONG = """[keeping]
loan_days = { figure = 0, source = "house", unconfirmed = false }
[[mandatory]]
id = "summary"
visits = ["INPATIENT"]
all_of = ["horoscope"]
source = "house"
[[deadline]]
id = "front_page"
figure = 9
unit = "fortnights"
unconfirmed = true
"""
_MISSHAPEN = {
    "retention = 5\n": "line 4: retention: a table is required",
    "calendar = 'x'\n": "line 4: calendar: a table is required",
    "roles = 1\n": "line 4: roles: a table is required",
    "late_items = 2\n": "line 4: late_items: a table is required",
    "transfer_note = 3\n": "line 4: transfer_note: a table is required",
    "quality = 4\n": "line 4: quality: a table is required",
    "final_signers = ['*']\n": "line 4: final_signers: a table is required",
    "final_signers.front_page = 'physician'\n": "line 4: final_signers.front_page: a list of roles is required",
    "retention.INPATIENT = 30\n": "line 4: retention.INPATIENT: a table is required",
    "retention_state = 6\n": "line 4: retention_state: a text is required",
    "state_retention = [7]\n": "line 4: state_retention[0]: a table is required",
    "[roles]\nseal_record = 1\n": "line 5: roles.seal_record: a table with roles, source and unconfirmed is required",
}


@pytest.mark.parametrize(("misshapen", "fault"), _MISSHAPEN.items())
def test_what_has_no_shape_hides_no_other_fault(misshapen: str, fault: str) -> None:
    """Shapes, figures, sources and templates in one answer: nobody mends one to be told of the next."""
    with pytest.raises(BadRulePack) as caught:
        read_pack(_HEAD + misshapen + _WRONG, bases(), lambda _: default_templates().by_id)
    told = list(caught.value.faults)
    assert told[0] == fault
    assert [each.partition(": ")[2] for each in told[1:]] == [
        "keeping.loan_days.figure: a whole number from 1 to 10000 is required",
        f"mandatory[{len(default_pack().mandatory)}].all_of: no such template horoscope",
        "deadline[21].source: a layer that gives a figure says where it is from",
        "deadline[21].unit: one of days, hours, minutes, working_days",
    ]


def test_a_table_that_has_lost_a_key_tells_the_rest_of_its_faults() -> None:
    """The key alone is not read: neither is it missed where it stands, nor where another goes by it."""
    text = """[[deadline]]
id = "house"
start = 1
start_field = "rescue_end"
stop = "never"
unit = "days"
figure = "soon"
templates = 4
source = "house"
unconfirmed = "perhaps"
visits = ["SPA"]
"""
    assert faults_of(_HEAD + text) == [
        "line 6: deadline[26].start: a text is required",
        "line 8: deadline[26].stop: one of answer, arrival, entry, filed, physician, submission",
        "line 10: deadline[26].figure: a whole number is required",
        "line 11: deadline[26].templates: a list is required",
        "line 13: deadline[26].unconfirmed: true or false is required",
        "line 14: deadline[26].visits: no such visit type SPA",
    ]


def test_a_list_of_states_that_cannot_be_read_makes_no_state_unknown() -> None:
    """What goes by it is looked at once it is there."""
    text = _HEAD + 'retention_state = "elsewhere"\nstate_retention = 1\n'
    assert faults_of(text) == ["line 5: state_retention: a list of tables is required"]


def test_keys_are_found_on_their_lines() -> None:
    """Tables, lists of tables also inside each other, quoted keys."""
    nested = key_lines("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\nc = 2\n")
    assert (nested["a[0].b[1].c"], nested["a[1].b[0].c"]) == (4, 7)
    lines = key_lines('a = 1\n[b."*"]\nc = 2 # d = 3\n[[e]]\nf = 1\n[[e]]\nf = 2\n')
    assert lines == {"a": 1, "b.*": 2, "b.*.c": 3, "e[0]": 4, "e[0].f": 5, "e[1]": 6, "e[1].f": 7}


def test_an_overlay_changes_what_a_defect_costs() -> None:
    """By the item's code, and with items and a threshold of its own; the rest is the base's."""
    base, _ = read_pack(NATIONAL, {})
    own = """
[quality]
pass_from = 80
[[quality_item]]
id = "LANGUAGE"
points = 4
[[quality_item]]
id = "HOUSE_STYLE"
title = "Not in the style of the house"
title_zh = "不符合本院书写规范"
group = "form"
points = 1
source = "rule of the house"
"""
    pack, _ = read_pack(f'id = "north"\nversion = 1\nextends = "cn-2010@1"\n{own}', bases())
    before, after = base.quality, pack.quality
    assert (after.pass_from, after.full, after.grades) == (80, before.full, before.grades)
    assert {code for code, item in after.items.items() if before.items.get(code) != item} == {"LANGUAGE", "HOUSE_STYLE"}
    changed = after.items["LANGUAGE"]
    assert (changed.points, changed.title_zh) == (4, before.items["LANGUAGE"].title_zh)


def test_faults_of_quality_items_and_code_tables_have_their_line() -> None:
    """Where the layer says them; what a new item lacks is at its head."""
    text = """id = "a"
version = 1
extends = "cn-2010@1"
[quality]
full = "many"
[[quality_item]]
id = "LANGUAGE"
points = 0
[[quality_item]]
id = "NEW"
[[code_table]]
id = "icd"
system = "urn:cn:icd-10"
version = "2.0"
file = "/etc/passwd"
sha256 = "1"
source = "ministry"
"""
    places = {each.partition(": ")[0] + " " + each.split(": ")[1].partition(".")[2] for each in faults_of(text)}
    assert {"line 5 full", "line 8 points", "line 9 title", "line 9 source", "line 15 file", "line 16 sha256"} <= places


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("quality = 1\n", "quality: a table is required"),
        ("quality_item = 1\n", "quality_item: a list of tables is required"),
        ("quality_grade = [1]\n", "quality_grade: a list of tables is required"),
        ("code_table = 'x'\n", "code_table: a list of tables is required"),
        ("[[quality_item]]\npoints = 1\n", "quality_item[0].id: a text is required"),
    ],
)
def test_quality_and_code_tables_that_have_not_their_shape(text: str, named: str) -> None:
    """A fault, never a crash."""
    head = 'id = "a"\nversion = 1\nextends = "cn-2010@1"\n'
    assert named in {each.partition(": ")[2] for each in faults_of(head + text)}
