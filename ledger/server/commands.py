"""Every command: the ledger executes it, the receipt and the ids it made go back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1.common_pb2 import CommandContext, CommandReceipt
from ledger.application.command_batch import Request
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.server.head_watch import HeadWatch
from ledger.server.log_states import LogStates
from ledger.server.method import Method


class Commands:
    """Handlers of the methods whose request carries a CommandContext."""

    def __init__(self, ledger: Ledger, heads: HeadWatch, logs: LogStates | None = None) -> None:
        """`logs` say whether a ledger may grow; without them nobody does."""
        self._ledger = ledger
        self._heads = heads
        self._logs = logs

    def handler(self, method: Method) -> Callable[[Message], Awaitable[Message]]:
        """The handler of one command."""

        async def execute(request: Message) -> Message:
            return response_of(method, await self.execute(method, request))

        return execute

    async def execute(self, method: Method, request: Message) -> Outcome:
        """Executes a command and tells those who follow the hospital."""
        hospital = context_of(request).hospital
        await self._refuse_if_halted(hospital)
        outcome = await self._ledger.execute(method.rpc, request)
        self._heads.notice(hospital, outcome.position)
        return outcome

    async def execute_together(self, hospital: str, requests: Sequence[Request]) -> list[Outcome | None]:
        """Executes many commands of one hospital at once; None for those that `execute` has to do."""
        await self._refuse_if_halted(hospital)
        outcomes = await self._ledger.execute_together(hospital, requests)
        self._heads.notice(hospital, max((each.position for each in outcomes if each is not None), default=0))
        return outcomes

    async def _refuse_if_halted(self, hospital: str) -> None:
        if self._logs is not None:
            await self._ledger.require(hospital)
            await self._logs.refuse_if_halted(hospital)


def context_of(request: Message) -> CommandContext:
    """The context of a command's request."""
    return cast("CommandContext", cast("Any", request).context)


def receipt_of(outcome: Outcome) -> CommandReceipt:
    """What a durable command gives back."""
    return CommandReceipt(
        record_id=str(outcome.record_id),
        record_version=outcome.record_version,
        position=outcome.position,
        repeated=outcome.repeated,
        events=outcome.events,
    )


def response_of(method: Method, outcome: Outcome) -> Message:
    """The response of a command: its receipt, and the ids and digests that the response names."""
    response = method.response()
    cast("Any", response).receipt.CopyFrom(receipt_of(outcome))
    for name, value in outcome.result.items():
        if name in method.response.DESCRIPTOR.fields_by_name:
            setattr(response, name, str(value) if isinstance(value, UUID) else value)
    return response
