"""Draws of a sample from the view archive_register: what was archived without quality control having passed it."""

from typing import Any

from ledger.api.v1 import boards_pb2
from ledger.views.event import protobuf_time
from projections.archive_register.view import ArchiveRegister
from projections.reading import ViewReader

Span = tuple[int, int]
"""First moment of a span and first moment after it, in Unix microseconds."""


class SampleQueries:
    """Records archived at a doctor's confirmation in a span. Whoever asks has seen to it that the view is complete."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._register = ArchiveRegister()

    async def population(self, hospital: str, span: Span, most: int) -> int:
        """How many there are; counted up to `most`."""
        ((found,),) = await self._rows(hospital, "confirmed_in", (*span, most))
        return found

    async def seed(self, hospital: str, span: Span) -> bytes:
        """The seed that they make; empty where there are none."""
        ((seed,),) = await self._rows(hospital, "seed", span)
        return seed or b""

    async def drawn(self, hospital: str, span: Span, seed: bytes, size: int) -> list[boards_pb2.DrawnRecord]:
        """The first `size` of them in the order of the seed."""
        return [_drawn(row) for row in await self._rows(hospital, "drawn", (*span, seed, size))]

    async def _rows(self, hospital: str, statement: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return await self._reader.rows(hospital, self._register, statement, parameters, 0)


def _drawn(row: tuple[Any, ...]) -> boards_pb2.DrawnRecord:
    return boards_pb2.DrawnRecord(
        record_id=str(row[0]),
        case_number=row[1],
        department=row[2],
        archived_at=protobuf_time(row[3]),
        assessed_at=protobuf_time(row[4]),
        standing=row[5],
    )
