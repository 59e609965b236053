"""Bounded retries: every command bears an id that makes sending it again safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
import grpc.aio
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from ledger.api.v1.common_pb2 import Violations

Answer = TypeVar("Answer")

_DETAILS = "grpc-status-details-bin"
_PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        # Unknown outcomes, and others who were faster: the same command id asks again and is done once.
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
    }
)


class ServiceLost(Exception):
    """The service did not answer within the attempts allowed; the same import can be started again and goes on."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(f"{ServiceLost.__doc__} ({reason}, {attempts} attempts)")
        self.reason = reason
        self.attempts = attempts


class CommandRefused(Exception):
    """The service refused a command."""

    def __init__(self, reason: str, faults: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        """ErrorInfo.reason, or the status code where the service gave none."""
        self.faults = faults
        """Field and rule of each fault that the service named."""


@dataclass(frozen=True)
class Answered(Generic[Answer]):
    """An answer, and how many attempts it took."""

    answer: Answer
    attempts: int


@dataclass(frozen=True)
class Patience:
    """How often and how long a command is tried."""

    attempts_max: int = 10
    first_pause_seconds: float = 0.05
    pause_seconds_max: float = 3.0
    call_seconds_max: float = 30.0
    """Deadline of one attempt."""

    async def call(self, attempt: Callable[[float], Awaitable[Answer]]) -> Answered[Answer]:
        """The answer of `attempt(timeout_seconds)`. Raises CommandRefused, or ServiceLost after the last attempt."""
        pause, reason = self.first_pause_seconds, ""
        for count in range(1, self.attempts_max + 1):
            try:
                return Answered(await attempt(self.call_seconds_max), count)
            except grpc.aio.AioRpcError as error:
                reason = reason_of(error)
                if error.code() not in _PASSING:
                    raise CommandRefused(reason, faults_of(error)) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, self.pause_seconds_max)
        raise ServiceLost(reason, self.attempts_max)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """ErrorInfo.reason of an error, else the name of its status code. Never its text."""
    info = ErrorInfo()
    for key, value in error.trailing_metadata():
        if key == _DETAILS and isinstance(value, bytes):
            found = (detail.Unpack(info) for detail in Status.FromString(value).details)
            return info.reason if any(found) else error.code().name
    return error.code().name


def faults_of(error: grpc.aio.AioRpcError) -> tuple[tuple[str, str], ...]:
    """Field and rule of every violation that an error carries."""
    found = Violations()
    for key, value in error.trailing_metadata():
        if key == _DETAILS and isinstance(value, bytes):
            for detail in Status.FromString(value).details:
                if detail.Unpack(found):
                    return tuple((each.field, each.rule) for each in found.violations)
    return ()
