"""The table of bad input in docs/lifecycle.md names tests that are there, and rules that they ask for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_TABLE = (_ROOT / "docs" / "lifecycle.md").read_text().partition("bad input: begin -->")[2].partition("<!--")[0]
_NAMED = re.findall(r"`(tests/\S+\.py)::(\w+)`", _TABLE)
_WANTED = (
    "unknown pack version",
    "a template from another pack",
    "a trainee's signature taken as final",
    "an approval by the same person twice",
    "an approval after the window",
    "a loan over the limit",
    "a copy scope naming a retracted entry",
    "a merge of a patient with itself",
    "clocks that go backwards",
    "a disposal while a transfer is open",
)


@pytest.mark.parametrize(("file", "name"), _NAMED, ids=[name for _, name in _NAMED])
def test_what_is_said_to_be_tried_is_tried(file: str, name: str) -> None:
    """A test that was renamed or taken out is noticed."""
    tree = ast.parse((_ROOT / file).read_text())
    functions = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions


def test_a_refusal_asks_for_the_rule_that_the_table_names() -> None:
    """The rules of a row stand in the files of its tests, so that the table says nothing that no test asks."""
    rules: set[str] = set()
    asked = "".join((_ROOT / file).read_text() for file in {file for file, _ in _NAMED})
    for row in _TABLE.splitlines()[3:]:
        rules |= set(re.findall(r"`([A-Z][A-Za-z_]+)`", row.split("|")[2] if row else ""))
    assert rules
    assert {rule for rule in rules if rule not in asked} == set()


def test_everything_that_must_be_tried_is_in_the_table() -> None:
    """The ten of the plan, whatever is added beside them."""
    assert [each for each in _WANTED if f"| {each}" not in _TABLE] == []
