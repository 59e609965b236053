"""Every command: the ledger executes it, the receipt and the ids it made go back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1.common_pb2 import CommandContext, CommandReceipt
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.server.head_watch import HeadWatch
from ledger.server.method import Method


class Commands:
    """Handlers of the methods whose request carries a CommandContext."""

    def __init__(self, ledger: Ledger, heads: HeadWatch) -> None:
        self._ledger = ledger
        self._heads = heads

    def handler(self, method: Method) -> Callable[[Message], Awaitable[Message]]:
        """The handler of one command."""

        async def execute(request: Message) -> Message:
            return response_of(method, await self.execute(method, request))

        return execute

    async def execute(self, method: Method, request: Message) -> Outcome:
        """Executes a command and tells those who follow the hospital."""
        outcome = await self._ledger.execute(method.rpc, request)
        self._heads.notice(context_of(request).hospital, outcome.position)
        return outcome


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
