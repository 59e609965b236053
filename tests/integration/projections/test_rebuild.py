"""A view is built anew beside the running one, gives the same rows, and takes its place."""

from dataclasses import replace
from itertools import count
from uuid import uuid4

import pytest
from psycopg.sql import SQL, Identifier

from ledger.lease import Leases
from ledger.views.digest import EMPTY_DIGEST, extend_digest
from projections.board_queries import BoardQueries
from projections.checkpoint import Fenced
from projections.comparison import Compared, compare
from projections.department_board.view import DepartmentBoard
from projections.digests import content_digest, view_digest
from projections.faults import note_fault
from projections.generation import Generation, add_building, ensure_live, generations, prepare, swap
from projections.operations import ViewOperations
from projections.projector import Projector, ViewStopped
from projections.rebuild import RebuildStalled, rebuild
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views.ground import PARTITIONS, Ground, Lease, partition_of
from tests.contract.views.running import freshness, reader, running, tools
from tests.eventually import eventually_async
from tests.services.sealed import FIXED_KEY


def history(records: int) -> list[h.Sealed]:
    events: list[h.Sealed] = []
    for number in range(records):
        stream = h.EventStream()
        bodies = [h.registered("SURG", f"C{number}"), h.care_started(), h.entry_recorded(uuid4()), h.moved_to("ICU")]
        events += [stream.seal(body) for body in bodies]
    return events


async def test_a_rebuilt_view_equals_the_running_one(ground: Ground) -> None:
    """For every view: same rows, same digests; the runner goes on with the new tables."""
    async with running(ground, *ALL):
        ground.append(history(20))
        for view in ALL:
            for position in range(1, 81):
                await freshness(ground).wait("north", view.name, position)
            before = await content_digest(ground.pool, "north", view)
            built = await rebuild(tools(ground), "north", PARTITIONS, view)
            assert (built.generation, built.events) == (2, 80)
            assert await content_digest(ground.pool, "north", view) == before
        late = h.EventStream()
        head = ground.append([late.seal(h.registered("LATE"))])
        for view in ALL:
            await freshness(ground).wait("north", view.name, head)
        board = await BoardQueries(reader(ground)).department_board("north", "LATE", 0, "", head)
    assert len(board.rows) == 1


async def test_a_view_is_compared_with_what_its_events_say(ground: Ground) -> None:
    """A row that was changed and one that was taken away are told by table; nothing is changed by the comparison, and
    a rebuild heals. A view as it should be holds, beside its runner."""
    view = DepartmentBoard()
    async with running(ground, view):
        ground.append(history(5))
        for position in range(1, ground.head + 1):
            await freshness(ground).wait("north", view.name, position)
        assert await compare(tools(ground), "north", PARTITIONS, view) == Compared(20, ())
    shown = await content_digest(ground.pool, "north", view)
    async with ground.pool.connection() as connection:
        table = Identifier("v_north", "department_board_g1_records")
        rows = await (await connection.execute(SQL("SELECT record_id FROM {} LIMIT 2").format(table))).fetchall()
        update = SQL("UPDATE {} SET department = 'X' WHERE record_id = $1").format(table)
        await connection.execute(update, rows[0])
        await connection.execute(SQL("DELETE FROM {} WHERE record_id = $1").format(table), rows[1])
    tampered = await content_digest(ground.pool, "north", view)
    found = await compare(tools(ground), "north", PARTITIONS, view)
    assert [(each.running, each.rebuilt) for each in found.differences] == [(1, 2)]
    assert await content_digest(ground.pool, "north", view) == tampered != shown
    async with ground.pool.connection() as connection:
        assert len(await generations(connection, "north", view)) == 1
    await rebuild(tools(ground), "north", PARTITIONS, view)
    assert await content_digest(ground.pool, "north", view) == shown
    assert (await compare(tools(ground), "north", PARTITIONS, view)).differences == ()


async def test_the_running_digest_can_be_recomputed_from_the_ledger(ground: Ground) -> None:
    """Count and digest of every partition are those of the ledger's events: each once and in order."""
    view = DepartmentBoard()
    async with running(ground, view):
        ground.append(history(20))
        for position in range(1, 81):
            await freshness(ground).wait("north", view.name, position)

        handled = await view_digest(ground.pool, "north", view)
    digests = dict.fromkeys(range(PARTITIONS), EMPTY_DIGEST)
    for position, event in enumerate(ground.appended, 1):
        partition = partition_of(event.stream_id.bytes, PARTITIONS)
        digests[partition] = extend_digest(digests[partition], position, event.leaf)
    assert {number: checkpoint.digest for number, checkpoint in handled.items()} == digests


async def test_a_projector_that_was_taken_over_cannot_commit(ground: Ground) -> None:
    """The checkpoint names the old position and the epoch: the older holder rolls back and stops."""
    view = DepartmentBoard()
    ground.append(history(3))
    async with running(ground, view):
        await freshness(ground).wait("north", view.name, 12)
    feed = await ground.open_feed("north", PARTITIONS, {})
    batch = await feed.poll(0.1, 500)
    async with ground.pool.connection() as connection:
        old, new = Projector("north", view, 1, 10**9), Projector("north", view, 1, 10**9 + 1)
        await old.take_over(connection)
        await new.take_over(connection)
        before = await content_digest(ground.pool, "north", view)
        with pytest.raises(Fenced):
            await old.handle(connection, batch)
        with pytest.raises(Fenced):
            await old.take_over(connection)
        assert await content_digest(ground.pool, "north", view) == before


async def test_what_another_rebuild_has_shown_is_left_alone_by_the_one_before(ground: Ground) -> None:
    """Neither shown before its time nor dropped as its own predecessor afterwards, nor taken over."""
    view = DepartmentBoard()
    ground.append(history(3))
    async with ground.pool.connection() as connection:
        await prepare(connection, "north")
        number = (await add_building(connection, "north", view, PARTITIONS)).number
        late, later = (Projector("north", view, number, epoch, building=True) for epoch in (1, 2))
        await late.take_over(connection)
        await later.take_over(connection)
        with pytest.raises(Fenced):
            await swap(connection, "north", view, 0, number, late.epoch)
        feed = await ground.open_feed("north", PARTITIONS, {})
        while batch := await feed.poll(0.1, 500):
            await later.handle(connection, batch)
        assert await swap(connection, "north", view, 0, number, later.epoch)
        shown = await content_digest(ground.pool, "north", view)
        for each in (late, later):
            with pytest.raises(Fenced):
                await swap(connection, "north", view, number, number, each.epoch)
            with pytest.raises(Fenced):
                await each.take_over(connection)
    assert await content_digest(ground.pool, "north", view) == shown


async def test_a_rebuild_that_meets_too_much_poison_leaves_the_old_rows(ground: Ground) -> None:
    """The building generation is dropped; readers see what they saw."""
    view = DepartmentBoard()
    async with running(ground, view):
        ground.append([*history(1), h.EventStream().seal_bytes(b"", "ledger.v9.Unheard")])
        await freshness(ground).wait("north", view.name, 4)
        before = await content_digest(ground.pool, "north", view)
        with pytest.raises(ViewStopped):
            await rebuild(tools(ground, stopped_max=1), "north", PARTITIONS, view)
        assert await content_digest(ground.pool, "north", view) == before


async def test_a_view_with_another_meaning_is_rebuilt_by_the_runner(ground: Ground) -> None:
    """A release with another schema version builds beside and swaps, then goes on."""

    class NewBoard(DepartmentBoard):
        schema_version = DepartmentBoard.schema_version + 1

    head = ground.append(history(2))
    async with running(ground, DepartmentBoard()):
        await freshness(ground).wait("north", "department_board", head)
    async with running(ground, NewBoard()):
        late = h.EventStream()
        head = ground.append([late.seal(h.registered("LATE"))])
        board = await BoardQueries(reader(ground)).department_board("north", "LATE", 0, "", head)
    async with ground.pool.connection() as connection:
        (generation,) = await generations(connection, "north", NewBoard())
    assert len(board.rows) == 1
    assert generation == Generation(2, NewBoard.schema_version, "live")


async def test_many_rebuilds_do_not_fence_the_running_view(ground: Ground) -> None:
    """A rebuild counts its epochs by a lease of its own; the view's own lease, far behind, is handled on at once."""
    view, epochs = DepartmentBoard(), count(10**7)

    async def acquire_rebuild(hospital: str, role: str) -> Lease:
        del hospital, role
        return Lease(next(epochs))

    ground.append(history(3))
    async with running(ground, view):
        await freshness(ground).wait("north", view.name, 12)
        for _ in range(15):
            await rebuild(replace(tools(ground), acquire=acquire_rebuild), "north", PARTITIONS, view)
        late = h.EventStream()
        head = ground.append([late.seal(h.registered("LATE"))])
        await freshness(ground).wait("north", view.name, head)
        board = await BoardQueries(reader(ground)).department_board("north", "LATE", 0, "", head)
    assert len(board.rows) == 1


async def test_a_rebuild_for_which_nothing_arrives_ends_and_leaves_the_old_rows(ground: Ground) -> None:
    """The stream lost what the running view has handled: a typed error after the time stated, nothing left behind."""
    view = DepartmentBoard()
    head = ground.append(history(3))
    async with running(ground, view):
        for position in range(1, head + 1):
            await freshness(ground).wait("north", view.name, position)
    before = await content_digest(ground.pool, "north", view)
    lost = ground.appended.pop()
    impatient = tools(ground)
    with pytest.raises(RebuildStalled):
        await rebuild(replace(impatient, pace=replace(impatient.pace, stall_s=0.2)), "north", PARTITIONS, view)
    ground.appended.append(lost)
    async with ground.pool.connection() as connection:
        assert [each.number for each in await generations(connection, "north", view)] == [1]
    assert await content_digest(ground.pool, "north", view) == before


async def test_what_a_killed_rebuild_left_behind_is_dropped_and_is_no_state(ground: Ground) -> None:
    """Nobody holds the lease, so it is not `rebuilding`; the next session drops the leftover generation."""
    view, operations = DepartmentBoard(), ViewOperations(ground.pool, ALL, FIXED_KEY)
    head = ground.append(history(3))
    async with running(ground, view):
        for position in range(1, head + 1):
            await freshness(ground).wait("north", view.name, position)
    async with ground.pool.connection() as connection:
        await add_building(connection, "north", view, PARTITIONS)
        (status, *_) = await operations.statuses("north", head)
        assert status.state == "running"
        held = await Leases(ground.pool.connection).acquire("north", f"rebuild:{view.name}")
        assert held is not None
        (status, *_) = await operations.statuses("north", head)
        assert status.state == "rebuilding"
        await held.release()
        late = h.EventStream()
        head = ground.append([late.seal(h.registered("LATE"))])
        async with running(ground, view):
            await freshness(ground).wait("north", view.name, head)
        assert [each.number for each in await generations(connection, "north", view)] == [1]


async def test_a_fault_of_a_view_is_its_state_until_it_has_caught_up(ground: Ground) -> None:
    """Told as long as events are missing, and no longer."""
    view, operations = DepartmentBoard(), ViewOperations(ground.pool, ALL, FIXED_KEY)
    async with ground.pool.connection() as connection:
        await prepare(connection, "north")
        await ensure_live(connection, "north", view, PARTITIONS)
        await note_fault(connection, "north", view, "gap")
    head = ground.append(history(3))
    (status, *_) = await operations.statuses("north", head)
    assert status.state == "gap"
    async with running(ground, view):
        for position in range(1, head + 1):
            await freshness(ground).wait("north", view.name, position)

        async def healed() -> bool:
            return (await operations.statuses("north", head))[0].state == "running"

        await eventually_async(healed)
