"""`ledger demo` as a program: the whole path on a part of its own input, with every check that it makes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PEOPLE = 8
_PROJECT = Path(__file__).parents[2]
_SECONDS_MAX = 560
"""About 20 on a machine that does nothing else."""


@pytest.fixture
def demo_folder(services_folder: Path, clinosim_files: Path) -> Iterator[Path]:
    """A folder in which the demo finds input that is small, and has a stay that goes on."""
    folder = services_folder / "demo"
    _write_part(clinosim_files, folder / "input" / "enumerated" / "fhir_r4")
    yield folder
    shutil.rmtree(folder)


STORY = (
    "RecordRegistered",
    "EntryRecorded",
    "DeadlineMissed",
    "EntryCountersigned",
    "ConsultationRequested",
    "ConsultationAnswered",
    "DepartmentTransferred",
    "CareEnded",
    "RecordSubmitted",
    "QualityReturned",
    "EntryAmended",
    "QualityPassed",
    "RecordArchived",
    "RecordSealed",
    "CopyIssued",
    "ReopenRequested",
    "ReopenApproved",
    "EntryAmended",
    "RecordRearchived",
    "TransferOffered",
    "TransferCompleted",
    "RecordRegistered",
    "CareStarted",
    "CareEnded",
    "RetentionExtended",
    "HoldPlaced",
    "RetentionEnded",
    "DisposalApproved",
    "HoldLifted",
    "RecordDestroyed",
    "DisposalListExecuted",
)
"""What the inpatient story tells, in this order, with whatever lies between: the patient comes back before its end."""
TABLES = (
    r"Department \S+ of north: who is here case visit phase bed .* ENUM-US-\d+ ",
    r"Archive register of north \(first rows\) case visit phase archived .* ENUM-US-\d+ ",
    r"Patient ENUM-US-\d+: all episodes visit phase departments .* (inpatient|emergency|outpatient) \d ",
)
SUMMARY = (
    r"[1-9][\d,]* events acknowledged and found again; import [1-9][\d,]* commands/s, again [1-9][\d,]*/s",
    r"visible on a board, through Kafka, \d+ probes one at a time: p50 [\d.]+ ms, p99 [\d.]+ ms",
    r"a record's whole life: [1-9]\d* events, [1-9]\d* refusals by rule",
    r"[1-9]\d* checks hold, 0 fail; \d+ s in all data: \S+",
    r"try next: \S+ledger up --dir \S+ \S+ledger replay north \S+ --dir \S+ \S+ledger verify north --dir \S+",
)


def told_in_order(said: str) -> list[str]:
    """The steps of the story as far as each is told behind the one before."""
    story, at, told = said[said.index("phase after") :], 0, list[str]()
    for step in STORY:
        if (found := story.find(f" {step} ", at)) < 0:
            break
        told, at = [*told, step], found
    return told


def test_every_check_of_the_demo_holds(demo_folder: Path, kafka_jars: Path) -> None:
    """Status 0 on Kafka, every hospital checked, every receipt compared, tables, story and summary shown."""
    command = [sys.executable, "-m", "ledger.cli.main", "demo", "--dir", str(demo_folder), "--stream", "kafka"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=kafka_jars.parent, timeout=_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "0 fail" in said
    assert "FAILS" not in said
    for hospital in ("north", "south", "west"):
        assert f"holds {hospital}: the chain of every record holds" in said
        assert f"holds {hospital}: every event is on Kafka" in said
        assert f"holds {hospital}: the log has signed what is stored" in said
        assert f"holds {hospital}: view transfer_packages handled each event once and in order" in said
    assert "holds what both systems say is recorded once and linked" in said
    assert "holds a correction amends the system's own results alone, and a result dated ahead is refused" in said
    assert "holds north: every acknowledged event is in PostgreSQL" in said
    assert "holds north: a record's proof pack holds without the service" in said
    assert "holds north: the pack with one byte altered is refused" in said
    assert "holds west: every acknowledged event is in PostgreSQL" in said
    assert told_in_order(said) == list(STORY)
    assert [each for each in TABLES if not re.search(each, said)] == []
    assert [each for each in SUMMARY if not re.search(each, said[said.rindex("9 Summary") :])] == []
    for rule in (
        "MISSING_ENTRY",
        "QUALITY_NOT_PASSED",
        "SAME_PERSON",
        "WRONG_SIDE",
        "TRAINEE",
        "TERM_NOT_OVER",
        "HELD",
        "ROLE_NOT_ALLOWED",
    ):
        assert f"refused {rule}" in said
    assert (demo_folder / "service" / "issued-copy.pdf").read_bytes().startswith(b"%PDF")
    assert "/s, 0:00:" in said, "progress with rate and time left, also without a terminal"


def _write_part(whole: Path, part: Path) -> None:
    """The first people of whom one stays, and all that is said of them; what names nobody stays."""
    part.mkdir(parents=True)
    encounters = [json.loads(line) for line in (whole / "Encounter.ndjson").open()]
    staying = next(
        str(_subject(each)) for each in encounters if each["class"]["code"] == "IMP" and "end" not in each["period"]
    )
    others = sorted({str(_subject(each)) for each in encounters} - {staying})
    chosen = {staying, *others[: PEOPLE - 1]}
    for file in whole.iterdir():
        if file.suffix != ".ndjson":
            shutil.copy(file, part)
            continue
        lines = (line for line in file.open() if (of := _subject(json.loads(line))) is None or of in chosen)
        (part / file.name).write_text("".join(lines))


def _subject(resource: dict[str, Any]) -> str | None:
    if resource["resourceType"] == "Patient":
        return f"Patient/{resource['id']}"
    for name in ("subject", "patient", "beneficiary"):
        if name in resource:
            return str(resource[name].get("reference"))
    return None
