"""A pattern that a hospital writes can stop nobody, whatever it says and whatever is compared with it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.code_pattern import CHARACTERS_MAX, BadPattern, check_pattern, has_form
from ledger.domain.commands import RecordEntry
from ledger.domain.template_text import read_templates
from ledger.domain.templates import BadTemplates
from ledger.domain.values import Coding, EntryContent, Field, Section
from tests.unit.domain.given import RECORD, active, signed

CATASTROPHIC = ("(a+)+$", "(a|aa)+$", "(a|a?)+", "([a-z]+)*b", "(.*a){20}", "((a*)*)*b")
"""Each takes an engine that tries every way longer than the sun will shine to compare it with what follows."""
LONG = "a" * 50_000 + "!"
TEXT = """\
[[template]]
id = "coded_note"
version = 1
title = "Coded note"

[[template.section]]
code = "level"
title = "Level"

[[template.section.field]]
code = "level"
type = "coding"
pattern = '{pattern}'
"""


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_catastrophic_pattern_is_compared_in_linear_time(pattern: str) -> None:
    """The answer for fifty thousand characters comes; the timeout of the tests is what fails otherwise."""
    check_pattern(pattern)
    assert not has_form(LONG, pattern)


def test_an_entry_is_checked_against_a_catastrophic_pattern() -> None:
    """The whole way of a command: the code is refused by its rule, and the next command is taken."""
    templates = read_templates(TEXT.format(pattern="(a+)+$"))
    stream = active()

    def coded(code: str) -> RecordEntry:
        field = Field("level", coding=Coding("local:level", code))
        return RecordEntry(
            RECORD, EntryContent("coded_note", 1, sections=(Section("level", fields=(field,)),)), signed()
        )

    fault = ("content.sections[0].fields[0].coding.code", "CODE_NOT_IN_SET")
    assert stream.refused(coded(LONG), templates=templates)[1] == [fault]
    stream.when(coded("aaa"), templates=templates)


@pytest.mark.parametrize(
    "pattern", ["(", r"(a)\1", "(?=a)b", "(?<=a)b", "a{1001}", "(a{100}){100}", "a" * (CHARACTERS_MAX + 1)]
)
def test_what_cannot_be_compared_in_linear_time_is_refused_with_its_line(pattern: str) -> None:
    """Look-arounds, references back, what would need more memory than a pattern gets, and what is no pattern."""
    with pytest.raises(BadPattern):
        check_pattern(pattern)
    with pytest.raises(BadTemplates) as caught:
        read_templates(TEXT.format(pattern=pattern))
    (fault,) = caught.value.faults
    assert fault.startswith("line 13: template[0].section[0].field[0].pattern: ")


@given(st.text(alphabet="AI2.x", max_size=8))
def test_a_plain_pattern_means_what_it_always_did(code: str) -> None:
    """The form of a code of ICD-10, as Python's own engine reads it."""
    pattern = r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Za-z]{1,6})?"
    assert has_form(code, pattern) is (re.fullmatch(pattern, code) is not None)
