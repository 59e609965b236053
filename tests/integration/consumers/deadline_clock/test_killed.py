"""The real program `ledger consume deadlines`, killed with -9 while it reports, on a clock that the test drives."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.cli.role_process import RoleProcess
from tests.eventually import eventually_async
from tests.integration.consumers.deadline_clock.driven_hospital import DrivenHospital

RECORDS = 40
KILLS = 3
PAIRS = 24
KILLED_AT = (8, 16)
SECONDS_MAX = 40.0


async def test_killed_at_any_moment_it_reports_every_missed_deadline_once(
    north: DrivenHospital, address: str, tmp_path: Path
) -> None:
    """Each record's missed deadlines stand reported, and there are as many events as reports."""
    recorded = [await north.visit(await north.patient()) for _ in range(RECORDS)]
    north.after(timedelta(hours=50))
    program = RoleProcess("deadlines", ("consume", "deadlines"), tmp_path, _environment(north, address))
    program.start()
    try:
        for kill in range(KILLS):
            await _has_reported(north, kill * RECORDS // 2 + 1)
            os.kill(program.pid, signal.SIGKILL)
            await eventually_async(lambda: asyncio.to_thread(program.restart_if_dead), what="the kill")
        await _has_reported(north, 3 * RECORDS)
        # What the killed ones had read is still waited for by the last one: two course notes of a silence of six days.
        north.after(timedelta(hours=95))
        await _has_reported(north, 5 * RECORDS)
    finally:
        await program.stop(10.0)
    reports = 0
    for record_id in recorded:
        answer = await north.deadlines(record_id)
        missed = {(each.rule, each.due_at.seconds) for each in answer.deadlines if each.missed}
        assert {(each.rule, each.due_at.seconds) for each in answer.reported} == missed
        reports += len(answer.reported)
    assert (await north.events())["DeadlineMissed"] == reports == 5 * RECORDS


@pytest.mark.long
async def test_killed_at_any_moment_it_moves_every_date_of_linked_patients_once(
    north: DrivenHospital, address: str, tmp_path: Path
) -> None:
    """Each earlier record stands where the later patient's visit puts it, by one event."""
    earlier = [await north.patient() for _ in range(PAIRS)]
    recorded = [await north.archived(each) for each in earlier]
    north.after(timedelta(days=100))
    later = [await north.patient() for _ in range(PAIRS)]
    until = {(await north.retention(await north.archived(each))).retain_until for each in later}
    program = RoleProcess("deadlines", ("consume", "deadlines"), tmp_path, _environment(north, address))
    program.start()
    try:
        for number, pair in enumerate(zip(earlier, later, strict=True)):
            await north.link(*pair)
            if number in KILLED_AT:
                await _has_said(north, "RetentionExtended", number // 2)
                os.kill(program.pid, signal.SIGKILL)
                await eventually_async(lambda: asyncio.to_thread(program.restart_if_dead), what="the kill")
        await _has_said(north, "RetentionExtended", PAIRS)
    finally:
        await program.stop(10.0)
    assert {(await north.retention(each)).retain_until for each in recorded} == until
    assert (await north.events())["RetentionExtended"] == PAIRS


async def _has_reported(north: DrivenHospital, events: int) -> None:
    await _has_said(north, "DeadlineMissed", events)


async def _has_said(north: DrivenHospital, kind: str, events: int) -> None:
    async def there() -> bool:
        return (await north.events())[kind] >= events

    await eventually_async(there, seconds_max=SECONDS_MAX, what=f"{events} of {kind}")


def _environment(north: DrivenHospital, address: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    return {
        **inherited,
        "LEDGER_POSTGRES_STREAM_URL": north.settings.postgres_stream_url,
        "LEDGER_POSTGRES_VIEWS_URL": north.settings.postgres_views_url,
        "LEDGER_GRPC_LISTEN": address,
        "LEDGER_CLOCK_FILE": str(north.clock_file),
        "LEDGER_TEST_CLOCK": "1",
    }
