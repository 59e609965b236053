"""Poison stops its record, never the partition; a person retries or skips it."""

import logging
from uuid import uuid4

import pytest

from ledger.views.errors import DeadLetterAbsent, ReasonMissing, RecordStopped
from ledger.views.queries import RegisterFilter
from projections.archive_queries import ArchiveQueries
from projections.archive_register.view import ArchiveRegister
from projections.board_queries import BoardQueries
from projections.department_board.view import DepartmentBoard
from projections.digests import view_digest
from projections.operations import ViewOperations
from projections.rebuild import rebuild
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views.ground import PARTITIONS, Ground, partition_of
from tests.contract.views.running import freshness, reader, running, tools
from tests.eventually import eventually_async
from tests.services.sealed import FIXED_KEY


def same_partition(stream: h.EventStream) -> h.EventStream:
    """Another stream of the same partition."""
    while True:
        other = h.EventStream()
        if partition_of(other.stream_id.bytes, PARTITIONS) == partition_of(stream.stream_id.bytes, PARTITIONS):
            return other


async def test_poison_stops_its_record_only(ground: Ground) -> None:
    """Unknown types and broken bodies are kept as dead letters, what follows is parked, the neighbour goes on."""
    sick, operations = h.EventStream(), ViewOperations(ground.pool, ALL, FIXED_KEY)
    well = same_partition(sick)
    async with running(ground, DepartmentBoard()):
        ground.append([sick.seal(h.registered("SURG")), sick.seal_bytes(b"", "ledger.v2.CareStarted")])
        ground.append([sick.seal(h.moved_to("ICU")), sick.seal(h.care_ended())])
        head = ground.append([well.seal(h.registered("SURG"))])
        await freshness(ground).wait("north", "department_board", head)
        with pytest.raises(RecordStopped) as caught:
            await freshness(ground).wait("north", "department_board", 4)
        (letter,) = (await operations.list_dead_letters("north", "", 0, "")).dead_letters
        board = await BoardQueries(reader(ground)).department_board("north", "SURG", 0, "", 1)
        (status, *_) = await operations.statuses("north", head)
    assert caught.value.position == 2
    assert (letter.position, letter.record_version, letter.parked) == (2, 2, 2)
    assert (letter.type, letter.error) == ("ledger.v2.CareStarted", "UnknownEventType")
    assert len(board.rows) == 2
    assert (status.stopped_records, status.dead_letters, status.lag, status.state) == (1, 1, 0, "running")


async def test_skipping_releases_what_is_parked_in_order(ground: Ground) -> None:
    """The parked events are handled behind the skipped one; the record is not stopped any longer."""
    sick, operations = h.EventStream(), ViewOperations(ground.pool, ALL, FIXED_KEY)
    events = [sick.seal(h.registered("SURG")), sick.seal_bytes(b"\xff", "ledger.v1.CareStarted")]
    async with running(ground, DepartmentBoard()):
        head = ground.append([*events, sick.seal(h.moved_to("ICU")), sick.seal(h.moved_to("CARD"))])
        with pytest.raises(RecordStopped):
            await freshness(ground).wait("north", "department_board", head)
        with pytest.raises(ReasonMissing):
            await operations.skip("north", "department_board", 2, " ")
        with pytest.raises(DeadLetterAbsent):
            await operations.skip("north", "department_board", 1, "wrong position")
        retried = await operations.retry("north", "department_board", 2, "was it the network?")
        skipped = await operations.skip("north", "department_board", 2, "body is broken")
        board = await BoardQueries(reader(ground)).department_board("north", "CARD", 0, "", head)
    assert (retried.handled, skipped.released) == (False, 2)
    assert board.rows[0].record_version == 4
    assert not (await operations.list_dead_letters("north", "", 0, "")).dead_letters


async def test_what_was_decided_and_why_is_found_after_a_rebuild(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    """Each decision is logged with its reason and listed on demand, page by page, whatever became of the generation."""
    sick, operations, view = h.EventStream(), ViewOperations(ground.pool, ALL, FIXED_KEY), DepartmentBoard()
    async with running(ground, view):
        head = ground.append([sick.seal(h.registered("SURG")), sick.seal_bytes(b"", "ledger.v9.Unheard")])
        with pytest.raises(RecordStopped):
            await freshness(ground).wait("north", view.name, head)
        with caplog.at_level(logging.WARNING, "projections"):
            await operations.retry("north", view.name, head, "was it the network?")
            await operations.skip("north", view.name, head, "a newer release wrote it")
        await rebuild(tools(ground), "north", PARTITIONS, view)
        (open_one,) = (await operations.list_dead_letters("north", "", 0, "")).dead_letters
        found, token = list[tuple[str, str]](), ""
        for _ in range(3):
            page = await operations.list_dead_letters("north", view.name, 1, token, decided=True)
            found += [(letter.decision, letter.reason) for letter in page.dead_letters]
            token = page.next_page_token
    assert (open_one.position, open_one.decision) == (head, "")
    decided = [("failed again", "was it the network?"), ("skipped", "a newer release wrote it")]
    assert (found, token) == ([("", ""), *decided], "")
    said = [getattr(record, "reason", "") for record in caplog.records]
    assert [reason for reason in said if reason][-2:] == [reason for _, reason in decided]


async def test_a_second_poison_among_the_parked_stops_the_record_again(ground: Ground) -> None:
    """What lies between the two is handled; what is behind the second stays parked until that one is settled."""
    sick, operations, view = h.EventStream(), ViewOperations(ground.pool, ALL, FIXED_KEY), DepartmentBoard()
    bad = [sick.seal(h.registered("SURG")), sick.seal_bytes(b"", "ledger.v9.Unheard"), sick.seal(h.moved_to("ICU"))]
    worse = [sick.seal_bytes(b"", "ledger.v9.Unheard"), sick.seal(h.moved_to("CARD"))]
    async with running(ground, view):
        head = ground.append([*bad, *worse])
        with pytest.raises(RecordStopped):
            await freshness(ground).wait("north", view.name, head)
        first = await operations.skip("north", view.name, 2, "the first")
        (letter,) = (await operations.list_dead_letters("north", "", 0, "")).dead_letters
        in_between = await BoardQueries(reader(ground)).department_board("north", "ICU", 0, "", 3)
        second = await operations.skip("north", view.name, 4, "the second")
        board = await BoardQueries(reader(ground)).department_board("north", "CARD", 0, "", head)
    assert (first.released, letter.position, letter.parked, second.released) == (1, 4, 1, 1)
    assert (in_between.rows[0].record_version, board.rows[0].record_version) == (3, 5)


async def test_a_stopped_view_stays_stopped_over_a_restart(ground: Ground) -> None:
    """A new runner, even one with a higher limit, waits for the person who has to look."""
    operations, register = ViewOperations(ground.pool, ALL, FIXED_KEY, stopped_max=1), ArchiveRegister()

    async def stopped() -> bool:
        return (await operations.statuses("north", ground.head))[2].state == "stopped"

    async with running(ground, register, stopped_max=1):
        ground.append([h.EventStream().seal_bytes(b"", "ledger.v9.Unheard")])
        await eventually_async(stopped)
    head = ground.append([h.EventStream().seal(h.registered())])
    async with running(ground, register, DepartmentBoard()):
        await freshness(ground).wait("north", "department_board", head)
        assert await stopped()
        assert (await operations.statuses("north", head))[2].lag == 1
        await operations.skip("north", register.name, 1, "a test's invention")
        await freshness(ground).wait("north", register.name, head)


async def test_a_retry_goes_through_once_the_cause_is_gone(ground: Ground) -> None:
    """What PostgreSQL refused is poison of one record; when it takes it, the record goes on."""
    sick, well, operations = h.EventStream(), h.EventStream(), ViewOperations(ground.pool, ALL, FIXED_KEY)
    async with running(ground, DepartmentBoard()):
        ground.append([well.seal(h.registered("SURG"))])
        await freshness(ground).wait("north", "department_board", 1)
        async with ground.pool.connection() as connection:
            refuse = "ALTER TABLE v_north.department_board_g1_records ADD CONSTRAINT no CHECK (case_number <> 'C13')"
            await connection.execute(refuse)
        head = ground.append([sick.seal(h.registered("SURG", "C13")), sick.seal(h.moved_to("ICU"))])
        with pytest.raises(RecordStopped):
            await freshness(ground).wait("north", "department_board", head)
        async with ground.pool.connection() as connection:
            await connection.execute("ALTER TABLE v_north.department_board_g1_records DROP CONSTRAINT no")
        retried = await operations.retry("north", "department_board", 2, "constraint was wrong")
        board = await BoardQueries(reader(ground)).department_board("north", "ICU", 0, "", head)
    assert (retried.handled, retried.released) == (True, 1)
    assert board.rows[0].case_number == "C13"


async def test_too_many_stopped_records_stop_the_view(ground: Ground) -> None:
    """At the limit the view stands still, nothing is lost, and it goes on when a person has dealt with it."""
    operations, register = ViewOperations(ground.pool, ALL, FIXED_KEY, stopped_max=2), ArchiveRegister()
    well = h.EventStream()
    async with running(ground, register, stopped_max=2):
        for _ in range(2):
            ground.append([h.EventStream().seal_bytes(b"", "ledger.v9.Unheard")])

        async def stopped() -> bool:
            return (await operations.statuses("north", ground.head))[2].state == "stopped"

        await eventually_async(stopped)
        head = ground.append([well.seal(h.registered())])
        assert (await operations.statuses("north", head))[2].lag == 1
        for position in (1, 2):
            await operations.skip("north", "archive_register", position, "a test's invention")
        page = await ArchiveQueries(reader(ground)).archive_register("north", RegisterFilter(), 0, "", head)
        handled = await view_digest(ground.pool, "north", register)
    assert len(page.rows) == 1
    assert sum(checkpoint.events for checkpoint in handled.values()) == head


async def test_a_batch_with_a_bad_value_is_taken_event_by_event(ground: Ground) -> None:
    """A text that PostgreSQL cannot hold stops its record; the rest of the batch is handled."""
    sick, well = h.EventStream(), h.EventStream()
    ground.append(
        [well.seal(h.registered("SURG")), sick.seal(h.registered("SURG", "nul\0")), well.seal(h.moved_to("ICU"))]
    )
    ground.append([well.seal(h.entry_recorded(uuid4()))])
    async with running(ground, DepartmentBoard()):
        board = await BoardQueries(reader(ground)).department_board("north", "ICU", 0, "", 4)
        with pytest.raises(RecordStopped):
            await freshness(ground).wait("north", "department_board", 2)
        letters = await ViewOperations(ground.pool, ALL, FIXED_KEY).list_dead_letters(
            "north", "department_board", 0, ""
        )
    assert [row.entries for row in board.rows] == [1]
    assert [letter.error for letter in letters.dead_letters] == ["CharacterNotInRepertoire"]


async def test_a_value_too_large_for_an_index_stops_its_record_only(ground: Ground) -> None:
    """PostgreSQL reports it as an operational error, yet it would say so for ever: poison, and the view goes on."""
    sick, well = h.EventStream(), h.EventStream()
    ground.append([sick.seal(h.registered(incompressible())), well.seal(h.registered("SURG"))])
    head = ground.append([well.seal(h.moved_to("ICU"))])
    async with running(ground, DepartmentBoard()):
        board = await BoardQueries(reader(ground)).department_board("north", "ICU", 0, "", head)
        with pytest.raises(RecordStopped):
            await freshness(ground).wait("north", "department_board", 1)
        letters = await ViewOperations(ground.pool, ALL, FIXED_KEY).list_dead_letters(
            "north", "department_board", 0, ""
        )
    assert len(board.rows) == 1
    assert [letter.error for letter in letters.dead_letters] == ["ProgramLimitExceeded"]


async def test_a_long_bed_is_listed_and_paged(ground: Ground) -> None:
    """Only a bounded part of a bed's name is in the index; pages go by the same part."""
    bed = incompressible()
    streams = [h.EventStream() for _ in range(5)]
    ground.append([stream.seal(h.registered("SURG")) for stream in streams])
    head = 0
    for number, stream in enumerate(streams):
        head = ground.append([stream.seal(h.moved_to("ICU", f"{bed}{number}"))])
    async with running(ground, DepartmentBoard()):
        for position in range(6, 11):
            await freshness(ground).wait("north", "department_board", position)
        queries, found, token = BoardQueries(reader(ground)), list[str](), ""
        for _ in range(3):
            page = await queries.department_board("north", "ICU", 2, token, head)
            found += [row.record_id for row in page.rows]
            token = page.next_page_token
    assert sorted(found) == sorted(str(stream.stream_id) for stream in streams)
    assert token == ""


def incompressible() -> str:
    """16,000 characters, more than an index row of PostgreSQL can hold however they are packed."""
    return "".join(uuid4().hex for _ in range(500))
