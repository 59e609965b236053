"""Reads of a ledger: pages, heads, registers."""

import asyncio
from uuid import uuid4

import psycopg
import pytest

from ledger.store.actors import Actor, ActorRegister
from ledger.store.append import Claim
from ledger.store.durability import check_durability
from ledger.store.errors import HospitalDiffers, NotDurable
from ledger.store.hospitals import add_hospital, hospital, list_hospitals
from ledger.store.reservation_keys import reservation_hmac, reservation_key
from tests.contract.store.ledgers import ORIGIN_PREFIX, Ledger, Stream, command


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
