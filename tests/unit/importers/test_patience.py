"""Retries are bounded, and only for what passes."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from importers.fhir.patience import CommandRefused, Patience, ServiceLost

_QUICK = Patience(attempts_max=3, first_pause_seconds=0, pause_seconds_max=0)


def _error(code: grpc.StatusCode, reason: str = "") -> grpc.aio.AioRpcError:
    detail = Any()
    detail.Pack(ErrorInfo(reason=reason))
    status = Status(details=[detail] if reason else []).SerializeToString()
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details="patient Jo Doe")


class _Answers:
    """Raises its errors one after another, then answers."""

    def __init__(self, *errors: grpc.aio.AioRpcError) -> None:
        self._errors = list(errors)

    async def __call__(self, seconds: float) -> str:
        assert seconds > 0
        if self._errors:
            raise self._errors.pop(0)
        return "done"


async def test_unavailable_is_tried_again() -> None:
    """The answer says how many attempts it took."""
    answered = await _QUICK.call(_Answers(_error(grpc.StatusCode.UNAVAILABLE), _error(grpc.StatusCode.UNAVAILABLE)))
    assert (answered.answer, answered.attempts) == ("done", 3)


async def test_after_the_last_attempt_the_service_is_lost() -> None:
    """It does not try for ever."""
    with pytest.raises(ServiceLost) as raised:
        await _QUICK.call(_Answers(*(_error(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE") for _ in range(9))))
    assert (raised.value.reason, raised.value.attempts) == ("STORE_UNAVAILABLE", 3)


async def test_a_refusal_is_named_by_its_reason_and_nothing_else() -> None:
    """No retry, and no text of the service in the error."""
    with pytest.raises(CommandRefused) as raised:
        await _QUICK.call(_Answers(_error(grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")))
    assert str(raised.value) == "VALIDATION_FAILED"
    with pytest.raises(CommandRefused, match="UNIMPLEMENTED"):
        await _QUICK.call(_Answers(_error(grpc.StatusCode.UNIMPLEMENTED)))
