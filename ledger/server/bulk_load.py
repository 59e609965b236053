"""Many commands on one stream: a bounded number under way, the order of each record kept, a verdict for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

from google.protobuf.message import Message
from google.rpc import code_pb2

from ledger.api.v1.records_pb2 import BulkFailure, BulkLoadRequest, BulkLoadResponse
from ledger.application.errors import Contention
from ledger.application.outcome import Outcome
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.server.bulk_window import BulkWindow
from ledger.server.calls import check_request_size, failure_status
from ledger.server.commands import Commands, context_of
from ledger.server.error_status import reason_of, violations_of
from ledger.server.error_table import row_of
from ledger.server.errors import MalformedRequest
from ledger.server.limits import Limits
from ledger.server.method import commands_by_request
from ledger.store.errors import AppendQueueFull

RPC = "ledger.api.v1.RecordService/BulkLoad"
_LIES_WITH_THE_SERVICE = frozenset({code_pb2.UNAVAILABLE, code_pb2.UNKNOWN, code_pb2.RESOURCE_EXHAUSTED})
_PAUSE_SECONDS_MIN = 0.05
_PAUSE_SECONDS_MAX = 0.5
_PATIENCE_SECONDS = 30.0
"""How long one command of a load is tried again while the queue is full or others are faster."""
_ORDERED_BY = ("record_id", "patient_id", "case_number")
"""The first of these fields that a command has names what its order must be kept for."""


class BulkLoad:
    """The handler of BulkLoad."""

    def __init__(self, commands: Commands, limits: Limits) -> None:
        self._commands = commands
        self._limits = limits
        self._methods = commands_by_request()

    async def bulk_load(self, requests: AsyncIterator[BulkLoadRequest]) -> BulkLoadResponse:
        """Executes every command of the stream. An error that lies with the service ends the load; a retry with the
        same command ids goes on where it ended."""
        load = _Load(self._limits)
        async with asyncio.TaskGroup() as running:
            try:
                async for request in requests:
                    if load.broken is not None:
                        break
                    size = request.ByteSize()
                    await load.window.enter(size)
                    item = _Item(load.count, request, size, load.predecessor(request))
                    load.follows(request, running.create_task(self._one(load, item)))
            except MalformedRequest as error:
                load.broken = error  # nothing behind it can be told apart; what came before is done or not, as always
        if load.broken is not None:
            raise load.broken
        return load.response

    async def _one(self, load: _Load, item: _Item) -> None:
        try:
            if item.predecessor is not None:
                await asyncio.wait([item.predecessor])
            if load.broken is not None:
                return  # what comes after a command that may have to be sent again waits for that
            load.done(await self._execute(item.request))
        except Exception as error:  # noqa: BLE001 # each command's verdict goes into the answer
            load.failed(item, error)
        finally:
            load.window.leave(item.size)

    async def _execute(self, request: BulkLoadRequest) -> Outcome:
        check_request_size(request, self._limits)
        command = command_of(request)
        if command is None:
            raise Refused(RefusalKind.INVALID, (Violation("command", "REQUIRED", "a command is required"),))
        method = self._methods[command.DESCRIPTOR.full_name]
        loop, pause_seconds = asyncio.get_running_loop(), _PAUSE_SECONDS_MIN
        give_up_at = loop.time() + _PATIENCE_SECONDS
        while True:
            try:
                return await self._commands.execute(method, command)
            except (AppendQueueFull, Contention):
                # Nobody has refused the command: it waits, and the client behind the window with it.
                if loop.time() + pause_seconds > give_up_at:
                    raise
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, _PAUSE_SECONDS_MAX)


@dataclass(frozen=True)
class _Item:
    index: int
    request: BulkLoadRequest
    size: int
    predecessor: asyncio.Task[None] | None


class _Load:
    """What one bulk load has come to so far."""

    def __init__(self, limits: Limits) -> None:
        self.window = BulkWindow(limits.bulk_commands_in_flight_max, limits.bulk_bytes_in_flight_max)
        self.response = BulkLoadResponse()
        self.count = 0
        self.broken: Exception | None = None
        self._failures_listed_max = limits.bulk_failures_listed_max
        self._last: dict[tuple[str, str], asyncio.Task[None]] = {}

    def predecessor(self, request: BulkLoadRequest) -> asyncio.Task[None] | None:
        return self._last.get(order_key(request))

    def follows(self, request: BulkLoadRequest, task: asyncio.Task[None]) -> None:
        key = order_key(request)
        self.count += 1
        self._last[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))

    def _forget(self, key: tuple[str, str], done: asyncio.Task[None]) -> None:
        if self._last.get(key) is done:
            del self._last[key]

    def done(self, outcome: Outcome) -> None:
        if outcome.repeated:
            self.response.repeated_commands += 1
        else:
            self.response.appended += 1
            self.response.position = max(self.response.position, outcome.position)

    def failed(self, item: _Item, error: Exception) -> None:
        if row_of(error).code in _LIES_WITH_THE_SERVICE or isinstance(error, Contention):
            self.broken = error
            return
        failure_status(RPC, error)
        self.response.refused += 1
        if len(self.response.failures) >= self._failures_listed_max:
            return
        command = command_of(item.request)
        self.response.failures.add().CopyFrom(
            BulkFailure(
                index=item.index,
                command_id=context_of(command).command_id if command else "",
                reason=reason_of(error),
                violations=violations_of(error),
            )
        )


def command_of(request: BulkLoadRequest) -> Message | None:
    """The command that a message of the stream carries."""
    name = request.WhichOneof("command")
    return cast("Message", getattr(request, name)) if name else None


def order_key(request: BulkLoadRequest) -> tuple[str, str]:
    """Commands with the same key are done in the order in which they came."""
    command = command_of(request)
    if command is None:
        return ("", "")
    name = next(each for each in _ORDERED_BY if each in command.DESCRIPTOR.fields_by_name)
    return context_of(command).hospital, getattr(command, name)
