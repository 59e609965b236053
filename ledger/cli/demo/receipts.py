"""Every receipt that the service gave to this run, and whether the stored events bear it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc.aio
from typing_extensions import override

from ledger.api.v1.common_pb2 import CommandReceipt, EventMeta
from ledger.domain.release_rules import LEDGER_ITSELF
from ledger.trust.sealing import Destroyed, Opened, Opening
from ledger.trust.verify import Row
from ledger.views.bodies import BODIES

_OF_RULES = frozenset(
    f"ledger.v1.{each}" for each in ("RulePackAdded", "RulePackChosen", "TemplatesAdded", "CodeTableNoted")
)


@dataclass(frozen=True)
class Receipt:
    """What the service said of one command."""

    command_id: str
    record_id: str
    version: int
    position: int
    events: int


class ReceiptLog(grpc.aio.UnaryUnaryClientInterceptor):
    """Notes the receipt of every command that is sent over its channel, whoever sends it."""

    def __init__(self) -> None:
        self._receipts: dict[str, list[Receipt]] = {}

    def of(self, hospital: str) -> Sequence[Receipt]:
        """The receipts of commands to one hospital, those that added nothing left out."""
        return self._receipts.get(hospital, [])

    @override
    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """Lets the call through and reads its answer."""
        call = await continuation(client_call_details, request)
        receipt = getattr(await call, "receipt", None)
        if isinstance(receipt, CommandReceipt) and receipt.position:
            told = (receipt.record_id, receipt.record_version, receipt.position, receipt.events)
            self._receipts.setdefault(request.context.hospital, []).append(Receipt(request.context.command_id, *told))
        return call


def not_borne_out(receipts: Iterable[Receipt], rows: Iterable[Row], openings: Iterable[Opening]) -> list[Receipt]:
    """Receipts whose position or record version is not an event of their own command, or that count other events.

    Of a destroyed record nobody can read the command: there position and record version must be of one event.
    """
    unreadable: set[tuple[str, int, int]] = set()
    by_position: dict[int, str] = {}
    by_version: dict[tuple[str, int], str] = {}
    for row, opening in zip(rows, openings, strict=True):
        copies = row.copies
        assert copies is not None  # noqa: S101 - read with their copies
        stream_id = str(UUID(bytes=copies.stream_id))
        if isinstance(opening, Destroyed):
            unreadable.add((stream_id, copies.version, row.position))
        command_id = _command_of(copies.type, opening)
        by_position[row.position] = command_id
        by_version[stream_id, copies.version] = command_id
    added = Counter(by_position.values())
    return [
        each
        for each in receipts
        if (each.record_id, each.version, each.position) not in unreadable
        and not _holds(each, by_position, by_version, added)
    ]


def of_rules(rows: Iterable[Row]) -> list[Row]:
    """Events of the hospital's rulebook, which the ledger writes itself where nobody brought them."""
    return [row for row in rows if row.copies is not None and row.copies.type in _OF_RULES]


def by_ledger_itself(rows: Iterable[Row], openings: Iterable[Opening]) -> int:
    """How many of these events of the rulebook no command of anybody asked for."""
    return sum(
        _meta_of(row.copies.type, opening).actor.id == str(LEDGER_ITSELF.id)
        for row, opening in zip(rows, openings, strict=True)
        if row.copies is not None and isinstance(opening, Opened)
    )


def _holds(
    each: Receipt,
    by_position: Mapping[int, str],
    by_version: Mapping[tuple[str, int], str],
    added: Mapping[str, int],
) -> bool:
    named = {by_position.get(each.position), by_version.get((each.record_id, each.version))}
    # A repeated command says 0: it added nothing now.
    return named == {each.command_id} and each.events in (0, added[each.command_id])


def _command_of(event_type: str, opening: Opening) -> str:
    return _meta_of(event_type, opening).command_id if isinstance(opening, Opened) else ""


def _meta_of(event_type: str, opening: Opened) -> EventMeta:
    message: Any = BODIES[event_type].FromString(opening.plaintext)
    return message.meta
