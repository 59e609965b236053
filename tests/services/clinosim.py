"""FHIR files that nobody here wrote: made by clinosim once in a test run."""

import subprocess
import sys
from pathlib import Path

import pytest

_SECONDS_MAX = 200


@pytest.fixture(scope="session")
def clinosim_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of FHIR R4 NDJSON: 78 people, 110 encounters, 4,794 resources, the same at every run. Read only."""
    folder = tmp_path_factory.mktemp("clinosim")
    program = Path(sys.executable).with_name("clinosim")
    options = ("--level", "basic", "--country", "US", "--seed", "7", "--format", "fhir-r4", "--output", str(folder))
    made = subprocess.run(
        [program, "enumerate", *options], capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return folder / "fhir_r4"
