"""The department board, through the runner, on a real PostgreSQL."""

from uuid import uuid4

import pytest

from ledger.api.v1 import common_pb2
from ledger.views.errors import BadPageToken, PositionAboveHead, WaitTimedOut
from projections.board_queries import BoardQueries
from projections.department_board.view import DepartmentBoard
from tests.contract.views import histories as h
from tests.contract.views.ground import Ground
from tests.contract.views.running import freshness, reader, running


async def test_a_record_is_listed_where_the_patient_is(ground: Ground) -> None:
    """Registration, care and a transfer move the row; what was waited for is seen."""
    record, entry = h.EventStream(), uuid4()
    bodies = [
        h.registered("SURG"),
        h.care_started("SURG"),
        h.entry_recorded(entry, "Admission"),
        h.moved_to("ICU", "7"),
    ]
    async with running(ground, DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        head = ground.append(record.seal(body) for body in bodies)
        board = await queries.department_board("north", "ICU", 0, "", head)
        left = await queries.department_board("north", "SURG", 0, "", head)
    assert not left.rows
    (row,) = board.rows
    assert (row.record_id, row.bed, row.phase) == (str(record.stream_id), "7", common_pb2.PHASE_ACTIVE)
    assert (row.entries, row.latest_entry, row.record_version) == (1, "Admission", 4)


async def test_a_transfer_that_names_no_physician_keeps_the_one_before(ground: Ground) -> None:
    """As the record itself does; one that names somebody replaces him."""
    record = h.EventStream()
    care = h.care_started("SURG")
    care.responsible.name = "Dr. Hale"
    async with running(ground, DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        head = ground.append([record.seal(body) for body in (h.registered("SURG"), care, h.moved_to("ICU"))])
        (kept,) = (await queries.department_board("north", "ICU", 0, "", head)).rows
        moved = h.moved_to("CARD")
        moved.responsible.name = "Dr. Wu"
        head = ground.append([record.seal(moved)])
        (replaced,) = (await queries.department_board("north", "CARD", 0, "", head)).rows
    assert (kept.responsible, replaced.responsible) == ("Dr. Hale", "Dr. Wu")


async def test_a_retracted_entry_is_not_the_latest(ground: Ground) -> None:
    """The latest entry is the youngest that still stands, under its newest title."""
    record, first, second = h.EventStream(), uuid4(), uuid4()
    bodies = [h.registered(), h.care_started(), h.entry_recorded(first, "First"), h.entry_recorded(second, "Second")]
    bodies += [h.entry_amended(first, "First, corrected"), h.entry_retracted(second)]
    async with running(ground, DepartmentBoard()):
        head = ground.append(record.seal(body) for body in bodies)
        board = await BoardQueries(reader(ground)).department_board("north", "SURG", 0, "", head)
    assert (board.rows[0].entries, board.rows[0].latest_entry) == (1, "First, corrected")


async def test_pages_follow_each_other_without_gap_or_repeat(ground: Ground) -> None:
    """Tokens are opaque, go on where the page ended, and belong to one list."""
    streams = [h.EventStream() for _ in range(5)]
    async with running(ground, DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        for stream in streams:
            ground.append([stream.seal(h.registered("SURG"))])
        seen: list[str] = []
        token = ""
        for position in range(1, 6):
            await freshness(ground).wait("north", "department_board", position)
        while True:
            page = await queries.department_board("north", "SURG", 2, token, 0)
            seen += [row.record_id for row in page.rows]
            token = page.next_page_token
            if not token:
                break
            with pytest.raises(BadPageToken):
                await queries.department_board("north", "ICU", 2, token, 0)
    assert sorted(seen) == sorted(str(stream.stream_id) for stream in streams)


async def test_a_position_above_the_head_is_refused_at_once(ground: Ground) -> None:
    """Nobody waits for what does not exist."""
    with pytest.raises(PositionAboveHead):
        await freshness(ground).wait("north", "department_board", 1)


async def test_a_wait_ends_with_the_position_reached(ground: Ground) -> None:
    """Without a runner the wait ends, bounded, and says how far the view is."""
    head = ground.append([h.EventStream().seal(h.registered())])
    with pytest.raises(WaitTimedOut) as caught:
        await freshness(ground).wait("north", "department_board", head, seconds_max=0.1)
    assert caught.value.reached == 0
