"""The importer over a real connection that is cut, or to a service that stays away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio
import pytest

from importers.fhir.importing import import_plan, prepare
from importers.fhir.patience import Patience, ServiceLost
from importers.fhir.report import Outcome
from ledger.application.ledger import Ledger
from tests.services.proxy import TcpProxy
from tests.unit.importers.fhir_files import encounter, observation, other, patient, write

_ROWS = 40
OF_RULEBOOK = 3
"""Events before the first record, which are no command's of the import."""


@pytest.fixture
def proxy(address: str) -> Iterator[TcpProxy]:
    """A proxy in front of the server."""
    opened = TcpProxy(int(address.rpartition(":")[2]))
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some patients with a visit and results each."""
    people = [patient(f"p{number}", f"MRN-{number}") for number in range(_ROWS)]
    visits = [encounter(f"e{number}", of=f"p{number}") for number in range(_ROWS)]
    results = [observation(f"o{number}", of=f"p{number}", in_=f"e{number}") for number in range(_ROWS)]
    return write(tmp_path, (*people, *visits, *results, other("Practitioner", "d1")))


async def test_cut_connections_lose_and_double_nothing(folder: Path, proxy: TcpProxy, ledger: Ledger) -> None:
    """Commands whose answers were lost are sent again under the same id; everything is new, and there once."""
    plan, settled = prepare(folder, datetime.now(UTC)), 0

    def progressed(count: int) -> None:
        nonlocal settled
        settled += count
        if settled % 30 == 0:
            proxy.cut()

    async with grpc.aio.insecure_channel(f"127.0.0.1:{proxy.port}") as channel:
        report = await import_plan(plan, channel, "north", progressed=progressed)
    assert report.good(), report.reasons
    assert (report.total(Outcome.RECORDED), settled) == (3 * _ROWS + 1, plan.commands)
    assert await ledger.head("north") == 5 * _ROWS + OF_RULEBOOK


async def test_a_service_that_stays_away_ends_the_import_which_then_goes_on(
    folder: Path, proxy: TcpProxy, channel: grpc.aio.Channel, ledger: Ledger
) -> None:
    """What was answered is durable; the next import adds the rest."""
    plan, settled = prepare(folder, datetime.now(UTC)), 0

    def progressed(count: int) -> None:
        nonlocal settled
        settled += count
        if settled == 2 * _ROWS:
            proxy.stop()

    patience = Patience(attempts_max=3, first_pause_seconds=0.01, pause_seconds_max=0.01)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{proxy.port}") as cut_off:
        with pytest.raises(ServiceLost) as raised:
            await import_plan(plan, cut_off, "north", progressed=progressed, patience=patience)
    assert raised.value.reason == "UNAVAILABLE"
    before = await ledger.head("north")
    assert 0 < before < 5 * _ROWS
    report = await import_plan(plan, channel, "north")
    whole = 5 * _ROWS + OF_RULEBOOK
    assert (report.good(), await ledger.head("north")) == (True, whole)
    assert report.events == whole - before
