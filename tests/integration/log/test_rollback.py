"""A ledger that is not the one that was signed: nothing more is signed until the right one is back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY

from ledger.integrator import hospital_integrator
from ledger.lease import Lease
from ledger.log.log_files import LogFiles
from ledger.publisher import hospital_publisher
from ledger.trust.checkpoint import parse_checkpoint
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.eventually import eventually_async
from tests.integration.log.conftest import Integrating, Publishing
from tests.integration.log.waiting import until_halted, until_published


def signed_size(files: LogFiles) -> int:
    note = files.signed()
    assert note is not None
    return parse_checkpoint(note.text).size


async def test_a_shorter_ledger_is_not_signed(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that ends below its log is refused by name; with the lost events back the log goes on by itself."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    lost = ledger.rows_above(290)
    ledger.cut(290)
    monkeypatch.setattr(hospital_integrator, "REFUSED_SECONDS", 0.5)
    async with integrating():
        assert "300, but the ledger ends at 290" in await until_halted(files)
        assert signed_size(files) == 300
        ledger.put_back(lost)
        ledger.append(5)
        await until_published(files, 305)
        assert files.halted() == ""


async def test_who_has_lost_the_lease_halts_nobody(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a holder finds against its successor's work is no finding: it fails, and looks again later."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    ledger.cut(10)

    async def lost(_: Lease) -> bool:
        return False

    async def failed() -> bool:
        return (REGISTRY.get_sample_value("ledger_integrate_failures_total", {"hospital": ledger.hospital}) or 0) > 0

    monkeypatch.setattr(Lease, "renew", lost)
    async with integrating():
        await eventually_async(failed)
    assert files.halted() == ""


async def test_another_history_is_not_signed(ledger: LoadedLedger, files: LogFiles, integrating: Integrating) -> None:
    """A ledger that was cut and has grown again beyond its log has another event where the log ends."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    ledger.cut(290)
    ledger.append(50)
    async with integrating():
        assert "another event there" in await until_halted(files)
    assert signed_size(files) == 300


async def test_a_cut_beyond_what_was_signed_is_found_in_the_tiles(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating
) -> None:
    """Tiles were written and not yet signed when the machine died, and the ledger came back shorter and other."""
    ledger.append(100)
    async with integrating():
        await until_published(files, 100)
    kept = files.signed()
    assert kept is not None
    ledger.append(300)
    async with integrating():
        await until_published(files, 400)
    files.keep_signed(kept)
    files.publish(kept)
    ledger.cut(200)
    ledger.append(300)
    async with integrating():
        assert "written over" in await until_halted(files)
    assert signed_size(files) == 100


async def test_a_publisher_does_not_publish_a_ledger_put_back(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, publishing: Publishing
) -> None:
    """What was signed and not published yet is compared too: an older ledger is not published."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    ledger.cut(290)
    async with publishing():
        assert "300, but the ledger ends at 290" in await until_halted(files)
    assert ledger.progress() == 0


async def test_what_the_publisher_finds_stops_the_log_too(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    publishing: Publishing,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The stream is ahead of a ledger whose log knows less: nothing is signed till they agree, not even its begin."""
    monkeypatch.setattr(hospital_integrator, "REFUSED_SECONDS", 0.5)
    monkeypatch.setattr(hospital_publisher, "REFUSED_SECONDS", 0.5)
    ledger.append(100)
    async with publishing():
        await eventually_async(_published(ledger, 100))
    lost = ledger.rows_above(90)
    ledger.cut(90)
    async with publishing():
        assert "published up to position 100" in await until_halted(files)
        async with integrating():
            await eventually_async(_refused(caplog))
            assert files.signed() is None
            ledger.put_back(lost)
            ledger.append(1)
            await until_published(files, 101)


def _published(ledger: LoadedLedger, position: int) -> Callable[[], Awaitable[bool]]:
    async def published() -> bool:
        return ledger.progress() == position

    return published


def _refused(caplog: pytest.LogCaptureFixture) -> Callable[[], Awaitable[bool]]:
    async def refused() -> bool:
        return "nothing is signed: another role has found a fault" in caplog.text

    return refused
