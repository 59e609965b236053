"""The department board, through the runner, on a real PostgreSQL."""

from typing import Any
from uuid import uuid4

import pytest

from ledger.api.v1 import boards_pb2, common_pb2
from ledger.views.errors import BadPageToken, PositionAboveHead, WaitTimedOut
from ledger.views.queries import BoardAsked
from projections.board_queries import BoardQueries
from projections.department_board.view import DepartmentBoard
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
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


async def test_entries_are_counted_by_whom_they_are_about(ground: Ground) -> None:
    """A mother's without her newborns', each newborn's by itself; an amendment that names another subject moves it."""
    mother, other, child, note, moved = h.EventStream(), h.EventStream(), uuid4(), uuid4(), uuid4()
    bodies = [h.registered("OBST"), h.care_started("OBST"), h.entry_recorded(uuid4(), "Delivery")]
    bodies += [life.of_subject(h.entry_recorded(note, "Cries"), child), h.entry_recorded(moved, "Weighs 3 kg")]
    about_child = life.of_subject(h.entry_amended(moved, "Weighs 3 kg"), child)
    ward = [other.seal(body) for body in (h.registered("OBST"), h.entry_recorded(uuid4(), "Waits"))]
    async with running(ground, DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        head = ground.append([*(mother.seal(body) for body in bodies), mother.seal(about_child), *ward])
        await _all_shown(ground, head)

        async def rows(subjects: Any) -> dict[str, boards_pb2.BoardRow]:
            found = await queries.department_board("north", "OBST", 0, "", head, BoardAsked(subjects))
            return {row.record_id: row for row in found.rows}

        everybody = await rows(boards_pb2.BOARD_SUBJECTS_UNSPECIFIED)
        patients = await rows(boards_pb2.BOARD_SUBJECTS_PATIENT)
        newborns = await rows(boards_pb2.BOARD_SUBJECTS_NEWBORNS)
        head = ground.append([mother.seal(h.entry_retracted(note)), mother.seal(h.entry_retracted(moved))])
        await _all_shown(ground, head)
        without = await rows(boards_pb2.BOARD_SUBJECTS_NEWBORNS)
    hers = everybody[str(mother.stream_id)]
    assert [(each.subject_id, each.entries, each.latest_entry) for each in hers.subjects] == [
        ("", 1, "Delivery"),
        (str(child), 2, "Weighs 3 kg"),
    ]
    assert (hers.entries, hers.latest_entry, hers.latest_entry_at) == (
        3,
        "Weighs 3 kg",
        hers.subjects[1].latest_entry_at,
    )
    assert everybody.keys() == patients.keys() == {str(mother.stream_id), str(other.stream_id)}
    assert (patients[hers.record_id].entries, patients[hers.record_id].latest_entry) == (1, "Delivery")
    assert [(each.subject_id, each.entries) for each in patients[hers.record_id].subjects] == [("", 1)]
    assert newborns.keys() == {hers.record_id}
    assert (newborns[hers.record_id].entries, len(newborns[hers.record_id].subjects)) == (2, 1)
    assert not without


async def test_what_is_about_a_newborn_registered_twice_is_counted_as_one_newborns(ground: Ground) -> None:
    """Under the id that stands, with the latest entry of both; apart again once the withdrawal is taken back."""
    mother, right, wrong = h.EventStream(), uuid4(), uuid4()
    bodies = [h.registered("OBST"), h.care_started("OBST")]
    bodies += [
        life.of_subject(h.entry_recorded(uuid4(), title), born)
        for title, born in (("Cries", right), ("Sleeps", wrong), ("Drinks", right))
    ]
    shown: list[dict[str, tuple[int, str]]] = []
    async with running(ground, DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        for news in ([*bodies, life.newborn_withdrawn(wrong, right)], [life.newborn_restored(wrong)]):
            head = ground.append(mother.seal(body) for body in news)
            (row,) = (await queries.department_board("north", "OBST", 0, "", head)).rows
            shown.append({each.subject_id: (each.entries, each.latest_entry) for each in row.subjects})
    assert shown == [
        {str(right): (3, "Drinks")},
        {str(right): (2, "Drinks"), str(wrong): (1, "Sleeps")},
    ]


async def test_a_page_token_belongs_to_one_choice_of_subjects(ground: Ground) -> None:
    """Another choice is another list."""
    async with running(ground, DepartmentBoard()):
        queries = BoardQueries(reader(ground))
        streams = [h.EventStream() for _ in range(3)]
        head = ground.append([stream.seal(h.registered("SURG")) for stream in streams])
        await _all_shown(ground, head)
        of_patients = BoardAsked(boards_pb2.BOARD_SUBJECTS_PATIENT)
        page = await queries.department_board("north", "SURG", 2, "", head, of_patients)
        rest = await queries.department_board("north", "SURG", 2, page.next_page_token, 0, of_patients)
        with pytest.raises(BadPageToken):
            await queries.department_board("north", "SURG", 2, page.next_page_token, 0)
    assert (len(page.rows), len(rest.rows), rest.next_page_token) == (2, 1, "")


async def _all_shown(ground: Ground, head: int) -> None:
    """Waits for each position: each stream may be of another partition."""
    for position in range(1, head + 1):
        await freshness(ground).wait("north", "department_board", position)
