"""Sends one command and says what became of it, counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from importers.fhir.patience import Answered, CommandRefused, Patience
from importers.fhir.report import Outcome, Report
from ledger.api.v1.common_pb2 import CommandReceipt

_TAKEN_UP = "COMMAND_ID_REUSED"
DUPLICATE_FACT = "DUPLICATE_FACT"


class _Durable(Protocol):
    """An answer with a receipt."""

    @property
    def receipt(self) -> CommandReceipt: ...


Response = TypeVar("Response", bound=_Durable)


@dataclass(frozen=True)
class Done:
    """What became of a command, and the stream it acted on (empty where it was refused)."""

    outcome: Outcome
    reason: str = ""
    stream_id: str = ""
    version: int = 0
    """Version of the stream after it."""
    faults: tuple[tuple[str, str], ...] = ()
    """Field and rule of each fault of a refusal."""

    @property
    def duplicates(self) -> tuple[str, ...]:
        """The fields whose fact another system stated before, where that is all that was wrong."""
        only = bool(self.faults) and all(rule == DUPLICATE_FACT for _, rule in self.faults)
        return tuple(field for field, _ in self.faults) if only else ()


class Sending:
    """Sends the commands of one import and counts them in its report."""

    def __init__(self, report: Report, patience: Patience) -> None:
        self._report = report
        self._patience = patience

    async def do(self, attempt: Callable[[float], Awaitable[Response]]) -> Done:
        """Sends one command. Raises ServiceLost."""
        return (await self.ask(attempt))[0]

    async def ask(self, attempt: Callable[[float], Awaitable[Response]]) -> tuple[Done, Response | None]:
        """The same, with the whole answer; None where the command was refused. Raises ServiceLost."""
        try:
            answered = await self._patience.call(attempt)
        except CommandRefused as refused:
            return self._refused(refused), None
        return self._answered(answered), answered.answer

    def _answered(self, done: Answered[Response]) -> Done:
        receipt = done.answer.receipt
        self._report.commands += 1
        self._report.events += receipt.events
        self._report.position = max(self._report.position, receipt.position if receipt.events else 0)
        # A command that an earlier attempt of this very import did is new, though its receipt says "repeated".
        new = receipt.events > 0 or (receipt.repeated and done.attempts > 1)
        outcome = Outcome.RECORDED if new else Outcome.SAME
        return Done(outcome, stream_id=receipt.record_id, version=receipt.record_version)

    def _refused(self, refused: CommandRefused) -> Done:
        self._report.commands += 1
        # The id holds the digest of the source: the same content was taken up before, though it was written otherwise
        # then (a practitioner had another name, a bed was another). What was recorded stays as it was.
        if refused.reason == _TAKEN_UP:
            return Done(Outcome.SAME)
        return Done(Outcome.REFUSED, refused.reason, faults=refused.faults)
