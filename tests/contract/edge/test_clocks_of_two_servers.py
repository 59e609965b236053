"""Two server processes whose clocks differ write one record."""

# pyright: reportPrivateUsage=false
# Clocks are given to a process once, by a file: two that differ in one test are put in their place.

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from ledger.application.ledger import Ledger
from ledger.application.message_codec import time_of
from ledger.config import Settings
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import record_entry, register_patient, register_record, start_care
from tests.services.sealed import open_ledger

_RPC = "ledger.api.v1."
AHEAD = timedelta(seconds=3)


def fast_clock() -> datetime:
    """The clock of a server that is ahead, by less than the append refuses."""
    return datetime.now(UTC) + AHEAD


@pytest.fixture
async def other_server(edge: RunningEdge, settings: Settings) -> AsyncIterator[Ledger]:
    """What a second server process has: a ledger with connections and memory of its own."""
    assert edge.addresses.grpc, "it has added the hospitals"
    ledger = await open_ledger(settings)
    yield ledger
    await ledger.close()


async def test_time_never_goes_back_inside_a_record(
    edge: RunningEdge, other_server: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server that is behind takes its predecessor's time; another record has the time of its own server."""
    fast, slow = edge.ledger, other_server
    monkeypatch.setattr(fast._tenants, "_clock", fast_clock)
    patient = (await fast.execute(f"{_RPC}PatientService/RegisterPatient", register_patient())).record_id
    record = (await fast.execute(f"{_RPC}RecordService/RegisterRecord", register_record(str(patient)))).record_id
    await fast.execute(f"{_RPC}RecordService/StartCare", start_care(str(record)))
    before = time_of((await slow.read_positions("north", 5, 1))[0].recorded_at) - timedelta(seconds=1)
    monkeypatch.setattr(slow._tenants, "_clock", lambda: before)
    await slow.execute(f"{_RPC}RecordService/RecordEntry", record_entry(str(record)))
    await slow.execute(f"{_RPC}PatientService/RegisterPatient", register_patient())
    care, entry, other = await slow.read_positions("north", 5, 10)
    assert (entry.stream_id, entry.version) == (record, 3)
    assert entry.recorded_at == care.recorded_at + 1 > other.recorded_at, (
        "each command of a stream has a time of its own"
    )
