"""Answers of the edge's UsageService from the view usage."""

from typing import Any

from ledger.api.v1 import usage_pb2
from ledger.views.page_size import page_rows
from projections.page_token import read_token, write_token
from projections.reading import ViewReader
from projections.usage.view import Usage


class UsageQueries:
    """Metering. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._usage = Usage()

    async def usage(
        self, hospital: str, first_day: str, last_day: str, page_size: int, page_token: str, min_position: int
    ) -> usage_pb2.GetUsageResponse:
        """Days in order, both ends included, empty = open. BadPageSize, BadPageToken."""
        limit, of = page_rows(page_size), f"usage {first_day} {last_day}"
        (after,) = read_token(of, page_token, ("",))
        parameters = (limit + 1, after, first_day, last_day, hospital)
        rows = await self._reader.rows(hospital, self._usage, "usage", parameters, min_position)
        return usage_pb2.GetUsageResponse(
            days=map(_day, rows[:limit]),
            next_page_token=write_token(of, rows[limit - 1][0]) if len(rows) > limit else "",
        )


def _day(row: tuple[Any, ...]) -> usage_pb2.UsageDay:
    day, commands, events, stored, published, reads, read = row
    return usage_pb2.UsageDay(
        day=day,
        commands=commands,
        events=events,
        bytes_stored=stored,
        bytes_published=published,
        reads=reads,
        bytes_read=read,
    )
