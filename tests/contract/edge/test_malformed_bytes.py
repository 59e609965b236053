"""Bytes that are no request: the same typed refusal from both listeners, and nothing written."""

import struct
from collections.abc import Iterator
from typing import Any, cast

import grpc.aio
import httpx
import pytest
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from ledger.api.v1.records_pb2 import BulkLoadRequest
from tests.contract.edge.clients import RpcFailed, connect_failure, grpc_failure
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import record_entry, register_patient

_REGISTER = "/ledger.api.v1.PatientService/RegisterPatient"
_LOAD = "/ledger.api.v1.RecordService/BulkLoad"
_FOLLOW = "/ledger.api.v1.StreamService/ReadHospital"
_UNKNOWN_FIELD = b"\xfa\x3f\x0cJane Example"
"""Field 1023, with text."""


def _with_unknown_field() -> bytes:
    return register_patient().SerializeToString() + _UNKNOWN_FIELD


def _with_unknown_field_inside() -> bytes:
    request = register_patient()
    request.context.MergeFromString(_UNKNOWN_FIELD)
    return request.SerializeToString()


_MALFORMED = [
    b"\xff\xff\xff",
    b"\x0a\x05Jane",
    b"\x12\x02\xff\xfe",
    _with_unknown_field(),
    _with_unknown_field_inside(),
]
_NAMES = ["no tag", "cut off", "no UTF-8", "unknown field", "unknown field inside"]


async def _grpc_error(edge: RunningEdge, rpc: str, data: bytes) -> RpcFailed:
    async with grpc.aio.insecure_channel(edge.addresses.grpc) as channel:
        raw = cast("Any", channel)
        try:
            if rpc == _FOLLOW:
                await raw.unary_stream(rpc)(data).read()
            else:
                await raw.unary_unary(rpc)(data)
        except grpc.aio.AioRpcError as error:
            return grpc_failure(error)
    raise AssertionError("it was answered")


async def _http_error(edge: RunningEdge, rpc: str, data: bytes) -> RpcFailed:
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        answer = await http.post(rpc, content=data, headers={"content-type": "application/proto"})
    return connect_failure(answer.json())


def _assert_malformed(error: RpcFailed) -> None:
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")
    assert "Jane" not in str(error)
    assert "_pb2" not in str(error)


@pytest.mark.parametrize("protocol", [_grpc_error, _http_error], ids=["grpc", "connect"])
@pytest.mark.parametrize("data", _MALFORMED, ids=_NAMES)
async def test_bytes_that_are_no_request(edge: RunningEdge, protocol: Any, data: bytes) -> None:
    """Unreadable, or with a field that somebody meant to record: refused in types, quoting nothing, not retried."""
    _assert_malformed(await protocol(edge, _REGISTER, data))
    assert await edge.ledger.head("north") == 0


async def test_bytes_that_begin_no_stream(edge: RunningEdge) -> None:
    """A server stream is refused as a unary call is."""
    _assert_malformed(await _grpc_error(edge, _FOLLOW, b"\xff\xff\xff"))


async def test_a_bulk_load_with_a_broken_message(edge: RunningEdge) -> None:
    """What came before it is done, the load ends in types, and the same stream without it completes the work."""
    good = BulkLoadRequest(register_patient=register_patient()).SerializeToString()
    async with grpc.aio.insecure_channel(edge.addresses.grpc) as channel:
        load = cast("Any", channel).stream_unary(_LOAD)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await load(iter([good, b"\xff\xff\xff"]))
        _assert_malformed(grpc_failure(failure.value))
        assert await edge.ledger.head("north") == 1
        answer = await load(iter([good]))
    assert BulkLoadRequest.FromString(good).register_patient.context.command_id
    assert answer


async def test_a_bulk_load_with_a_broken_json_message(edge: RunningEdge) -> None:
    """The same over Connect."""
    good = MessageToJson(BulkLoadRequest(register_patient=register_patient())).encode()
    content = b"".join(_enveloped([good, b'{"name": "Jane Example"']))
    headers = {"content-type": "application/connect+json"}
    async with httpx.AsyncClient(base_url=edge.addresses.http, trust_env=False, timeout=60) as http:
        answer = await http.post(_LOAD, content=content, headers=headers)
    assert b"Jane" not in answer.content
    assert b'"invalid_argument"' in answer.content
    assert b'"MALFORMED_REQUEST"' in answer.content
    assert await edge.ledger.head("north") == 1


@pytest.mark.parametrize("protocol", [_grpc_error, _http_error], ids=["grpc", "connect"])
async def test_an_entry_far_above_the_limit(edge: RunningEdge, protocol: Any) -> None:
    """Five MiB are refused with the limit, as two are; nobody has to guess why a scan does not get through."""
    request: Message = record_entry("00000000-0000-4000-8000-000000000001", "x" * (5 * 1024 * 1024))
    rpc = "/ledger.api.v1.RecordService/RecordEntry"
    error: RpcFailed = await protocol(edge, rpc, request.SerializeToString())
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "REQUEST_TOO_LARGE")
    assert error.facts["limit"] == str(1024 * 1024)


def _enveloped(bodies: list[bytes]) -> Iterator[bytes]:
    return (struct.pack(">BI", 0, len(body)) + body for body in bodies)
