"""Reads of a ledger: pages, heads, registers."""

import asyncio
from functools import partial
from uuid import uuid4

import psycopg
import pytest

from ledger.store import reading
from ledger.store.actors import Actor, ActorRegister
from ledger.store.append import Claim
from ledger.store.connections import ConnectionPool, writer_pool
from ledger.store.durability import check_durability
from ledger.store.errors import HospitalDiffers, NotDurable, StoreUnavailable
from ledger.store.hospitals import add_hospital, hospital, list_hospitals
from ledger.store.reading import EventReader, is_last_page
from ledger.store.reservation_keys import reservation_hmac, reservation_key
from tests.contract.store.ledgers import ORIGIN_PREFIX, Ledger, Stream, command
from tests.eventually import eventually_async


async def test_stream_and_positions_in_pages(ledger: Ledger) -> None:
    """Pages follow each other without gap or overlap."""
    stream = Stream()
    for _ in range(5):
        await ledger.committer.append(command(stream.next_event()))
        await ledger.committer.append(command(Stream(kind="patient").next_event()))
    first = await ledger.reader.read_stream("north", stream.stream_id, 0, 3)
    rest = await ledger.reader.read_stream("north", stream.stream_id, 3)
    assert [row.version for row in first + rest] == [1, 2, 3, 4, 5]
    positions = await ledger.reader.read_positions("north", 2, 4)
    assert [row.position for row in positions] == [3, 4, 5, 6]
    assert await ledger.reader.position_of("north", stream.stream_id, 2) == 3
    assert await ledger.reader.stream_at("north", 3) == (stream.stream_id, 2)
    assert await ledger.reader.stream_at("north", 99) is None
    patients = await ledger.reader.list_streams("north", "patient", after_first_position=2, limit=3)
    assert [head.first_position for head in patients] == [4, 6, 8]
    assert await ledger.reader.stream_head("north", uuid4()) is None


async def test_reservations_are_found_by_key_and_group(ledger: Ledger) -> None:
    """Those that exist, and no others."""
    claims = tuple(Claim("source", bytes([n]), b"v", group=b"g" if n % 2 else b"h") for n in range(6))
    await ledger.committer.append(command(Stream().next_event(), reservations=claims))
    group = await ledger.reader.reservations_in_group("north", "source", b"g", limit=2)
    more = await ledger.reader.reservations_in_group("north", "source", b"g", after_key=group[-1].key)
    assert [row.key for row in group + more] == [b"\x01", b"\x03", b"\x05"]
    found = await ledger.reader.reservation_many("north", [("source", b"\x02"), ("source", b"\x63"), ("x", b"\x02")])
    assert list(found) == [("source", b"\x02")]
    assert await ledger.reader.reservation("north", "source", b"\x63") is None


@pytest.mark.parametrize("page", [1, 2, 3, 4])
async def test_a_group_is_read_to_its_end_page_by_page(ledger: Ledger, page: int) -> None:
    """Each once, in order of key, also where the last page is full."""
    claims = tuple(Claim("source", bytes([n]), b"v", group=b"g" if n % 2 else b"h") for n in range(6))
    await ledger.committer.append(command(Stream().next_event(), reservations=claims))
    found = [row.key async for row in ledger.reader.all_in_group("north", "source", b"g", page)]
    assert found == [b"\x01", b"\x03", b"\x05"]


async def test_reservation_key_is_the_hospitals_own(ledger: Ledger) -> None:
    """Another hospital's key differs, and no two lists of parts give one HMAC."""
    await add_hospital(ledger.url("ledger_migrate"), "south", origin_prefix=ORIGIN_PREFIX)
    north, south = await reservation_key(ledger.writers, "north"), await reservation_key(ledger.writers, "south")
    assert len(north) == 32
    assert north != south
    assert reservation_hmac(north, "case", "1", "23") != reservation_hmac(north, "case", "12", "3")
    assert reservation_hmac(north, "case", "1") == reservation_hmac(north, "case", b"1")


async def test_actor_register_is_mutable(ledger: Ledger) -> None:
    """A correction replaces what the register said."""
    register = ActorRegister(ledger.writers)
    actor = Actor(uuid4(), "Li Wei", "physician", "cardiology", "110", b"7" * 32)
    await register.upsert_actor("north", actor)
    corrected = Actor(actor.actor_id, "Li Wei", "physician", "surgery", "110", b"7" * 32)
    await asyncio.gather(*[register.upsert_actor("north", corrected) for _ in range(20)])
    assert await register.actor("north", actor.actor_id) == corrected
    assert await register.actor("north", uuid4()) is None


async def test_registry_lists_what_was_added(ledger: Ledger) -> None:
    """Adding again changes nothing; adding differently is refused."""
    row = await add_hospital(ledger.url("ledger_migrate"), "south-1", origin_prefix=ORIGIN_PREFIX, partitions=6)
    again = await add_hospital(ledger.url("ledger_migrate"), "south-1", origin_prefix=ORIGIN_PREFIX, partitions=6)
    assert row == again
    assert (row.origin, row.partitions, row.state) == ("ledger.test/south-1/1", 6, "active")
    assert [entry.id for entry in await list_hospitals(ledger.writers)] == ["north", "south-1"]
    assert await hospital(ledger.writers, "south-1") == row
    assert await hospital(ledger.writers, "nowhere") is None
    with pytest.raises(HospitalDiffers):
        await add_hospital(ledger.url("ledger_migrate"), "south-1", origin_prefix=ORIGIN_PREFIX, partitions=7)


async def test_an_address_is_kept_and_need_not_be_said_again(ledger: Ledger) -> None:
    """Adding again with another address is refused; without one it asks for none."""
    added = partial(add_hospital, ledger.url("ledger_migrate"), "south", origin_prefix=ORIGIN_PREFIX)
    row = await added(address="127.0.0.1:7")
    assert await added() == await added(address="127.0.0.1:7") == row
    assert row.address == "127.0.0.1:7"
    with pytest.raises(HospitalDiffers):
        await added(address="127.0.0.1:8")


async def test_a_hospital_without_a_name_gets_one_and_keeps_it(ledger: Ledger) -> None:
    """Added with none, named later; another name is refused, and nobody has to say it again."""
    added = partial(add_hospital, ledger.url("ledger_migrate"), "south", origin_prefix=ORIGIN_PREFIX)
    assert (await added()).display_name == ""
    named = await added(display_name="South General 南方")
    assert named.display_name == "South General 南方"
    assert await added() == await hospital(ledger.writers, "south") == named
    with pytest.raises(HospitalDiffers):
        await added(display_name="Another")
    assert (await added()).display_name == "South General 南方"


async def test_pages_of_large_events_are_short(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page ends where its bodies reach the bound, always holds an event, and says that there is more."""
    monkeypatch.setattr(reading, "PAGE_BYTES_MAX", 1000)
    monkeypatch.setattr(reading, "FEW_ROWS", 1)  # so few bodies stay below the bound above, not below this one
    stream = Stream()
    bodies = [b"a" * size for size in (400, 600, 400, 3000, 1, 1)]
    await ledger.committer.append(command(*[stream.next_event(body) for body in bodies]))
    for after, length, last in ((0, 2, False), (2, 2, False), (4, 2, True), (6, 0, True)):
        by_version = await ledger.reader.read_stream("north", stream.stream_id, after, 10)
        assert by_version == await ledger.reader.read_positions("north", after, 10)
        assert (len(by_version), is_last_page(by_version, 10)) == (length, last)


async def test_a_server_that_is_gone_is_unavailable_to_every_read() -> None:
    """No read, and no correction of the register, lets out an error of the driver's own."""
    pool = ConnectionPool("postgresql://127.0.0.1:1/none")
    register = ActorRegister(pool)
    actor = Actor(uuid4(), "Li Wei", "physician", "cardiology", "110", b"k" * 32)
    for call in (
        register.upsert_actor("north", actor),
        register.actor("north", actor.actor_id),
        reservation_key(pool, "north"),
        hospital(pool, "north"),
        list_hospitals(pool),
        EventReader(pool).head("north"),
    ):
        with pytest.raises(StoreUnavailable):
            await call


async def test_a_read_whose_connection_is_ended_is_unavailable(ledger: Ledger) -> None:
    """The same in the middle of a statement."""
    # Within one transaction pg_stat_activity would show the same picture again and again.
    waiting = "FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    reads = [
        ActorRegister(ledger.writers).actor("north", uuid4()),
        reservation_key(ledger.writers, "north"),
        hospital(ledger.writers, "north"),
    ]
    async with await psycopg.AsyncConnection.connect(ledger.database.url) as admin:
        await admin.execute('LOCK "h_north".actors, "h_north".reservation_key, ledger_control.hospitals')
        tasks = [asyncio.ensure_future(read) for read in reads]

        async def all_wait() -> bool:
            row = await (await admin.execute(f"SELECT count(*) {waiting}".encode())).fetchone()
            return row == (len(reads),)

        await eventually_async(all_wait, what="reads that wait")
        await admin.execute(f"SELECT pg_terminate_backend(pid) {waiting}".encode())
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(reads)


@pytest.mark.parametrize("name", ["", "N", "1a", "a", "a_b", "a" * 32, 'a"b', "a b", "ä1"])
async def test_malformed_hospital_id_is_refused(name: str) -> None:
    """Before any connection is made."""
    with pytest.raises(ValueError, match="hospital id"):
        await add_hospital("postgresql://127.0.0.1:1/", name, origin_prefix=ORIGIN_PREFIX)


async def test_unsafe_setting_is_refused_by_name(ledger: Ledger) -> None:
    """An acknowledged event may not be lost for the sake of speed."""
    async with await psycopg.AsyncConnection.connect(ledger.url("ledger_append"), autocommit=True) as connection:
        await check_durability(connection)
        await connection.execute("SET synchronous_commit = off")
        with pytest.raises(NotDurable) as caught:
            await check_durability(connection)
    assert (caught.value.setting, caught.value.value) == ("synchronous_commit", "off")


async def test_every_connection_that_appends_is_asked(ledger: Ledger) -> None:
    """A setting that was changed while the service runs is found when the next connection is made."""
    with psycopg.connect(ledger.database.url, autocommit=True) as connection:
        connection.execute("ALTER ROLE ledger_append SET synchronous_commit = off")
    pool = writer_pool(ledger.url("ledger_append"))
    try:
        with pytest.raises(NotDurable):
            async with pool.borrow():
                pass
    finally:
        with psycopg.connect(ledger.database.url, autocommit=True) as connection:
            connection.execute("ALTER ROLE ledger_append RESET synchronous_commit")
        await pool.close()
