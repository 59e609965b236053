"""What the views promise on every adapter of the published stream."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from ledger.cli.queries import partition_function
from ledger.store.hospitals import add_hospital
from ledger.views.digest import EMPTY_DIGEST, extend_digest
from ledger.views.errors import RecordStopped
from projections.digests import content_digest, view_digest
from projections.hints import listening
from projections.operations import ViewOperations
from projections.rebuild import rebuild
from projections.run import Runner
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views.conftest import Published
from tests.contract.views.ground import PARTITIONS, PASSWORDS
from tests.eventually import eventually_async
from tests.services.sealed import FIXED_KEY


class FollowsStream:
    """Subclasses say in `published` which adapter it is."""

    async def test_every_event_is_handled_once_and_in_order(self, published: Published) -> None:
        """Counts and running digests of every view are those recomputed from the ledger."""
        async with running(published):
            append_history(published, 25)
            await all_handled(published)
        for view in ALL:
            handled = await view_digest(published.ground.pool, published.hospital, view)
            assert sum(checkpoint.events for checkpoint in handled.values()) == published.ground.head
            assert {number: each.digest for number, each in handled.items() if each.events} == recomputed(published)

    async def test_a_restarted_runner_goes_on_where_it_was(self, published: Published) -> None:
        """Events appended while no runner lives are handled by the next one, none twice."""
        async with running(published):
            append_history(published, 5)
            await all_handled(published)
        append_history(published, 5)
        async with running(published):
            await all_handled(published)
            append_history(published, 5)
            await all_handled(published)
        handled = await view_digest(published.ground.pool, published.hospital, ALL[0])
        assert {number: each.digest for number, each in handled.items() if each.events} == recomputed(published)

    async def test_two_runners_share_the_work_without_doubling_it(self, published: Published) -> None:
        """The lease gives each view to one of them; when that one ends, the other takes over."""
        async with running(published):
            async with running(published):
                append_history(published, 5)
                await all_handled(published)
            append_history(published, 5)
            await all_handled(published)
        for view in ALL:
            handled = await view_digest(published.ground.pool, published.hospital, view)
            assert {number: each.digest for number, each in handled.items() if each.events} == recomputed(published)

    async def test_a_rebuilt_view_equals_the_running_one(self, published: Published) -> None:
        """Built from the first event of the stream, beside the running one."""
        async with running(published):
            append_history(published, 10)
            await all_handled(published)
            for view in ALL:
                before = await content_digest(published.ground.pool, published.hospital, view)
                built = await rebuild(published.tools(), published.hospital, PARTITIONS, view)
                assert built.events == published.ground.head
                assert await content_digest(published.ground.pool, published.hospital, view) == before

    async def test_an_event_of_another_release_stops_its_record_alone(self, published: Published) -> None:
        """It is a dead letter of every view, what follows in its record waits behind it, and all else is handled."""
        await _stops_its_record_alone(published, lambda stream: stream.seal_bytes(b"later", "ledger.v9.Unheard"))

    async def test_an_unreadable_envelope_stops_its_record_alone(self, published: Published) -> None:
        """Bytes that are no envelope are a matter of one record, not of the hospital; its digest is the stored one."""

        def spoilt(stream: h.EventStream) -> h.Sealed:
            sealed = stream.seal(h.care_ended())
            return replace(sealed, envelope=b"\xff" + sealed.envelope[1:])

        await _stops_its_record_alone(published, spoilt)
        operations = ViewOperations(published.ground.pool, ALL, FIXED_KEY)
        (letter, *_) = (await operations.list_dead_letters(published.hospital, "department_board", 0, "")).dead_letters
        retried = await operations.retry(published.hospital, letter.view, letter.position, "is it still unreadable?")
        skipped = await operations.skip(published.hospital, letter.view, letter.position, "nobody can read it")
        assert (retried.handled, skipped.released) == (False, 1)

    async def test_a_rebuild_under_load_swaps_and_nothing_is_lost(self, published: Published) -> None:
        """The view goes on meanwhile; two at once are one rebuild and a refusal; each event is handled once."""
        stop = asyncio.Event()
        async with running(published):
            append_history(published, 5)
            await all_handled(published)
            load = asyncio.create_task(keep_appending(published, stop))
            for view in ALL:
                both = [rebuild(published.tools(), published.hospital, PARTITIONS, view) for _ in range(2)]
                results = await asyncio.gather(*both, return_exceptions=True)
                came_to = sorted(type(each).__name__ for each in results)
                assert came_to == ["RebuildUnderWay", "Rebuilt"], (view.name, results)
            stop.set()
            await load
            await all_handled(published)
        for view in ALL:
            handled = await view_digest(published.ground.pool, published.hospital, view)
            assert {number: each.digest for number, each in handled.items() if each.events} == recomputed(published)

    async def test_a_hospital_whose_schema_is_gone_stops_no_other(
        self, published: Published, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Gone, closed to the views, or its views' schema dropped: each is said once by name, the others go on."""
        spoil = {"a-gone": "DROP SCHEMA {h} CASCADE", "b-shut": "REVOKE ALL ON SCHEMA {h} FROM ledger_views"}
        spoil |= {"c-views": "DROP SCHEMA {v} CASCADE", "z-shut": "REVOKE ALL ON SCHEMA {v} FROM ledger_views"}
        with caplog.at_level(logging.ERROR, "projections"):
            async with running(published):
                append_history(published, 1)
                await all_handled(published)
                for hospital, statement in spoil.items():
                    await add_broken(published, hospital, statement)
                for _ in range(2):
                    append_history(published, 2)
                    await all_handled(published)
                await eventually_async(lambda: asyncio.to_thread(lambda: len(said(caplog)) == len(spoil)), what="said")
                append_history(published, 2)
                await all_handled(published)
        assert sorted(said(caplog)) == sorted(spoil)


async def _stops_its_record_alone(published: Published, seal: Callable[[h.EventStream], h.Sealed]) -> None:
    stream = h.EventStream(hospital=published.hospital)
    async with running(published):
        published.ground.append([stream.seal(h.registered("SURG", "stopped"))])
        stopped = published.ground.append([seal(stream)])
        published.ground.append([stream.seal(h.care_ended())])
        append_history(published, 5)
        await all_handled(published)
    for view in ALL:
        operations = ViewOperations(published.ground.pool, ALL, FIXED_KEY)
        listed = await operations.list_dead_letters(published.hospital, view.name, 0, "")
        assert [(each.position, each.record_id) for each in listed.dead_letters] == [(stopped, str(stream.stream_id))]
        handled = await view_digest(published.ground.pool, published.hospital, view)
        assert {number: each.digest for number, each in handled.items() if each.events} == recomputed(published)


async def keep_appending(published: Published, stop: asyncio.Event) -> None:
    """A record's events again and again."""
    while not stop.is_set():
        append_history(published, 1)
        try:
            await asyncio.wait_for(stop.wait(), 0.05)
        except TimeoutError:
            continue


async def add_broken(published: Published, hospital: str, statement: str) -> None:
    """A hospital of the registry that is then spoiled."""
    url = published.ground.database.url
    migrate_url = published.ground.database.url_for("ledger_migrate", PASSWORDS["ledger_migrate"])
    await add_hospital(migrate_url, hospital, origin_prefix="ledger.test", partitions=PARTITIONS)
    names = {"h": Identifier(f"h_{hospital}"), "v": Identifier(f"v_{hospital}")}

    def spoil() -> None:
        with psycopg.connect(url) as connection:
            connection.execute(SQL(statement).format(**names))  # pyright: ignore[reportArgumentType]

    # On a thread: it waits for locks of the runner, which is on this loop.
    await asyncio.to_thread(spoil)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The hospitals of which it is said that they cannot be read, as often as it is said."""
    wanted = "a hospital's views are missing or closed to us; others go on"
    return [record.__dict__["hospital"] for record in caplog.records if record.message == wanted]


@asynccontextmanager
async def running(published: Published) -> AsyncGenerator[None, None]:
    """The product's runner with all views until the block ends."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with listening(published.settings.postgres_views_url) as hints:
        task = asyncio.create_task(Runner(published.tools(), ALL, hints).run(stop, ready))
        await ready.wait()
        try:
            yield
        finally:
            stop.set()
            await task


def append_history(published: Published, records: int) -> None:
    """Whole episodes of several records."""
    for number in range(records):
        stream, entry = h.EventStream(hospital=published.hospital), uuid4()
        bodies = [h.registered("SURG", f"C{number}"), h.care_started(), h.entry_recorded(entry), h.moved_to("ICU")]
        bodies += [h.entry_amended(entry, "corrected"), h.care_ended(), h.transfer_proposed(uuid4())]
        published.ground.append(stream.seal(body) for body in bodies)


async def all_handled(published: Published) -> None:
    """Waits until every view has handled the last event of every partition."""
    freshness, last = published.freshness(), dict[int, int]()
    for position, event in enumerate(published.ground.appended, 1):
        last[partition_function(published.settings)(event.stream_id.bytes, PARTITIONS)] = position
    for view in ALL:
        for position in last.values():
            # A stopped record is told of only when the view has come as far.
            with suppress(RecordStopped):
                await freshness.wait(published.hospital, view.name, position)


def recomputed(published: Published) -> dict[int, bytes]:
    """The running digests as the ledger's own rows give them."""
    digests: dict[int, bytes] = {}
    for position, event in enumerate(published.ground.appended, 1):
        partition = partition_function(published.settings)(event.stream_id.bytes, PARTITIONS)
        digests[partition] = extend_digest(digests.get(partition, EMPTY_DIGEST), position, event.leaf)
    return digests
