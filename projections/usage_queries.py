"""Answers of the edge's UsageService from the view usage."""

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
        rows = await self._reader.rows(
            hospital, self._usage, "usage", (limit + 1, after, first_day, last_day), min_position
        )
        return usage_pb2.GetUsageResponse(
            days=(usage_pb2.UsageDay(day=r[0], commands=r[1], events=r[2], bytes_stored=r[3]) for r in rows[:limit]),
            next_page_token=write_token(of, rows[limit - 1][0]) if len(rows) > limit else "",
        )
