"""FHIR files that nobody here wrote: made by clinosim once in a test run."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SECONDS_MAX = 500


@pytest.fixture(scope="session")
def clinosim_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of FHIR R4 NDJSON: 78 people, 110 encounters, 4,794 resources, the same at every run. Read only."""
    base = tmp_path_factory.getbasetemp()
    # Where files run side by side, each process has a folder of its own in the run's.
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = run / "clinosim", run / "clinosim.made"
    with (run / "clinosim.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(folder)
            made.touch()
    return folder / "fhir_r4"


def _make(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    program = Path(sys.executable).with_name("clinosim")
    options = ("--level", "basic", "--country", "US", "--seed", "7", "--format", "fhir-r4", "--output", str(folder))
    made = subprocess.run(
        [program, "enumerate", *options], capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
