"""What servers and readers write down beside the ledgers: figures of the service, no events."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from ledger.store import read_usage, reader_states
from ledger.store.connections import ConnectionPool
from ledger.store.read_usage import ReadTotal
from ledger.store.reader_states import ReaderState


class ServiceNotes:
    """Keeps the newest of each. Everything raises StoreUnavailable."""

    def __init__(self, writers: ConnectionPool, readers: ConnectionPool) -> None:
        self._writers = writers
        self._readers = readers

    async def keep_reads(self, run: UUID, of_day: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        """What a run of a server has answered in all: reads and bytes by hospital and day."""
        await read_usage.keep(self._writers, run, [ReadTotal(*key, *total) for key, total in of_day.items()])

    async def keep_reader_state(self, hospital: str, reader: str, state: str, dead_letters: int, waiting: int) -> None:
        """What a reader of the published stream says of itself."""
        await reader_states.keep(self._writers, hospital, reader, state, dead_letters, waiting)

    async def reader_states(self) -> list[ReaderState]:
        """What every reader last said."""
        return await reader_states.all_states(self._readers)
