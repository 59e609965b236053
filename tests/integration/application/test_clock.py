"""A server whose clock is off decides again, and says so where it stays off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import pytest

from ledger import clock
from ledger.application.command_path import ATTEMPTS_MAX
from ledger.application.errors import ClockOff, Contention
from ledger.application.ledger import Ledger
from ledger.config import Settings
from ledger.server.error_status import status_of
from tests.contract.edge import requests
from tests.integration.application.test_other_writers import BeatenSealer
from tests.integration.application.written import HOSPITAL, execute, record_under_care
from tests.services.sealed import FIXED_KEY, open_ledger


def clock_off(monkeypatch: pytest.MonkeyPatch, *seconds: int) -> None:
    """Sets the clock that decisions see back by so much, one reading after the other; afterwards it is right."""
    left = list(seconds)

    class Clock(datetime):
        """The wall clock of a server."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            """The time, off by the next of the seconds."""
            return datetime.now(tz) - timedelta(seconds=left.pop(0) if left else 0)

    monkeypatch.setattr(clock, "datetime", Clock)


async def test_a_clock_that_is_right_again_is_forgiven(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reading that was off costs one more decision and nothing else."""
    clock_off(monkeypatch, 3600)
    assert (await execute(ledger, requests.register_patient())).record_version == 1


async def test_a_clock_that_stays_off_is_named(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """UNAVAILABLE with the reason: another server may do better; nothing was written."""
    clock_off(monkeypatch, *[3600] * ATTEMPTS_MAX)
    with pytest.raises(ClockOff) as refused:
        await execute(ledger, requests.register_patient())
    assert status_of(refused.value).code == 14
    assert await ledger.head(HOSPITAL) == 0


async def test_the_last_conflict_names_the_reason(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was off once is not what stopped a command that others were faster than ever since."""
    record_id = await record_under_care(ledger)
    beaten = await Ledger.open(settings, BeatenSealer(ledger, record_id, ATTEMPTS_MAX, skipped=1), FIXED_KEY)
    try:
        clock_off(monkeypatch, -3600)
        with pytest.raises(Contention) as refused:
            await execute(beaten, requests.record_entry(str(record_id)))
        assert status_of(refused.value).code == 10
    finally:
        await beaten.close()


@pytest.mark.parametrize(("seconds", "taken"), [(5, False), (60, True)])
async def test_the_bound_is_a_setting(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, seconds: int, *, taken: bool
) -> None:
    """Thirty seconds off: with LEDGER_CLOCK_SKEW_SECONDS=60 they are taken, with 5 they are not."""
    del ledger
    tuned = await open_ledger(replace(settings, clock_skew_seconds=seconds))
    try:
        clock_off(monkeypatch, *[30] * ATTEMPTS_MAX)
        if taken:
            assert (await execute(tuned, requests.register_patient())).events == 1
        else:
            with pytest.raises(ClockOff):
                await execute(tuned, requests.register_patient())
    finally:
        await tuned.close()
