"""`ledger replay`, `ledger verify` and `ledger consume archive-office` as a person runs them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

from click.testing import CliRunner, Result

from ledger.cli.main import main
from tests.integration.consumers.hospitals import Hospitals
from tests.services.key_service import token_file


async def _run(*arguments: str, token: Path | None = None) -> Result:
    """The command in a thread, since it runs an event loop of its own."""
    environment = {"COLUMNS": "200", "LEDGER_UNSEAL_TOKEN_FILE": str(token or "")}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, arguments)


async def test_replay_shows_the_whole_history(hospitals: Hospitals) -> None:
    """One row per version, with its ISO 21089 code, and that the chain holds."""
    record_id = await hospitals.record()
    result = await _run("replay", "north", record_id, "--address", hospitals.address)
    assert result.exit_code == 0, result.output
    assert result.output.count("EntryRecorded") == 3
    assert "the chain holds from version 1 to 5" in result.output


async def test_replay_of_an_unknown_record_is_one_line(hospitals: Hospitals) -> None:
    """Status 1 and the reason, no traceback."""
    result = await _run("replay", "north", str(uuid4()), "--address", hospitals.address)
    assert result.exit_code == 1
    assert "UNKNOWN_RECORD" in result.output


async def test_verify_checks_every_hospital(hospitals: Hospitals) -> None:
    """What was compared is said."""
    await hospitals.record()
    result = await _run("verify", "--address", hospitals.address)
    assert result.exit_code == 0, result.output
    assert "north: holds. 9 events of 3 records, positions 1 to 9" in result.output
    assert "south: holds. 0 events" in result.output


async def test_an_archive_is_written_and_verified_and_a_changed_byte_is_named(
    hospitals: Hospitals, tmp_path: Path
) -> None:
    """From the files alone: no service is asked."""
    record_id = await hospitals.record()
    folder = tmp_path / "archive"
    asked = ("consume", "archive-office", "north", str(folder), "--address", hospitals.address)
    without = await _run(*asked)
    assert (without.exit_code, "LEDGER_UNSEAL_TOKEN_FILE" in without.output) == (2, True)
    written = await _run(*asked, token=token_file(tmp_path))
    assert written.exit_code == 0, written.output
    assert "9 events of 3 records" in written.output
    checked = await _run("verify", "--archive", str(folder))
    assert checked.exit_code == 0, checked.output
    path = folder / "records" / f"{record_id}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"CareStarted", b"CareSlarted", 1))
    changed = await _run("verify", "--archive", str(folder))
    assert changed.exit_code == 1
    assert record_id in changed.output
