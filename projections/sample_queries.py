"""Draws of a sample from the view confirmed_visits, and what the archive register still shows of the records drawn."""

from typing import Any

from psycopg.sql import Composable

from ledger.api.v1 import boards_pb2, common_pb2
from ledger.views.errors import RecordStopped
from ledger.views.event import protobuf_time
from projections.archive_register.view import ArchiveRegister
from projections.confirmed_visits.view import ConfirmedVisits
from projections.reading import ViewReader
from projections.tables import exposed_name, shared_name

Span = tuple[int, int]
"""First moment of a span and first moment after it, in Unix microseconds."""


class SampleQueries:
    """Records archived at a doctor's confirmation in a span. Who asks has seen to it that both views are complete."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._visits = ConfirmedVisits()
        self._register = ArchiveRegister()

    async def refuse_stopped(self, hospital: str) -> None:
        """RecordStopped where a record may have been archived behind an event that the view could not handle."""
        parameters = (self._visits.name,)
        rows = await self._reader.rows(hospital, self._visits, "stopped", parameters, 0, _letters(hospital))
        for record_id, position in rows:
            raise RecordStopped(self._visits.name, str(record_id), position)

    async def population(self, hospital: str, span: Span, most: int) -> int:
        """How many there are; counted up to `most`."""
        ((found,),) = await self._reader.rows(hospital, self._visits, "population", (*span, most), 0)
        return found

    async def seed(self, hospital: str, span: Span) -> bytes:
        """The seed that they make; empty where there are none."""
        ((seed,),) = await self._reader.rows(hospital, self._visits, "seed", span, 0)
        return seed or b""

    async def drawn(self, hospital: str, span: Span, seed: bytes, size: int) -> list[boards_pb2.DrawnRecord]:
        """The first `size` of them in the order of the seed."""
        beside = _letters(hospital) | {"register": exposed_name(hospital, self._register, "records")}
        views = [self._register.name, self._visits.name]
        parameters = (*span, seed, size, common_pb2.PHASE_DESTROYED, views)
        rows = await self._reader.rows(hospital, self._visits, "drawn", parameters, 0, beside)
        return [_drawn(row) for row in rows]


def _letters(hospital: str) -> dict[str, Composable]:
    return {table: shared_name(hospital, table) for table in ("generations", "dead_letters")}


def _drawn(row: tuple[Any, ...]) -> boards_pb2.DrawnRecord:
    record_id, case_number, department, archived_at, assessed_at, standing, destroyed, stopped = row
    here = boards_pb2.DRAWN_STATE_STOPPED if stopped else boards_pb2.DRAWN_STATE_UNSPECIFIED
    return boards_pb2.DrawnRecord(
        record_id=str(record_id),
        case_number=case_number,
        department=department,
        archived_at=protobuf_time(archived_at),
        assessed_at=protobuf_time(assessed_at),
        standing=standing,
        state=boards_pb2.DRAWN_STATE_DESTROYED if destroyed else here,
    )
