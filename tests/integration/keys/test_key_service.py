"""KeyService as `ledger serve` serves it: who may, what comes back, and what happens while it is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from ledger.api.v1.common_pb2 import IDENTITY_STATUS_MATCHED
from ledger.api.v1.events_pb2 import PatientRegistered
from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_INSPECTION, UNSEAL_PURPOSE_VIEWS, SealedEvent, UnsealRequest
from ledger.api.v1.keys_pb2_grpc import KeyServiceStub
from ledger.api.v1.records_pb2 import RegisterPatientRequest
from ledger.api.v1.records_pb2_grpc import PatientServiceStub
from ledger.api.v1.stream_pb2 import AddHospitalRequest, ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub, StreamServiceStub
from ledger.keys import remote_opener
from ledger.keys.errors import KeysUnavailable
from ledger.keys.remote_opener import RemoteOpener
from ledger.keys.secret_file import read_line_secret
from ledger.trust.sealing import Opened, SealFault, SealFaultKind
from tests.contract.edge.requests import register_patient
from tests.services.key_files import key_settings
from tests.services.key_service import TOKEN, serving_fixed_key
from tests.services.postgres import Database
from tests.services.sealed import plaintext_of
from tests.services.serve_process import serve_environment, serving
from tests.unit.consumers.histories import short_history

EVENTS = [(event.envelope, event.body) for event in short_history().events]


@pytest.fixture
async def channel(database: Database, tmp_path: Path) -> AsyncIterator[grpc.aio.Channel]:
    """A server process, with one event in its ledger."""
    with serving(serve_environment(database), tmp_path / "ready") as address:
        async with grpc.aio.insecure_channel(address) as found:
            await HospitalServiceStub(found).AddHospital(AddHospitalRequest(hospital_id="north"))
            request: RegisterPatientRequest = register_patient(case_number="C-4711")
            assert request.identity == IDENTITY_STATUS_MATCHED
            await PatientServiceStub(found).RegisterPatient(request)
            yield found


async def _stored(channel: grpc.aio.Channel) -> list[tuple[bytes, bytes]]:
    request = ReadHospitalRequest(hospital="north")
    batches = StreamServiceStub(channel).ReadHospital(request)
    return [(event.envelope, event.body) async for batch in batches for event in batch.events]


def _token() -> str:
    return read_line_secret(Path(key_settings()["LEDGER_UNSEAL_TOKEN_FILE"])).decode()


async def test_a_consumer_gets_what_the_ledger_sealed(channel: grpc.aio.Channel) -> None:
    """The stream serves sealed bytes; with a token and a purpose they open, and an altered one is a fault by name."""
    ((envelope, body),) = await _stored(channel)
    assert b"C-4711" not in body
    opener = RemoteOpener(channel, _token(), UNSEAL_PURPOSE_INSPECTION)
    opened, altered = await opener.open([(envelope, body), (envelope, body[:-1] + bytes([body[-1] ^ 1]))])
    assert isinstance(opened, Opened)
    assert PatientRegistered.FromString(opened.plaintext).case_number == "C-4711"
    assert altered == SealFault(SealFaultKind.TAG)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ((), grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", "Bearer nonsense"),), grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", "Basic nonsense"),), grpc.StatusCode.UNAUTHENTICATED),
    ],
)
async def test_nobody_else_gets_anything(
    channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...], code: grpc.StatusCode
) -> None:
    """No token, or another: refused in types, without a word of what was asked."""
    ((envelope, body),) = await _stored(channel)
    request = UnsealRequest(purpose=UNSEAL_PURPOSE_VIEWS, events=[SealedEvent(envelope=envelope, body=body)])
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await KeyServiceStub(channel).Unseal(request, metadata=metadata)
    assert refused.value.code() is code


async def test_a_purpose_of_somebody_else_is_denied(channel: grpc.aio.Channel) -> None:
    """The publisher's token opens nothing for views; a purpose that is none is refused as bad input."""
    folder = Path(key_settings()["LEDGER_UNSEAL_TOKEN_FILE"]).parent
    publisher = (("authorization", f"Bearer {read_line_secret(folder / 'token-publish').decode()}"),)
    stub = KeyServiceStub(channel)
    for request, code in (
        (UnsealRequest(purpose=UNSEAL_PURPOSE_VIEWS), grpc.StatusCode.PERMISSION_DENIED),
        (UnsealRequest(), grpc.StatusCode.INVALID_ARGUMENT),
        (UnsealRequest(purpose=UNSEAL_PURPOSE_VIEWS, events=[SealedEvent()] * 1001), grpc.StatusCode.INVALID_ARGUMENT),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Unseal(request, metadata=publisher)
        assert refused.value.code() is code


async def test_a_large_batch_is_asked_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by bytes; the answers come back whole and in order."""
    monkeypatch.setattr(remote_opener, "EVENTS_MAX", 7)
    monkeypatch.setattr(remote_opener, "BYTES_MAX", 2000)
    async with serving_fixed_key() as address, grpc.aio.insecure_channel(address) as channel:
        opener = RemoteOpener(channel, TOKEN, UNSEAL_PURPOSE_VIEWS)
        found = await opener.open(EVENTS * 10)
        assert await opener.open([]) == []
    assert found == [Opened(plaintext_of(*each)) for each in EVENTS * 10]


async def test_a_service_that_is_away_is_waited_for_and_then_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three attempts, then KeysUnavailable; once it is back the same opener opens."""
    monkeypatch.setattr(remote_opener, "_FIRST_PAUSE_SECONDS", 0.01)
    async with serving_fixed_key() as address:
        pass
    options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 50)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        opener = RemoteOpener(channel, TOKEN, UNSEAL_PURPOSE_VIEWS)
        with pytest.raises(KeysUnavailable, match="UNAVAILABLE"):
            await opener.open(EVENTS)
        async with serving_fixed_key(address):
            await channel.channel_ready()
            assert len(await opener.open(EVENTS)) == 3


async def test_a_refused_token_is_not_tried_again(channel: grpc.aio.Channel) -> None:
    """It makes a view wait, with the reason, and not hammer."""
    with pytest.raises(KeysUnavailable, match="UNAUTHENTICATED"):
        await RemoteOpener(channel, "another token", UNSEAL_PURPOSE_VIEWS).open(EVENTS)
