"""`ledger import fhir` as a program: what it prints, and its exit status."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from rich.console import Console

from importers.fhir.importing import prepare
from ledger.application.ledger import Ledger
from ledger.cli.import_fhir import run_import
from tests.unit.importers.fhir_files import append, composition, encounter, observation, other, patient, write

_RESOURCES = (
    patient(),
    other("Practitioner", "d1"),
    encounter(),
    observation(),
    composition(Plan="rest"),
    other("Coverage", "k"),
)


async def _run(folder: Path, address: str, hospital: str = "north") -> tuple[int, str]:
    arguments = ("-m", "ledger.cli.main", "import", "fhir", str(folder), "--hospital", hospital, "--address", address)
    program = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await program.communicate()
    return program.returncode or 0, said.decode()


async def test_once_and_again(tmp_path: Path, address: str) -> None:
    """A table, the reasons, the closing line; the second time nothing is added."""
    status, said = await _run(write(tmp_path, _RESOURCES), address)
    assert status == 0, said
    assert "importing: 7 of 7 commands" in said
    assert "insurance is no part of the medical record" in said
    assert "6 events added, 2 entries; the counts add up." in said
    status, said = await _run(tmp_path, address)
    assert (status, "0 events added" in said) == (0, True), said


async def test_a_terminal_gets_a_bar_with_rate_and_time_left(tmp_path: Path, address: str) -> None:
    """Commands done of all, commands a second, time left."""
    shown = StringIO()
    plan = prepare(write(tmp_path, _RESOURCES), datetime.now(UTC))
    await run_import(plan, address, "north", "fhir", Console(file=shown, force_terminal=True, width=100))
    assert "7/7" in shown.getvalue()
    assert "/s" in shown.getvalue()
    assert "0:00:00" in shown.getvalue()


async def test_bad_files_are_refused_before_anything_is_written(tmp_path: Path, address: str, ledger: Ledger) -> None:
    """File, line and fault of each, status 1, an empty ledger."""
    write(tmp_path, _RESOURCES)
    append(tmp_path, "Observation.ndjson", b'{"resourceType": "Observation", "id": "o')
    append(tmp_path, "Patient.ndjson", b"not json\n")
    status, said = await _run(tmp_path, address)
    assert status == 1
    assert "Observation.ndjson:2: TRUNCATED" in said
    assert "Patient.ndjson:2: NOT_JSON" in said
    assert "Traceback" not in said
    assert await ledger.head("north") == 0


async def test_an_unknown_hospital_is_named(tmp_path: Path, address: str) -> None:
    """The service's reason, in one line."""
    status, said = await _run(write(tmp_path, _RESOURCES), address, hospital="nowhere")
    assert (status, said.strip()) == (1, "Error: the service refuses the import: UNKNOWN_HOSPITAL")


async def test_a_refused_line_makes_the_status_bad(tmp_path: Path, address: str) -> None:
    """Everything else is imported; the reason is in the table."""
    huge = composition("huge", Plan="x" * 600_000)
    status, said = await _run(write(tmp_path, (*_RESOURCES, huge)), address)
    assert (status, "1 REFUSED UNEXPECTEDLY" in said) == (1, True), said
    assert "6 events added" in said
