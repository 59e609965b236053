"""Two processes decide the same, whatever order their sets have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.property
_ROOT = Path(__file__).parents[2]
_LINES_MIN = 1_000


def decided_under(hash_seed: str) -> subprocess.Popen[str]:
    """A process that decides the walks with text and bytes hashed by this seed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.property.decided_bytes"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )


@pytest.mark.timeout(300)
def test_another_process_decides_the_same_bytes_and_the_same_faults() -> None:
    """Events, claims and refusals of every walk are the same line by line under two seeds of Python's hashing."""
    processes = [decided_under(seed) for seed in ("1", "2")]
    one, other = (each.communicate()[0].splitlines() for each in processes)
    assert [each.returncode for each in processes] == [0, 0]
    assert len(one) > _LINES_MIN, "the walks do something"
    assert [(here, there) for here, there in zip(one, other, strict=True) if here != there] == []
