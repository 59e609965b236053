"""A destroyed record: its key goes with the next look, and everything works on what is left of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from ledger.api.v1.disposal_values_pb2 import ReportedRecord
from ledger.application.errors import RecordDestroyed
from ledger.application.ledger import Ledger
from ledger.cli.bodies import Bodies, bodies_with_keys
from ledger.cli.erasure_follower import ErasureFollower
from ledger.config import load
from ledger.domain.decide_log import SucceedLog
from ledger.domain.log_events import LossReason
from ledger.domain.state import is_destroyed
from ledger.domain.values import Actor
from ledger.keys.erasing import RECORD_DESTROYED, Erasing
from ledger.keys.purge_entry import Holder
from ledger.keys.purge_rows import REGISTER_START
from ledger.server.record_message import record_message
from ledger.store.succession import end_log
from ledger.trust.envelope import decode, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Destroyed, Opened, SealFault, SealFaultKind
from ledger.trust.verify import Row, Summary, copies_of, verify_rows
from tests.contract.edge import requests
from tests.eventually import eventually_async
from tests.fault.tampering.medium import ledger_command
from tests.integration.application.disposal_ground import Office, erasing_for
from tests.integration.application.written import HOSPITAL, execute
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment

ORIGIN = "ledger.example/north/1"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass
class Process:
    """What one server process has."""

    ledger: Ledger
    bodies: Bodies
    follower: ErasureFollower
    registry: CollectorRegistry

    def lag(self) -> float | None:
        """What the process says of how far it is behind."""
        return self.registry.get_sample_value("ledger_erasure_lag", {"hospital": HOSPITAL})


async def _started(database: Database) -> AsyncIterator[Process]:
    settings = load(serve_environment(database))
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        await ledger.add_hospital(HOSPITAL, 1, "")
        erasing = erasing_for(bodies, NOW, "archive-office")
        registry = CollectorRegistry()
        follower = ErasureFollower(erasing, ledger.hospitals, ledger.drop_destroyed, registry)
        await follower.catch_up()
        yield Process(ledger, bodies, follower, registry)
        await ledger.close()


@pytest.fixture
async def process(database: Database) -> AsyncIterator[Process]:
    """A server process with the hospital north."""
    async for each in _started(database):
        yield each


@pytest.fixture
async def other(database: Database, process: Process) -> AsyncIterator[Process]:
    """Another one, with a memory of its own."""
    del process
    async for each in _started(database):
        yield each


async def _destroyed(process: Process) -> tuple[UUID, str]:
    office = Office(process.ledger)
    record_id, list_id = await office.condemned(await office.patient())
    await office.destroy(record_id, list_id)
    return UUID(record_id), list_id


async def test_the_key_goes_and_the_tombstone_stays_in_every_process(process: Process, other: Process) -> None:
    """No event opens but the destruction; list and persons are told; commands are refused by name, nothing is added."""
    record_id, list_id = await _destroyed(process)
    before = record_message(await other.ledger.record(HOSPITAL, record_id))
    rows = await process.ledger.read_stream(HOSPITAL, record_id, 0, 100)
    sealed = [(row.envelope, row.body) for row in rows]
    assert all(isinstance(each, Opened) for each in await other.bodies.opener.open(sealed)), "it opens before"
    await process.follower.catch_up()
    await other.follower.catch_up()
    for each in (process, other):
        *earlier, last = await each.bodies.opener.open(sealed)
        assert set(earlier) == {Destroyed()}
        assert isinstance(last, Opened)
        view = await each.ledger.record(HOSPITAL, record_id)
        assert is_destroyed(view.state)
        assert record_message(view) == before
        assert record_message(view).tombstone.list_id == list_id
        head = await each.ledger.head(HOSPITAL)
        with pytest.raises(RecordDestroyed):
            await execute(each.ledger, requests.record_entry(str(record_id)))
        with pytest.raises(RecordDestroyed):
            await each.ledger.record(HOSPITAL, record_id, version=1)
        assert await each.ledger.head(HOSPITAL) == head
    every = await process.ledger.read_positions(HOSPITAL, 0, 100)
    walked = verify_rows(
        Row(row.position, row.envelope, row.body, copies_of(decode(row.envelope), row.envelope)) for row in every
    )
    assert isinstance(walked, Summary), walked


async def test_a_defect_ends_no_follower_and_no_other_hospital(process: Process) -> None:
    """What nobody thought of is logged and counted, the hospital rests longer each time and says so, the next one is
    followed meanwhile; once it works again the destruction is applied."""
    await process.ledger.add_hospital("south", 1, "")
    told: list[UUID] = []
    working = False

    async def drop(_: str, record_id: UUID) -> None:
        if not working:
            raise RuntimeError("a defect")
        told.append(record_id)

    registry, own = CollectorRegistry(), process.bodies
    erasing = erasing_for(own, NOW)
    follower = ErasureFollower(erasing, process.ledger.hospitals, drop, registry, look_seconds=0.01)
    await follower.catch_up()
    record_id, _ = await _destroyed(process)

    def defects(hospital: str) -> float:
        return registry.get_sample_value("ledger_erasure_defects_total", {"hospital": hospital}) or 0

    async def fails_again_and_again() -> bool:
        return defects(HOSPITAL) > 1

    async def is_applied() -> bool:
        return not follower.not_followed()

    async with follower.following():
        await eventually_async(fails_again_and_again)
        assert (follower.not_followed(), told, defects("south")) == ([HOSPITAL], [], 0)
        working = True
        await eventually_async(is_applied)
    assert told == [record_id]
    assert registry.get_sample_value("ledger_erasure_lag", {"hospital": HOSPITAL}) == 0


async def test_a_record_of_a_log_that_ended_is_destroyed_under_its_successor(
    process: Process, other: Process, database: Database
) -> None:
    """One key, one tombstone, one row of the register for what stands under two origins, in every process."""
    office = Office(process.ledger)
    record_id, list_id = await office.condemned(await office.patient())
    head, successor = await process.ledger.head(HOSPITAL), ORIGIN[:-1] + "2"
    await end_log(database.role_url("ledger_migrate"), HOSPITAL, ORIGIN, successor, head)
    await process.ledger.hospitals()
    approvers = (Actor(UUID(int=1), "Ada", "records_office"), Actor(UUID(int=2), "Bea", "physician"))
    last = f"{ORIGIN}\n{head + 9}\n"
    lost = SucceedLog(UUID(int=9), ORIGIN, last, head + 1, head + 9, approvers, LossReason.ATTACK)
    assert await process.ledger.succeed(HOSPITAL, lost) == head + 1
    await office.destroy(record_id, list_id)
    rows = await process.ledger.read_stream(HOSPITAL, UUID(record_id), 0, 100)
    assert {decode(row.envelope).origin for row in rows} == {ORIGIN, successor}
    for each in (process, other):
        await each.follower.catch_up()
        *earlier, last_opened = await each.bodies.opener.open([(row.envelope, row.body) for row in rows])
        assert set(earlier) == {Destroyed()}
        assert isinstance(last_opened, Opened)
    purges = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
    assert [each.stream_id for each in purges] == [UUID(record_id)]


async def test_of_a_destroyed_record_only_what_the_ledger_holds_is_called_destroyed(process: Process) -> None:
    """No key tells any more: another envelope, or another body under the right one, is a fault, no destruction."""
    record_id, _ = await _destroyed(process)
    await process.follower.catch_up()
    first = (await process.ledger.read_stream(HOSPITAL, record_id, 0, 1))[0]
    forged = encode(replace(decode(first.envelope), actor=bytes(16)))
    asked = [(first.envelope, first.body), (forged, first.body), (first.envelope, first.body[:-1] + b"x")]
    assert await process.bodies.opener.open(asked) == [
        Destroyed(),
        SealFault(SealFaultKind.NOT_STORED),
        SealFault(SealFaultKind.DIGEST),
    ]


async def test_the_list_is_reported_after_the_keys_are_gone(process: Process) -> None:
    """What the report says is held against the tombstone, which needs no key."""
    record_id, list_id = await _destroyed(process)
    await process.follower.catch_up()
    done = ReportedRecord(record_id=str(record_id), destroyed=True)
    assert (await Office(process.ledger).report(list_id, done)).events == 1


async def test_an_older_state_of_the_keys_that_was_put_back_is_erased_before_anybody_is_served(
    process: Process, other: Process, database: Database
) -> None:
    """A start applies every destruction again, also where the key's row is back from a backup."""
    record_id, _ = await _destroyed(process)
    keep_keys(database)
    await process.follower.catch_up()
    put_keys_back(database)
    row = (await other.ledger.read_stream(HOSPITAL, record_id, 0, 1))[0]
    sealed = [(row.envelope, row.body)]
    assert isinstance((await other.bodies.opener.open(sealed))[0], Opened), "it was put back"
    async for started in _started(database):
        assert await started.bodies.opener.open(sealed) == [Destroyed()]


async def test_keys_put_back_under_a_server_at_rest_are_seen(process: Process, database: Database) -> None:
    """Nothing is appended any more: the next look sees all the same that what it has read is to be read again."""
    record_id, _ = await _destroyed(process)
    keep_keys(database)
    await process.follower.catch_up()
    put_keys_back(database)
    await process.follower.catch_up()
    row = (await process.ledger.read_stream(HOSPITAL, record_id, 0, 1))[0]
    assert await process.bodies.opener.open([(row.envelope, row.body)]) == [Destroyed()]
    with psycopg.connect(database.url) as connection:
        query = "SELECT wrapped IS NULL FROM ledger_keys.record_keys WHERE stream_id = %s"
        assert connection.execute(query, (record_id,)).fetchall() == [(True,)]


async def test_a_destruction_that_nobody_has_sealed_destroys_nothing(
    process: Process, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Envelope, chain and digest are written by whoever writes a topic or the tables; the key says who sealed.

    It holds up no other destruction, and is told apart from a key that was put back.
    """
    patient = UUID(await Office(process.ledger).patient())
    (*_, last) = await process.ledger.read_stream(HOSPITAL, patient, 0, 100)
    head, body, before = await process.ledger.head(HOSPITAL), b"\x01" + os.urandom(299), decode(last.envelope)
    forged = replace(
        before,
        type=RECORD_DESTROYED,
        stream_version=before.stream_version + 1,
        prev_leaf=leaf_hash(last.envelope),
        commitment=os.urandom(32),
        body_sha256=sha256(body).digest(),
    )
    row = (head + 1, patient, forged.stream_version, forged.type, forged.recorded_at, encode(forged), body)
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO h_north.events (position, stream_id, version, type, recorded_at, envelope, body, leaf_hash) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (*row, leaf_hash(encode(forged))),
        )
        connection.execute("UPDATE h_north.head SET position = position + 1")
        moved = "UPDATE h_north.stream_heads SET version = %s, leaf_hash = %s, last_position = %s WHERE stream_id = %s"
        connection.execute(moved, (forged.stream_version, leaf_hash(encode(forged)), head + 1, patient))
    later, _ = await _destroyed(process)
    for _ in range(2):
        await process.follower.catch_up()
    assert caplog.text.count("was not sealed under its record's key") == 1
    assert isinstance((await process.bodies.opener.open([(last.envelope, last.body)]))[0], Opened)
    assert process.lag() == 1
    assert await process.bodies.purges.erased_up_to(ORIGIN) == head
    purges = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
    assert [each.stream_id for each in purges] == [later]
    found = await asyncio.to_thread(ledger_command, "verify", "keys", HOSPITAL, **serve_environment(database))
    assert f"FAULT NOT_DESTROYED, record {patient}" in found.says
    assert "KEY_PUT_BACK" not in found.says


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_destruction_that_was_damaged_is_applied_once_its_bytes_are_right(
    process: Process, database: Database, *, restarted: bool
) -> None:
    """By the process that met it damaged and by the next one; until then it is counted, and others are applied."""
    record_id, _ = await _destroyed(process)
    (first, *_, last) = await process.ledger.read_stream(HOSPITAL, record_id, 0, 100)
    put_body(database, last.position, last.body[:-1] + bytes([last.body[-1] ^ 1]))
    await process.follower.catch_up()
    other, _ = await _destroyed(process)
    await process.follower.catch_up()
    assert process.lag() == 1
    purges = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
    assert [each.stream_id for each in purges] == [other]
    assert isinstance((await process.bodies.opener.open([(first.envelope, first.body)]))[0], Opened)
    put_body(database, last.position, last.body)
    if restarted:
        async for started in _started(database):
            assert await started.bodies.opener.open([(first.envelope, first.body)]) == [Destroyed()]
    await process.follower.catch_up()
    assert await process.bodies.opener.open([(first.envelope, first.body)]) == [Destroyed()]
    assert process.lag() == 0
    assert await process.bodies.purges.erased_up_to(ORIGIN) == await process.ledger.head(HOSPITAL)


def put_body(database: Database, position: int, body: bytes) -> None:
    """Writes other bytes into the tables, as no role of the service may."""
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE h_north.events DISABLE TRIGGER ALL")
        connection.execute("UPDATE h_north.events SET body = %s WHERE position = %s", (body, position))
        connection.execute("ALTER TABLE h_north.events ENABLE ALWAYS TRIGGER events_rows_never_change")
        connection.execute("ALTER TABLE h_north.events ENABLE ALWAYS TRIGGER events_never_change")


def keep_keys(database: Database) -> None:
    """A backup of the wrapped keys."""
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE backup AS SELECT * FROM ledger_keys.record_keys")


def put_keys_back(database: Database) -> None:
    """The keys of that backup, and nothing of what came after it."""
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        for table in ("purge_holders", "purges", "erased_up_to", "record_keys"):
            connection.execute(f"DELETE FROM ledger_keys.{table}")  # noqa: S608 - the names above
        connection.execute("INSERT INTO ledger_keys.record_keys SELECT * FROM backup")
        connection.execute("ALTER TABLE ledger_keys.record_keys ENABLE ALWAYS TRIGGER record_keys_rows")
        connection.execute("ALTER TABLE ledger_keys.record_keys ENABLE ALWAYS TRIGGER record_keys_whole")


async def test_the_register_names_who_else_holds_it_until_they_say_that_they_have_deleted(process: Process) -> None:
    """Archive office: open, then acknowledged once; a second time changes nothing; complete needs the generations."""
    record_id, _ = await _destroyed(process)
    await process.follower.catch_up()
    await process.follower.catch_up()  # again: nothing twice
    purges = process.bodies.purges
    (purge,) = await purges.page(ORIGIN, REGISTER_START, 10, only_open=True)
    assert (purge.stream_id, purge.unreadable_at, purge.holders_known) == (record_id, NOW, True)
    assert [(each.kind, each.item) for each in purge.holders] == [("archive", "archive-office")]
    stream, by = (ORIGIN, record_id.bytes), UUID(int=5)
    assert not await purges.acknowledge(stream, "copy", "archive-office", NOW, by)
    assert await purges.acknowledge(stream, "archive", "archive-office", NOW, by)
    assert await purges.acknowledge(stream, "archive", "archive-office", NOW, UUID(int=6))
    assert await purges.page(ORIGIN, REGISTER_START, 10, only_open=True) == []
    (purge,) = await purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
    assert [(each.acknowledged_at, each.acknowledged_by) for each in purge.holders] == [(NOW, by)]
    assert purge.proven


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_keys.purges SET unreadable_at = '2001-01-01'",
        "UPDATE ledger_keys.purges SET generation = 7",
        "UPDATE ledger_keys.purges SET holders_known = NOT holders_known",
        "UPDATE ledger_keys.purges SET proof = ''",
        "DELETE FROM ledger_keys.purge_holders",
        "UPDATE ledger_keys.purge_holders SET acknowledged_at = now(), acknowledged_by = gen_random_uuid()",
        "UPDATE ledger_keys.record_keys SET destroyed_at = '2001-01-01' WHERE wrapped IS NULL",
    ],
)
async def test_a_change_of_the_register_is_found(process: Process, database: Database, change: str) -> None:
    """By whoever owns its tables: `verify keys` names the record, the list says nothing in his favour, and an
    acknowledgement proves nothing that was not proven before."""
    record_id, _ = await _destroyed(process)
    await process.follower.catch_up()
    environment = serve_environment(database)
    assert (await asyncio.to_thread(ledger_command, "verify", "keys", HOSPITAL, **environment)).accepted
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        connection.execute(change.encode())
    await process.follower.catch_up()
    for _ in range(2):
        found = await asyncio.to_thread(ledger_command, "verify", "keys", HOSPITAL, **environment)
        assert f"FAULT REGISTER, record {record_id}" in found.says
        (purge,) = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
        assert not purge.proven
        await process.bodies.purges.acknowledge(
            (ORIGIN, record_id.bytes), "archive", "archive-office", NOW, UUID(int=5)
        )


async def test_a_row_without_a_proof_is_written_in_nobodys_favour(process: Process, database: Database) -> None:
    """As after a restore, which has no key file. Whoever makes such a row gains nothing: it is unreadable from the next
    look on, of the newest generation, its offices are asked and perhaps more."""
    record_id, _ = await _destroyed(process)
    await process.follower.catch_up()
    with psycopg.connect(database.url) as connection:
        connection.execute("DELETE FROM ledger_keys.purge_holders")
        connection.execute("UPDATE ledger_keys.purges SET proof = '', unreadable_at = '2001-01-01'")
        connection.execute("UPDATE ledger_keys.erased_up_to SET position = 0")
    await process.follower.catch_up()
    (purge,) = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
    assert (purge.unreadable_at, purge.holders_known, purge.proven) == (NOW, False, True)
    assert [each.item for each in purge.holders] == ["archive-office"]
    found = await asyncio.to_thread(ledger_command, "verify", "keys", HOSPITAL, **serve_environment(database))
    assert found.accepted, (record_id, found.says)


async def test_an_acknowledgement_that_nothing_proved_is_never_proven(
    process: Process, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever writes the tables plants one, empties the proof and has the destruction looked at again: the row that the
    next look signs calls the holder open, under a name that the ledger knows, and the log says that it was written."""
    record_id, _ = await _destroyed(process)
    await process.follower.catch_up()
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE ledger_keys.purge_holders"
            " SET name = 'nobody', acknowledged_at = now(), acknowledged_by = gen_random_uuid()"
        )
        connection.execute("UPDATE ledger_keys.purges SET proof = ''")
        connection.execute("UPDATE ledger_keys.erased_up_to SET position = 0")
    await process.follower.catch_up()
    (purge,) = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=True)
    assert (purge.stream_id, purge.proven) == (record_id, True)
    assert purge.holders == (Holder("archive", "archive-office", "archive-office"),)
    said = [each for each in caplog.records if "nothing proved" in each.message]
    assert [(vars(each)["hospital"], vars(each)["position"]) for each in said] == [(HOSPITAL, purge.position)]


@pytest.mark.parametrize("proof", ["''", "sha256('forged')"])
async def test_an_acknowledgement_planted_beside_a_key_that_was_put_back_is_never_proven(
    process: Process, database: Database, proof: str
) -> None:
    """The row is not as it was signed: who put the key back may have written it, so the holder is asked."""
    record_id, _ = await _destroyed(process)
    keep_keys(database)
    await process.follower.catch_up()
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE ledger_keys.purge_holders SET acknowledged_at = now(), acknowledged_by = gen_random_uuid()"
        )
        connection.execute(f"UPDATE ledger_keys.purges SET proof = {proof}".encode())  # noqa: S608 - the proofs above
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM ledger_keys.record_keys")
        connection.execute("INSERT INTO ledger_keys.record_keys SELECT * FROM backup")
        connection.execute("UPDATE ledger_keys.erased_up_to SET position = 0")
    await process.follower.catch_up()
    (purge,) = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=True)
    assert (purge.stream_id, purge.proven, purge.holders_known) == (record_id, True, False)
    assert [each.acknowledged_at for each in purge.holders] == [None]


async def test_an_archive_office_that_is_replaced_stays_a_holder(process: Process) -> None:
    """It was there when the record was written and is no consumer any more when it is destroyed."""
    offices, own = ["old-office"], process.bodies
    erasing = Erasing(
        own.keys, own.purges, own.events, lambda _: tuple(offices), lambda: NOW, own.upheld, own.held_back
    )
    follower = ErasureFollower(erasing, process.ledger.hospitals, process.ledger.drop_destroyed, CollectorRegistry())
    await follower.catch_up()
    offices[:] = ["new-office"]
    await _destroyed(process)
    await follower.catch_up()
    (purge,) = await process.bodies.purges.page(ORIGIN, REGISTER_START, 10, only_open=True)
    assert [each.item for each in purge.holders] == ["archive-office", "new-office", "old-office"]


async def test_a_key_that_comes_back_beside_its_row_of_the_register_goes_again(
    process: Process, database: Database
) -> None:
    """Its holders stay, with what they said; it could be read meanwhile, so more may hold it, and the row says so."""
    record_id, _ = await _destroyed(process)
    keep_keys(database)
    await process.follower.catch_up()
    purges, stream = process.bodies.purges, (ORIGIN, record_id.bytes)
    assert await purges.acknowledge(stream, "archive", "archive-office", NOW, UUID(int=5))
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM ledger_keys.record_keys")
        connection.execute("INSERT INTO ledger_keys.record_keys SELECT * FROM backup")
        connection.execute("DELETE FROM ledger_keys.erased_up_to")
    async for started in _started(database):
        row = (await started.ledger.read_stream(HOSPITAL, record_id, 0, 1))[0]
        assert await started.bodies.opener.open([(row.envelope, row.body)]) == [Destroyed()]
    (purge,) = await purges.page(ORIGIN, REGISTER_START, 10, only_open=False)
    assert (purge.proven, purge.holders_known, purge.holders[0].acknowledged_by) == (True, False, UUID(int=5))
    found = await asyncio.to_thread(ledger_command, "verify", "keys", HOSPITAL, **serve_environment(database))
    assert found.accepted, found.says
