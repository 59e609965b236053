"""A core without any one refusal outside the declaration fails its tests; `test_refusals` is for those inside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.domain.mutant_run import killers
from tests.unit.domain.refusal_mutants import refusals

_ROOT = Path(__file__).parents[3]


def test_every_refusal_outside_the_declaration_has_its_test() -> None:
    """`python -m tests.unit.domain.mutant_run` finds who fails without a new one, and says which nobody misses."""
    assert {each.name for each in refusals()} == killers().keys()


def test_a_refusal_cannot_be_taken_out_unnoticed() -> None:
    """The mutation check: without it the test that is named for it fails; every eighth of them."""
    assert _survivors("--named", "--every", "8") == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_refusal_can_be_taken_out_unnoticed() -> None:
    """Every one, by the tests that make it and not by name."""
    assert _survivors("--look") == []


def _survivors(*options: str) -> list[str]:
    run = [sys.executable, "-m", "tests.unit.domain.mutant_run", *options]
    done = subprocess.run(run, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=800)
    survived = [line for line in done.stdout.splitlines() if line.startswith("SURVIVED")]
    assert survived or done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return survived
