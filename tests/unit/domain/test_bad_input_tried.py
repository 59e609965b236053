"""The table of bad input in docs/lifecycle.md names tests that are there, and rules that they ask for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_TABLE = (_ROOT / "docs" / "lifecycle.md").read_text().partition("bad input: begin -->")[2].partition("<!--")[0]
_NAMED = re.findall(r"`(tests/\S+\.py)::(\w+)`", _TABLE)
_CELLS = [[cell.strip() for cell in row.split("|")[1:-1]] for row in _TABLE.splitlines() if row.startswith("|")][2:]


def _rows() -> dict[str, tuple[set[str], list[tuple[str, str]]]]:
    """Rules and tests of each row by what was tried; a row that says nothing goes on with the one above."""
    found: dict[str, tuple[set[str], list[tuple[str, str]]]] = {}
    above = ""
    for tried, rules, test in _CELLS:
        above = tried or above
        row = found.setdefault(above, (set(), []))
        row[0].update(re.findall(r"`([A-Z][A-Za-z_]+)`", rules))
        row[1].extend(re.findall(r"`(tests/\S+\.py)::(\w+)`", test))
    return found


_ROWS = _rows()


def _literals(file: str, name: str) -> set[str]:
    """Texts and names in this test, in its parameters, and in what of its file it uses."""
    tree = ast.parse((_ROOT / file).read_text())
    named = {each.name: each for each in tree.body if isinstance(each, _DEFINITIONS)}
    constants = {each.id: node for node in tree.body for each in _targets(node)}
    waiting, seen, texts = [name], set[str](), set[str]()
    while waiting:
        if (of := waiting.pop()) in seen:
            continue
        seen.add(of)
        for each in ast.walk(named.get(of) or constants.get(of) or ast.Module([], [])):
            if isinstance(each, ast.Name):
                waiting.append(each.id)
                texts.add(each.id)
            elif isinstance(each, ast.Constant) and isinstance(each.value, str):
                texts.add(each.value)
    return texts


def _targets(node: ast.stmt) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [each for each in targets if isinstance(each, ast.Name)]


_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
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


@pytest.mark.parametrize(("rules", "tests"), _ROWS.values(), ids=list(_ROWS))
def test_a_refusal_asks_for_the_rule_that_the_table_names(rules: set[str], tests: list[tuple[str, str]]) -> None:
    """Each rule of a row is said by one of its tests, or by what such a test uses of its own file."""
    asked = set[str]().union(*(_literals(file, name) for file, name in tests))
    assert rules
    assert {rule for rule in rules if rule not in asked} == set()


def test_everything_that_must_be_tried_is_in_the_table() -> None:
    """The ten of the plan, whatever is added beside them."""
    assert [each for each in _WANTED if f"| {each}" not in _TABLE] == []
