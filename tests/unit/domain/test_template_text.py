"""Templates from text: every fault with its line, and whose they are."""

from __future__ import annotations

from importlib.resources import files

import pytest

from ledger.domain.pack_text import TEXT_CHARACTERS_MAX
from ledger.domain.template_text import read_templates
from ledger.domain.templates import BadTemplates

TRIAGE = """\
pack = "house"

[[template]]
id = "triage_note"
version = 1
title = "Triage note"
title_zh = "预检分诊记录"

[[template.section]]
code = "complaint"
title = "Complaint"
required = true

[[template.section]]
code = "level"
title = "Level"

[[template.section.field]]
code = "level"
type = "coding"
required = true
systems = ["local:triage"]
codes = ["1", "2", "3", "4"]
pattern = "[1-4]"
"""


NO_PATTERN = "No regular expression that is matched in linear time: neither look-arounds nor references back are."


def faults_of(text: str) -> list[str]:
    """The faults of a text."""
    with pytest.raises(BadTemplates) as caught:
        read_templates(text)
    return list(caught.value.faults)


def test_templates_know_whose_they_are() -> None:
    """Those of a pack say so; those without one are every record's."""
    (triage,) = read_templates(TRIAGE).templates.values()
    assert (triage.id, triage.version, triage.title_zh, triage.pack) == ("triage_note", 1, "预检分诊记录", "house")
    (common,) = read_templates(TRIAGE.removeprefix('pack = "house"\n')).templates.values()
    assert common.pack == ""


def test_every_fault_of_a_text_has_its_line() -> None:
    """All at once, in the order of the text, in sections of templates and fields of sections."""
    text = (
        TRIAGE.replace('pack = "house"', 'pack = "No House"\ncolour = 1')
        .replace("version = 1", "version = 0")
        .replace('title = "Complaint"', "title = 7")
        .replace('type = "coding"', 'type = "colour"\nlength = 3')
        .replace('pattern = "[1-4]"', 'pattern = "("')
        .replace('codes = ["1",', "codes = [1,")
        + '[[template.section]]\ncode = "level"\ntitle = "Again"\n[[template]]\nid = "Bad Id"\nversion = true\n'
    )
    assert faults_of(text) == [
        "line 1: pack: the id of a rule pack is required, or nothing for templates of every pack",
        "line 2: colour: no such key",
        "line 6: template[0].version: a whole number from 1 to 999999 is required",
        "line 12: template[0].section[0].title: a text is required",
        "line 21: template[0].section[1].field[0].type: one of coding, flag, quantity, text, time",
        "line 22: template[0].section[1].field[0].length: no such key",
        "line 25: template[0].section[1].field[0].codes: a list of texts is required",
        f"line 26: template[0].section[1].field[0].pattern: {NO_PATTERN}",
        "line 28: template[0].section[2].code: level stands twice",
        "line 30: template[1].title: missing",
        "line 31: template[1].id: a lower-case letter and up to 63 letters, digits and underscores are required",
        "line 32: template[1].version: a whole number is required",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id = \n", "line 1: not TOML"),
        ("pack = 'house'\n", "line 1: template: at least one [[template]] is required"),
        ("template = [1]\n", "line 1: template[0]: a table is required"),
        (TRIAGE + TRIAGE.partition("\n")[2], "line 26: template[1]: template triage_note version 1 stands twice"),
        ("#" * (TEXT_CHARACTERS_MAX + 1), "line 1: at most"),
    ],
)
def test_a_text_without_templates_is_refused(text: str, fault: str) -> None:
    """Not TOML, nothing in it, twice the same, too long."""
    assert faults_of(text)[0].startswith(fault)


def test_the_templates_that_come_with_the_ledger_are_read_in_the_same_way() -> None:
    """They have no fault, and belong to every record."""
    text = files("ledger.domain").joinpath("data", "templates.toml").read_text(encoding="utf-8")
    assert {each.pack for each in read_templates(text).templates.values()} == {""}
