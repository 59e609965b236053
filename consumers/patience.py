"""Bounded retries of calls that may be repeated: every command here carries an id that makes it safe."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc

T = TypeVar("T")

_PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        # The outcome is not known, or others were faster: the same command id asks again and is done once.
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
    }
)


class ServiceUnavailable(Exception):
    """A service did not answer within the attempts allowed."""

    def __init__(self, call: str, attempts: int, status: str) -> None:
        super().__init__(f"{call} failed {attempts} times, last with {status}")
        self.call = call
        self.attempts = attempts
        self.status = status


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a call is tried."""

    attempts_max: int = 8
    first_pause_seconds: float = 0.1
    pause_seconds_max: float = 3.0
    call_seconds_max: float = 30.0
    """Deadline of one attempt."""

    async def call(self, name: str, attempt: Callable[[float], Awaitable[T]]) -> T:
        """The answer of `attempt(timeout_seconds)`; ServiceUnavailable once it has failed too often.

        Any other refusal of the service passes through as grpc.aio.AioRpcError.
        """
        pause = self.first_pause_seconds
        for count in range(1, self.attempts_max + 1):
            try:
                return await attempt(self.call_seconds_max)
            except grpc.aio.AioRpcError as error:
                if error.code() not in _PASSING:
                    raise
                if count == self.attempts_max:
                    raise ServiceUnavailable(name, count, error.code().name) from error
            except TimeoutError as error:
                # The attempt itself found the service silent, though the connection stands.
                if count == self.attempts_max:
                    raise ServiceUnavailable(name, count, grpc.StatusCode.DEADLINE_EXCEEDED.name) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, self.pause_seconds_max)
        raise ServiceUnavailable(name, 0, "no attempt allowed")
