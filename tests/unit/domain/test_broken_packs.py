"""Whatever text somebody sends as a pack or as templates: it is read, or refused with faults that have lines."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.template_text import read_templates
from ledger.domain.templates import BadTemplates
from tests.unit.domain.test_pack_text import NATIONAL, OVERLAY
from tests.unit.domain.test_template_text import TRIAGE

_LITERALS = """0|-1|true|""|"x"|1.5|nan|[]|[[]]|[1]|[["a"], 1]|{}|{ a = 1 }|2026-01-01|12:00:00|2026-01-01T00:00:00|\
[{}]|{ figure = "x" }|[ { id = 1 } ]|["INPATIENT", []]|"[("|["entry"]|"""
_VALUES = st.sampled_from([*_LITERALS.split("|"), "9" * 400])
_BASES = {("cn-2010", 1): read_pack(NATIONAL, {})[1]}
_ASSIGNMENT = re.compile(r"^([A-Za-z_\"*]+ = ).*$", re.MULTILINE)
_AT_LINE = re.compile(r"line \d+: ")
FEW = settings(max_examples=60, deadline=None)


@given(text=st.sampled_from([NATIONAL, OVERLAY]), data=st.data())
@FEW
def test_a_pack_is_read_or_refused_with_lines(text: str, data: st.DataObject) -> None:
    """Any value in the place of any other breaks nothing but the pack."""
    assert faults_have_lines(lambda: read_pack(_broken(text, data), _BASES))


@given(data=st.data())
@FEW
def test_templates_are_read_or_refused_with_lines(data: st.DataObject) -> None:
    """The same of templates."""
    assert faults_have_lines(lambda: read_templates(_broken(TRIAGE, data)))


def faults_have_lines(read: Callable[[], object]) -> bool:
    """Whether a text is read, or refused with faults that have lines each."""
    try:
        read()
    except (BadRulePack, BadTemplates) as error:
        return bool(error.faults) and all(_AT_LINE.match(each) for each in error.faults)
    return True


def _broken(text: str, data: st.DataObject) -> str:
    """The text with up to three values replaced."""
    places = [(*each.span(0), each.group(1)) for each in _ASSIGNMENT.finditer(text)]
    chosen = data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=3, unique=True))
    for start, end, key in sorted(chosen, reverse=True):
        text = text[:start] + key + data.draw(_VALUES) + text[end:]
    return text
