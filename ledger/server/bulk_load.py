"""Many commands on one stream: a bounded number under way, the order of each record kept, a verdict for each.

What has arrived is executed while the next commands arrive. Nothing waits to fill a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import cast

from google.protobuf.message import Message
from google.rpc import code_pb2

from ledger.api.v1.records_pb2 import BulkFailure, BulkLoadRequest, BulkLoadResponse
from ledger.application.errors import Contention, LedgerError
from ledger.application.outcome import Outcome
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.keys.errors import KeyProblem
from ledger.server.bulk_window import BulkWindow
from ledger.server.calls import check_request_size, failure_status
from ledger.server.commands import Commands, context_of
from ledger.server.error_status import reason_of, violations_of
from ledger.server.error_table import row_of
from ledger.server.errors import EdgeError
from ledger.server.limits import Limits
from ledger.server.method import commands_by_request
from ledger.store.errors import AppendQueueFull, StoreError

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
        reading = asyncio.create_task(load.read(requests), name="bulk load")
        try:
            async with asyncio.TaskGroup() as running:
                while items := await load.arrived():
                    for key, in_order in _by_key(await self._not_together(load, items)).items():
                        load.begins(key)
                        running.create_task(self._in_order(load, key, in_order))
        finally:
            reading.cancel()
            await asyncio.wait([reading])
        if load.broken is not None:
            raise load.broken
        reading.result()
        return load.response

    async def _not_together(self, load: _Load, items: Sequence[_Item]) -> list[_Item]:
        """Executes what can be executed together, and leaves what cannot, or comes after what could not."""
        left: list[_Item] = []
        of_hospital: dict[str, list[tuple[_Item, Message]]] = {}
        for item in items:
            command = command_of(item.request)
            if command is None or item.size > self._limits.request_bytes_max:
                left.append(item)
            else:
                of_hospital.setdefault(context_of(command).hospital, []).append((item, command))
        for hospital, commands in of_hospital.items():
            for (item, _), outcome in zip(commands, await self._together(hospital, commands), strict=True):
                if outcome is None:
                    left.append(item)
                else:
                    load.done(item, outcome)
        return left

    async def _together(self, hospital: str, commands: Sequence[tuple[_Item, Message]]) -> Sequence[Outcome | None]:
        requests = [(self._methods[each.DESCRIPTOR.full_name].rpc, each) for _, each in commands]
        try:
            return await self._commands.execute_together(hospital, requests)
        except (LedgerError, StoreError, KeyProblem, EdgeError):
            return [None] * len(requests)  # each by itself meets that again, and is told

    async def _in_order(self, load: _Load, key: Key, items: Sequence[_Item]) -> None:
        for item in items:
            if load.broken is not None:
                break  # what comes after a command that may have to be sent again waits for that
            try:
                load.done(item, await self._execute(item.request))
            except Exception as error:  # noqa: BLE001 # each command's verdict goes into the answer
                load.failed(item, error)
        load.ends(key)

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


Key = tuple[str, str]
"""What a command's order is kept for: its hospital, and its record, patient or case number."""


@dataclass(frozen=True, slots=True)
class _Item:
    index: int
    request: BulkLoadRequest
    size: int
    key: Key


class _Load:
    """What one bulk load has come to so far."""

    def __init__(self, limits: Limits) -> None:
        self.response = BulkLoadResponse()
        self.broken: Exception | None = None
        self._window = BulkWindow(limits.bulk_commands_in_flight_max, limits.bulk_bytes_in_flight_max)
        self._failures_listed_max = limits.bulk_failures_listed_max
        self._waiting: list[_Item] = []
        self._by_themselves: set[Key] = set()
        self._arrival = asyncio.Event()
        self._ended = False

    async def read(self, requests: AsyncIterator[BulkLoadRequest]) -> None:
        """Takes in what comes while other commands are executed. Raises MalformedRequest where the next message cannot
        be read: nothing behind it can be told apart, and what came before is done or not, as always."""
        try:
            index = 0
            async for request in requests:
                size = request.ByteSize()
                await self._window.enter(size)
                self._waiting.append(_Item(index, request, size, order_key(request)))
                self._arrival.set()
                index += 1
        finally:
            self._ended = True
            self._arrival.set()

    async def arrived(self) -> list[_Item]:
        """All that waits and follows nothing that is executed by itself, as soon as there is something; nothing where
        the stream has ended or the load is broken."""
        while self.broken is None:
            ready = [each for each in self._waiting if each.key not in self._by_themselves]
            if ready:
                self._waiting = [each for each in self._waiting if each.key in self._by_themselves]
                return ready
            if self._ended and not self._waiting:
                break
            self._arrival.clear()
            await self._arrival.wait()
        return []

    def begins(self, key: Key) -> None:
        """Commands of that key are executed by themselves from now on; later ones wait."""
        self._by_themselves.add(key)

    def ends(self, key: Key) -> None:
        """They are done."""
        self._by_themselves.discard(key)
        self._arrival.set()

    def done(self, item: _Item, outcome: Outcome) -> None:
        """Counts a command that is durable."""
        self._window.leave(item.size)
        if outcome.repeated:
            self.response.repeated_commands += 1
        else:
            self.response.appended += 1
            self.response.position = max(self.response.position, outcome.position)

    def failed(self, item: _Item, error: Exception) -> None:
        """Counts a command that was refused; where that lies with the service, the load is broken."""
        self._window.leave(item.size)
        if row_of(error).code in _LIES_WITH_THE_SERVICE or isinstance(error, Contention):
            self.broken = error
            self._arrival.set()
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


def _by_key(items: Sequence[_Item]) -> dict[Key, list[_Item]]:
    found: dict[Key, list[_Item]] = {}
    for item in items:
        found.setdefault(item.key, []).append(item)
    return found


def command_of(request: BulkLoadRequest) -> Message | None:
    """The command that a message of the stream carries."""
    name = request.WhichOneof("command")
    return cast("Message", getattr(request, name)) if name else None


def order_key(request: BulkLoadRequest) -> Key:
    """Commands with the same key are done in the order in which they came."""
    command = command_of(request)
    if command is None:
        return ("", "")
    name = next(each for each in _ORDERED_BY if each in command.DESCRIPTOR.fields_by_name)
    return context_of(command).hospital, getattr(command, name)
