"""The steps by which a command's CPU is told apart."""

import re
from pathlib import Path

import pytest

import ledger
from benchmarks.budget.steps import CALL, STEPS, Function

LEDGER = Path(ledger.__path__[0])


@pytest.mark.parametrize(
    "function", [CALL, *(each for functions in STEPS.values() for each in functions)], ids="/".join
)
def test_every_step_is_there_to_be_measured(function: Function) -> None:
    """A function that was renamed would be counted as nothing, and its time as somebody else's."""
    file, name = function
    assert len(re.findall(rf"^ *(?:async )?def {name}\(", (LEDGER / file).read_text(), re.MULTILINE)) >= 1
