"""`ledger packs` as a program against a real server process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application.ledger import Ledger
from tests.contract.edge.rulebook_requests import ARCHIVIST, HOUSE, TEMPLATES
from tests.integration.application.written import HOSPITAL
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment, serving

_ACTOR = ("--actor", f"{ARCHIVIST.id},{ARCHIVIST.name},{ARCHIVIST.role}")


@pytest.fixture
def address(database: Database, ledger: Ledger, tmp_path: Path) -> Iterator[str]:
    """A server process on the ledger's database."""
    del ledger
    with serving(serve_environment(database), tmp_path / "server") as found:
        yield found


def packs(address: str, *arguments: str) -> tuple[int, str]:
    """Status of the program, and what it printed."""
    command = [sys.executable, "-m", "ledger.cli.main", "packs", *arguments, "--address", address]
    done = subprocess.run(
        [*command, "--hospital", HOSPITAL],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "160"},
    )
    return done.returncode, done.stdout


def test_a_records_office_adds_and_chooses_a_pack(address: str, tmp_path: Path) -> None:
    """A broken file is told line by line; the mended one is added, listed, shown with its sources, and chosen."""
    templates, pack = tmp_path / "templates.toml", tmp_path / "house.toml"
    templates.write_text(TEMPLATES, encoding="utf-8")
    pack.write_text(HOUSE.replace("years = 40", "years = 0").replace("figure = 30", "figure = 0"), encoding="utf-8")
    assert packs(address, "add", str(templates), "--templates", *_ACTOR)[0] == 0
    status, told = packs(address, "add", str(pack), *_ACTOR)
    assert status == 1
    lines = told.splitlines()
    assert lines[0] == "house.toml: line 7: retention.INPATIENT.years: a whole number from 1 to 1000 is required"
    assert re.match(r"house\.toml: line 15: deadline\[\d+\]\.figure: a whole number", lines[1])
    assert "VALIDATION_FAILED" in lines[2]
    pack.write_text(HOUSE, encoding="utf-8")
    assert packs(address, "add", str(pack), *_ACTOR)[0] == 0
    assert "nothing to add" in packs(address, "add", str(pack), *_ACTOR)[1]
    assert packs(address, "choose", "house@1", "--reason", "from 2027", *_ACTOR)[0] == 0
    (row,) = [line for line in packs(address, "list")[1].splitlines() if "house@1" in line]
    assert "cn-2010@1" in row
    assert "in force" in row
    shown = packs(address, "show")[1]
    assert "house@1" in shown
    assert "rule of the house" in shown
    status, told = packs(address, "choose", "house@9", "--reason", "x", *_ACTOR)
    assert (status, told.splitlines()[0]) == (1, "version: there are [1]")
