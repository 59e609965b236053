"""ArchiveService.DrawSample: a draw from views that lack nothing of its span, by the number of the pack in force."""

from __future__ import annotations

from datetime import datetime, timedelta

from ledger.api.v1 import boards_pb2, keeping_values_pb2
from ledger.application.ledger import Ledger
from ledger.application.message_codec import from_timestamp, micros_of
from ledger.domain.faults import Faults
from ledger.domain.pack_roles import NoRoles
from ledger.domain.quality_sample import SAMPLE_MAX
from projections.completeness import Completeness
from projections.sample_queries import SampleQueries, Span

VIEWS = ("archive_register", "confirmed_visits")
"""What tells of the records, and from what they are drawn."""
POPULATION_MAX = 1_000_000
"""Records from which one draw is made; PostgreSQL reads 48 bytes of each into the seed."""
SPAN_OVER = timedelta(minutes=5)
"""How long a span is over before it is drawn from: by then nothing is recorded into it, however far clocks lie off."""


class SampleDraws:
    """Draws the same sample for everybody at any time."""

    def __init__(self, ledger: Ledger, samples: SampleQueries, completeness: Completeness) -> None:
        self._ledger = ledger
        self._samples = samples
        self._completeness = completeness

    async def draw(self, request: boards_pb2.DrawSampleRequest) -> boards_pb2.DrawSampleResponse:
        """The draw and its records. Refused; WaitTimedOut, RecordStopped, ViewAbsent: a view lacks events."""
        span = self._span(request)
        # Read once: nothing is recorded into a span that is over, so what comes behind this head is drawn by nobody.
        head = await self._ledger.head(request.hospital)
        await self._completeness.wait(request.hospital, VIEWS, head)
        await self._samples.refuse_stopped(request.hospital)
        population = await self._samples.population(request.hospital, span, POPULATION_MAX + 1)
        size = await self._size(request, population)
        if population == 0:
            return boards_pb2.DrawSampleResponse()
        seed = await self._samples.seed(request.hospital, span)
        records = await self._samples.drawn(request.hospital, span, seed, size)
        draw = keeping_values_pb2.SampleDraw(
            archived_from=request.archived_from,
            archived_before=request.archived_before,
            population=population,
            size=len(records),
            seed=seed,
        )
        return boards_pb2.DrawSampleResponse(draw=draw, records=records)

    def _span(self, request: boards_pb2.DrawSampleRequest) -> Span:
        faults = Faults()
        first, after = (_time(request, name, faults) for name in ("archived_from", "archived_before"))
        if first is not None and after is not None and first >= after:
            faults.add("archived_before", "OUT_OF_RANGE", "a span ends after it begins")
        if after is not None and after > self._ledger.now() - SPAN_OVER:
            faults.add("archived_before", "SPAN_NOT_OVER", "at least 5 minutes ago, so that nothing comes into it")
        if not 0 <= request.size <= SAMPLE_MAX:
            faults.add("size", "OUT_OF_RANGE", f"at most {SAMPLE_MAX}, or 0 for the number of the pack in force")
        faults.refuse_if_any()
        return (micros_of(first) if first else 0, micros_of(after) if after else 0)

    async def _size(self, request: boards_pb2.DrawSampleRequest, population: int) -> int:
        faults = Faults()
        pack = (await self._ledger.rules(request.hospital)).roles_in_force()
        named = None if isinstance(pack, NoRoles) else pack.sampling
        if population > POPULATION_MAX:
            faults.add("archived_before", "SPAN_TOO_LONG", f"at most {POPULATION_MAX} records are drawn from")
        if not request.size and named is None:
            faults.add("size", "REQUIRED", "the pack in force names no number")
        faults.refuse_if_any()
        return request.size or (named.of(population) if named else 0)


def _time(request: boards_pb2.DrawSampleRequest, name: str, faults: Faults) -> datetime | None:
    if not request.HasField(name):  # pyright: ignore[reportArgumentType] - one of two fields of this message
        faults.add(name, "REQUIRED", "a time is required")
        return None
    try:
        return from_timestamp(getattr(request, name))
    except (OverflowError, ValueError):
        faults.add(name, "TIME_OUT_OF_RANGE", "years 1 to 9999, nanoseconds 0 to 999,999,999")
        return None
