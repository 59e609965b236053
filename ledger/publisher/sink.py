"""Where a hospital's events go: the two carriers of the published stream behind one port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger.publisher.ledger_log import HospitalRow, LedgerLog, LogRow, TransferCopy, origin_of
from ledger.publisher.rollback import refuse_if_rolled_back
from ledger.publisher.routing import Routing


class Sink(Protocol):
    """Publishes one hospital's events. Every call raises StreamError where it fails, and then only `close` is left."""

    async def open(self) -> int:
        """Fences whoever published before; the last position that is published. Raises LedgerRolledBack."""
        ...

    async def publish(self, rows: Sequence[LogRow]) -> None:
        """Publishes events that follow the last position, all or none."""
        ...

    async def look(self) -> None:
        """Whether what was published is still there, and the ledger still the one it came from."""
        ...

    async def close(self) -> None:
        """Gives up what the sink holds."""
        ...


class PostgresSink:
    """The log is the stream already; what goes to other hospitals is copied to their sequences."""

    def __init__(self, log: LedgerLog, hospital: HospitalRow, routing: Routing) -> None:
        self._log = log
        self._routing = routing
        self._hospital = hospital
        self._position = 0

    async def open(self) -> int:
        """The position up to which transfers were copied."""
        self._position = await self._log.progress(self._hospital.id)
        await self.look()
        return self._position

    async def publish(self, rows: Sequence[LogRow]) -> None:
        """Copies the transfers in a range and notes the progress, in one transaction."""
        last = rows[-1].position
        recipients = await self._routing.recipients(rows)
        copies = [
            TransferCopy(recipient, origin_of(row, self._hospital), row.position, row.envelope, row.body)
            for row in rows
            for recipient in recipients.get(row.position, ())
        ]
        await self._log.copy_transfers(self._hospital.id, copies, last)
        self._position = last

    async def look(self) -> None:
        """Whether the ledger still has what was copied from it."""
        await refuse_if_rolled_back(self._log, self._hospital.id, self._position, {})

    async def close(self) -> None:
        """Nothing is held."""
