"""Real input: people, encounters, documents and observations by the simulator `clinosim`, as FHIR R4 NDJSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS_MAX = 600
_SEED = "7"


class SimulatorFailed(Exception):
    """The simulator clinosim did not make its files; is the development environment installed (`make setup`)?"""

    def __init__(self, output: str) -> None:
        super().__init__(f"{SimulatorFailed.__doc__}\n{output[-2000:]}")


def clinical_files(folder: Path, people: int | None) -> Path:
    """The directory with the NDJSON files; made once per size, then used again.

    None = every scenario of the simulator once (78 people); a number = a simulated year of that catchment.
    """
    made = folder / ("enumerated" if people is None else f"simulated-{people}")
    if not (made / "fhir_r4" / "manifest.json").exists():
        part = made.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        _simulate(part, people)
        shutil.rmtree(made, ignore_errors=True)
        part.rename(made)
    return made / "fhir_r4"


def _simulate(folder: Path, people: int | None) -> None:
    program = Path(sys.executable).with_name("clinosim")
    common = ["--country", "US", "--seed", _SEED, "--format", "fhir-r4", "--output", str(folder)]
    what = ["enumerate", "--level", "basic"] if people is None else ["simulate", "--population", str(people)]
    done = subprocess.run(  # noqa: S603 - our own environment's program, arguments of our own
        [str(program), *what, *common], capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
    )
    if done.returncode != 0:
        raise SimulatorFailed(done.stdout + done.stderr)


def described(folder: Path) -> str:
    """How many resources of which kinds the files hold, in one line."""
    counts = {file.stem: sum(1 for _ in file.open("rb")) for file in sorted(folder.glob("*.ndjson"))}
    told = ("Patient", "Encounter", "Composition", "DocumentReference", "Observation")
    shown = ", ".join(f"{counts[name]:,} {name}" for name in told if name in counts)
    return f"{sum(counts.values()):,} resources of {len(counts)} types: {shown}"


def generator(folder: Path) -> str:
    """The simulator and its version, as the files say."""
    metadata = folder / "_generator_metadata.json"
    said: dict[str, Any] = json.loads(metadata.read_text()) if metadata.exists() else {}
    return f"clinosim {said.get('clinosim_version', '')}".strip()
