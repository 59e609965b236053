"""A sample drawn again names the same records, whatever became of them or of the register meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from ledger.api.v1 import boards_pb2
from ledger.domain.quality_sample import drawn, seed_of
from ledger.views.errors import RecordStopped
from projections.archive_register.view import ArchiveRegister
from projections.completeness import Completeness
from projections.confirmed_visits.view import ConfirmedVisits
from projections.operations import ViewOperations
from projections.rebuild import rebuild
from projections.sample_queries import SampleQueries
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import PARTITIONS, Ground, partition_of
from tests.contract.views.running import reader, running, tools
from tests.eventually import SECONDS_MAX
from tests.services.sealed import FIXED_KEY

VIEWS = (ArchiveRegister(), ConfirmedVisits())
SPAN = (h.at(2).ToMicroseconds(), h.at(4).ToMicroseconds())
SIZE = 5
HERE, DESTROYED, STOPPED = (
    boards_pb2.DRAWN_STATE_UNSPECIFIED,
    boards_pb2.DRAWN_STATE_DESTROYED,
    boards_pb2.DRAWN_STATE_STOPPED,
)
Draw = tuple[bytes, list[str]]
"""Seed and records."""


class Drawing:
    """Visits of a hospital, and the draw of them."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.samples = SampleQueries(reader(ground))
        self.visits = {each.stream_id: each for each in (h.EventStream() for _ in range(12))}
        self.leaves: dict[UUID, bytes] = {}

    def archive(self) -> None:
        """Every visit was confirmed; another record was passed by quality control, another came later."""
        for id_, stream in self.visits.items():
            events = [stream.seal(body) for body in (h.registered(case_number="C1"), h.archived())]
            self.leaves[id_] = events[-1].leaf
            self.ground.append(events)
        passed, late = h.EventStream(), h.EventStream()
        self.ground.append([passed.seal(body) for body in (h.registered(), h.passed(), h.archived())])
        later = (h.registered(), h.care_started(), h.care_ended(), h.archived())
        self.ground.append([late.seal(body) for body in later])

    async def draw(self) -> tuple[bytes, list[boards_pb2.DrawnRecord]]:
        """Once everything is handled: the seed and what was drawn."""
        complete = Completeness(self.ground.pool, self.ground, partition_of, SECONDS_MAX)
        await complete.wait("north", [view.name for view in VIEWS], self.ground.head)
        seed = await self.samples.seed("north", SPAN)
        return seed, await self.samples.drawn("north", SPAN, seed, SIZE)

    async def expect(self, states: dict[UUID, boards_pb2.DrawnState.ValueType]) -> list[boards_pb2.DrawnRecord]:
        """The draw that anybody makes of what was archived, each record in its state."""
        seed, records = await self.draw()
        assert await self.samples.population("north", SPAN, 100) == 12
        assert seed == seed_of(self.leaves.items())
        ids = drawn(seed, self.leaves, SIZE)
        assert [each.record_id for each in records] == [str(each) for each in ids]
        assert [each.state for each in records] == [states.get(each, HERE) for each in ids]
        assert {each.archived_at.seconds for each in records} == {h.at(2).seconds}
        return records


@asynccontextmanager
async def drawing(ground: Ground) -> AsyncGenerator[Drawing, None]:
    """With both views running."""
    async with running(ground, *VIEWS):
        found = Drawing(ground)
        found.archive()
        yield found


def record_of(records: list[boards_pb2.DrawnRecord], stream: h.EventStream) -> boards_pb2.DrawnRecord:
    return next(each for each in records if each.record_id == str(stream.stream_id))


async def test_a_sample_is_drawn_as_anybody_draws_it(ground: Ground) -> None:
    """By the leaf hashes of what archived the visits of the span; what quality control passed is not among them."""
    async with drawing(ground) as visits:
        records = await visits.expect({})
        assert {(each.case_number, each.department) for each in records} == {("C1", "SURG")}
        assert await visits.samples.population("north", SPAN, 5) == 5
        assert await visits.samples.seed("north", (SPAN[1], SPAN[1])) == b""


async def test_a_destroyed_record_stays_drawn(ground: Ground) -> None:
    """It says that it was destroyed, when it was archived and assessed, and no more; a view built anew does too."""
    async with drawing(ground) as visits:
        first = visits.visits[UUID((await visits.expect({}))[0].record_id)]
        ground.append([first.seal(life.sampled("LANGUAGE"))])
        assert record_of(await visits.expect({}), first).standing == boards_pb2.SAMPLE_STANDING_TO_MEND
        ground.append([first.seal(life.destroyed(uuid4()))])
        gone = {first.stream_id: DESTROYED}
        shown = record_of(await visits.expect(gone), first)
        assert (shown.case_number, shown.department, shown.standing) == ("", "", 0)
        assert shown.assessed_at == h.at(3)
        for view in VIEWS:
            await rebuild(tools(ground), "north", PARTITIONS, view)
        assert record_of(await visits.expect(gone), first) == shown


async def test_a_stopped_record_stays_drawn(ground: Ground) -> None:
    """Before and after a person gave its event up, also where the register never saw it archived; no other waits."""
    async with running(ground, *VIEWS):
        visits, operations = Drawing(ground), ViewOperations(ground.pool, ALL, FIXED_KEY)
        sick = next(iter(visits.visits.values()))
        registered = sick.seal_bytes(b"\xff", "ledger.v1.RecordRegistered")
        archived = sick.seal(h.archived())
        visits.leaves[sick.stream_id] = archived.leaf
        position = ground.append([registered])
        ground.append([archived])
        del visits.visits[sick.stream_id]
        visits.archive()
        # Whether it is among those that are drawn goes by the seed: all are asked for.
        await visits.draw()
        seed = await visits.samples.seed("north", SPAN)
        assert seed == seed_of(visits.leaves.items())
        for skipped in (False, True):
            if skipped:
                await operations.skip("north", "archive_register", position, "a broken body")
            records = await visits.samples.drawn("north", SPAN, seed, 100)
            assert len(records) == 12
            states = {UUID(each.record_id): each.state for each in records}
            assert states == dict.fromkeys(states, HERE) | {sick.stream_id: STOPPED}
        await visits.samples.refuse_stopped("north")


async def test_a_record_that_is_stopped_later_stays_drawn(ground: Ground) -> None:
    """By a broken body or a type of another release behind its archiving: drawn, and what is shown of it in doubt."""
    async with drawing(ground) as visits:
        operations = ViewOperations(ground.pool, ALL, FIXED_KEY)
        first, second, *_ = (visits.visits[UUID(each.record_id)] for each in await visits.expect({}))
        broken = ground.append([first.seal_bytes(b"\xff", "ledger.v1.SampleAssessed")])
        ground.append([second.seal_bytes(b"", "ledger.v2.SampleAssessed"), second.seal(life.sampled("LANGUAGE"))])
        for skipped in (False, True):
            if skipped:
                await operations.skip("north", "archive_register", broken, "a broken body")
            records = await visits.expect({each.stream_id: STOPPED for each in (first, second)})
            assert {each.case_number for each in records} == {"C1"}
        await visits.samples.refuse_stopped("north")


async def test_nobody_draws_where_an_archiving_may_be_missing(ground: Ground) -> None:
    """Behind a type of another release it may have been archived: no sample, until a person has decided on that."""
    async with drawing(ground) as visits:
        await visits.expect({})
        ill = h.EventStream()
        unknown = ground.append([ill.seal(h.registered()), ill.seal_bytes(b"", "ledger.v2.RecordSubmitted")])
        ground.append([ill.seal(h.archived())])
        await visits.draw()
        with pytest.raises(RecordStopped) as caught:
            await visits.samples.refuse_stopped("north")
        stopped = (caught.value.view, caught.value.stream_id, caught.value.position)
        assert stopped == ("confirmed_visits", str(ill.stream_id), unknown)
        operations = ViewOperations(ground.pool, ALL, FIXED_KEY)
        await operations.skip("north", "confirmed_visits", unknown, "of a release that was taken back")
        await visits.samples.refuse_stopped("north")
        assert await visits.samples.population("north", SPAN, 100) == 13
