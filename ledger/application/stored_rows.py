"""A stream's rows as they are stored."""

from __future__ import annotations

from uuid import UUID

from ledger.store.reading import EventReader, StoredRow

PAGE = 1000


async def rows_up_to(reader: EventReader, hospital: str, stream_id: UUID, version: int) -> list[StoredRow]:
    """A stream's rows up to a version, as stored."""
    rows: list[StoredRow] = []
    while len(rows) < version:
        limit = min(PAGE, version - len(rows))
        page = await reader.read_stream(hospital, stream_id, len(rows), limit)
        if not page:
            break
        rows += page
    return rows
