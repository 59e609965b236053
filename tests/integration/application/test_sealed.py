"""The write side on real keys: nothing lies in the clear, and a key that is gone is told by how it went."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from ledger.api.v1 import common_pb2
from ledger.api.v1 import records_pb2 as records
from ledger.application.errors import BodyUnreadable, ClearLedger, RecordDestroyed
from ledger.application.ledger import Ledger
from ledger.cli.bodies import Bodies, bodies_with_keys
from ledger.cli.opened_feed import ClearStream, OpenedFeed
from ledger.config import Settings, load
from ledger.domain.state import nothing_left
from ledger.keys.errors import KeysUnavailable
from ledger.publisher.routing import ClearLedger as PublishedClear
from ledger.publisher.routing import Routing
from ledger.server.error_status import status_of
from ledger.store.append import Appended, NewEvent
from ledger.store.committer import GroupCommitter
from ledger.store.connections import writer_pool
from ledger.store.flush import flush
from ledger.store.migrate import migrate
from ledger.stream.contract import StreamUnavailable
from ledger.trust.envelope import decode, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Draft, Opened, Opening, SealFault, SealFaultKind
from ledger.trust.verify import Row, Summary, copies_of, verify_rows
from ledger.views.event import view_event
from projections.checkpoint import Delivered
from tests.contract.edge import requests
from tests.contract.store.ledgers import Stream, command, in_the_clear, with_clear_body
from tests.integration.application.written import HOSPITAL, execute, record_under_care
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY
from tests.services.serve_process import serve_environment

SECRET = b"Stable overnight."
Unsealed = Callable[[NewEvent], NewEvent]


@dataclass
class Process:
    """What one server process has."""

    ledger: Ledger
    bodies: Bodies


@pytest.fixture
def settings(database: Database) -> Settings:
    """Those of a server process."""
    return load(serve_environment(database))


@pytest.fixture
async def process(settings: Settings) -> AsyncIterator[Process]:
    """A server process with the hospital north."""
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        await ledger.add_hospital(HOSPITAL, 1, "")
        yield Process(ledger, bodies)
        await ledger.close()


@pytest.fixture
async def other(settings: Settings, process: Process) -> AsyncIterator[Process]:
    """Another one, with a memory of its own."""
    del process
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        yield Process(ledger, bodies)
        await ledger.close()


@dataclass
class ReadOnce:
    """A feed of what a ledger holds."""

    events: list[Delivered]
    at_rest: bool = False

    async def poll(self, timeout_s: float, events_max: int) -> Sequence[Delivered]:
        """Everything at once."""
        del timeout_s, events_max
        return self.events

    async def close(self) -> None:
        """Nothing is held."""


class NoKeys:
    """An opener whose keys cannot be asked for."""

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """Never."""
        del events
        raise KeysUnavailable("the key service answers UNAVAILABLE")


async def delivered(process: Process) -> list[Delivered]:
    """Everything that the ledger holds, as a feed brings it."""
    rows = await process.ledger.read_positions(HOSPITAL, 0, 100)
    return [Delivered(0, row.position, "t", view_event(row.position, row.envelope, row.body)) for row in rows]


async def test_nothing_lies_in_the_clear_and_everything_works(process: Process, other: Process) -> None:
    """Commands of one and of two events, a second process, an amendment on what was read, views, the walk."""
    record_id = await record_under_care(process.ledger)
    await execute(process.ledger, requests.record_entry(str(record_id)))
    await _consultation(process.ledger, str(record_id))
    view = await other.ledger.record(HOSPITAL, record_id)
    assert view.version == 6
    assert next(each.last.content.sections[0].text for each in view.state.entries.values()) == SECRET.decode()

    rows = await process.ledger.read_positions(HOSPITAL, 0, 100)
    openings = await other.bodies.opener.open([(row.envelope, row.body) for row in rows])
    assert any(SECRET in each.plaintext for each in openings if isinstance(each, Opened)), "the search would find it"
    assert not any(SECRET in row.body for row in rows)
    of_rulebook = {each * 4 * 1024 for each in range(4, 17)}
    assert {len(row.body) - 29 for row in rows} <= {256, 320, 384, 448, 512, 640, 768, 896, 1024} | of_rulebook
    found = verify_rows(
        Row(row.position, row.envelope, row.body, copies_of(decode(row.envelope), row.envelope)) for row in rows
    )
    assert isinstance(found, Summary), found
    seen = await OpenedFeed(ReadOnce(await delivered(process)), other.bodies.opener).poll(1.0, 100)
    assert [Opened(each.event.message.SerializeToString()) for each in seen] == openings


async def test_each_record_has_a_key_of_its_own(process: Process) -> None:
    """All events of a stream under one key id, no two streams under the same: patients, records and the rulebook."""
    for _ in range(3):
        await record_under_care(process.ledger)
    rows = await process.ledger.read_positions(HOSPITAL, 0, 100)
    pairs = {(row.stream_id, decode(row.envelope).key_id) for row in rows}
    assert len(pairs) == len({stream for stream, _ in pairs}) == len({key_id for _, key_id in pairs}) == 7


async def test_a_key_lost_without_destruction_stops_its_record_by_name(
    process: Process, other: Process, database: Database
) -> None:
    """DATA_LOSS with the fault's kind, at reads and commands; the neighbour goes on."""
    lost, kept = await record_under_care(process.ledger), await record_under_care(process.ledger)
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM ledger_keys.record_keys WHERE stream_id = %s", (lost,))
    with pytest.raises(BodyUnreadable) as fault:
        await other.ledger.record(HOSPITAL, lost)
    assert (fault.value.why, status_of(fault.value, "incident").code) == ("KEY_MISSING", 15)
    with pytest.raises(BodyUnreadable):
        await execute(other.ledger, requests.record_entry(str(lost)))
    process.bodies.keys.forget(("ledger.example/north/1", lost.bytes))
    with pytest.raises(BodyUnreadable) as refused:
        await execute(process.ledger, requests.record_entry(str(lost)))
    assert refused.value.why == "KEY_MISSING"
    assert (await other.ledger.record(HOSPITAL, kept)).version == 2


async def test_a_tombstone_that_no_destruction_explains_is_a_fault(process: Process, other: Process) -> None:
    """The ledger is asked: at the position that the tombstone names there must be the record's RecordDestroyed."""
    record_id = await record_under_care(process.ledger)
    await process.bodies.keys.destroy(("ledger.example/north/1", record_id.bytes), 3)
    with pytest.raises(BodyUnreadable) as fault:
        await other.ledger.record(HOSPITAL, record_id)
    assert fault.value.why == "TOMBSTONE"


async def test_a_key_destroyed_by_its_event_is_no_fault(process: Process, other: Process, settings: Settings) -> None:
    """A tombstone at reads, RECORD_DESTROYED at commands; without a statement in the register it says no more."""
    record_id = await record_under_care(process.ledger)
    position = await _append_destroyed(process, settings, record_id)
    await process.bodies.keys.destroy(("ledger.example/north/1", record_id.bytes), position)
    view = await other.ledger.record(HOSPITAL, record_id)
    assert view.state == nothing_left(3)
    with pytest.raises(RecordDestroyed) as destroyed:
        await execute(other.ledger, requests.record_entry(str(record_id)))
    assert status_of(destroyed.value).code == 9


async def _append_destroyed(process: Process, settings: Settings, record_id: UUID) -> int:
    """The event alone, past everything that decides: only its envelope counts here."""
    row = (await process.ledger.read_stream(HOSPITAL, record_id, 1, 1))[0]
    clear = decode(row.envelope)
    kind = "ledger.v1.RecordDestroyed"
    place = replace(clear, type=kind, stream_version=3, prev_leaf=leaf_hash(row.envelope))
    envelope = encode(replace(place, body_sha256=sha256(row.body).digest()))
    event = NewEvent(record_id, "record", 3, kind, clear.recorded_at, envelope, row.body, leaf_hash(envelope))
    pool = writer_pool(settings.postgres_append_url)
    try:
        done = await GroupCommitter(HOSPITAL, pool).append(replace(command(event), result_version=3))
    finally:
        await pool.close()
    assert isinstance(done, Appended)
    return done.first_position


@pytest.mark.parametrize("clear", [in_the_clear, with_clear_body])
@pytest.mark.parametrize("before", [0, 6])
async def test_a_ledger_in_the_clear_is_refused_by_name(
    process: Process, other: Process, settings: Settings, database: Database, before: int, clear: Unsealed
) -> None:
    """CLEAR_LEDGER at the first call of a process, wherever in the ledger a body lies in the clear, and with its
    position; a view's feed names the position. `ledger migrate` goes over none, and says so."""
    event = clear(Stream().next_event(b"in the clear"))
    if before:
        await record_under_care(process.ledger)
    assert await process.ledger.head(HOSPITAL) == before
    await _force_in(settings, database, event)
    if before:
        await execute(process.ledger, requests.register_patient())
    with pytest.raises(ClearLedger) as refused:
        await other.ledger.head(HOSPITAL)
    assert (refused.value.position, status_of(refused.value).code) == (before + 1, 9)
    _, hospital = await migrate(database.url)
    assert "CheckViolation" in hospital.failure
    assert not hospital.current
    if clear is with_clear_body:
        return  # a view opens nothing of it, and is given it by no publisher
    feed = ReadOnce([Delivered(0, 1, "t", view_event(1, event.envelope, event.body))])
    with pytest.raises(ClearStream, match="Position 1"):
        await OpenedFeed(feed, process.bodies.opener).poll(1.0, 100)


async def test_a_ledger_of_a_release_before_is_looked_through(
    process: Process, other: Process, database: Database
) -> None:
    """It has no constraint that speaks for its rows until it is migrated, and is served meanwhile."""
    await record_under_care(process.ledger)
    _as_of_a_release_before(database)
    assert await other.ledger.head(HOSPITAL) == 6
    _, hospital = await migrate(database.url)
    assert hospital.current
    with psycopg.connect(database.url) as connection:
        connection.execute("ALTER TABLE h_north.events DISABLE TRIGGER ALL")
    with psycopg.connect(database.url) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(r"UPDATE h_north.events SET envelope = '\x4a20'::bytea || sha256(body)")


@pytest.mark.parametrize("clear", [in_the_clear, with_clear_body])
async def test_a_clear_body_behind_sealed_ones_is_published_to_nobody(
    process: Process, settings: Settings, database: Database, clear: Unsealed
) -> None:
    """However it came in past the append, which refuses it: the publisher names its position, wherever it stands."""
    await record_under_care(process.ledger)
    await _force_in(settings, database, clear(Stream().next_event(b"in the clear")))
    rows = await process.ledger.read_positions(HOSPITAL, 0, 100)
    routing = Routing(process.bodies.opener)
    assert await routing.recipients(rows[:-1]) == {}
    with pytest.raises(PublishedClear, match=f"Position {rows[-1].position}"):
        await routing.recipients(rows)


async def _force_in(settings: Settings, database: Database, event: NewEvent) -> None:
    """Appends past the checks that every append goes through, into a ledger as an earlier release left it."""
    _as_of_a_release_before(database)
    pool = writer_pool(settings.postgres_append_url)
    async with pool.borrow() as connection:
        assert isinstance((await flush(connection, HOSPITAL, [command(event)]))[0], Appended)
    await pool.close()


async def test_a_view_waits_where_keys_cannot_be_asked_for(process: Process) -> None:
    """The feed says that the stream is unavailable: the session ends and is begun again where the view stands."""
    await record_under_care(process.ledger)
    with pytest.raises(StreamUnavailable, match="UNAVAILABLE"):
        await OpenedFeed(ReadOnce(await delivered(process)), NoKeys()).poll(1.0, 100)


async def test_a_body_of_another_service_does_not_open(process: Process) -> None:
    """Sealed under a key that this service does not have: a fault of that body alone."""
    record_id = await record_under_care(process.ledger)
    row = (await process.ledger.read_stream(HOSPITAL, record_id, 0, 1))[0]
    place = replace(decode(row.envelope), key_id=b"", commitment=b"", body_sha256=b"")
    (foreign,) = await FIXED_KEY.seal([Draft(place, b"text")])
    found = await process.bodies.opener.open([(foreign.envelope, foreign.body), (row.envelope, row.body)])
    assert found[0] == SealFault(SealFaultKind.KEY_ID)
    assert isinstance(found[1], Opened)


async def _consultation(ledger: Ledger, record_id: str) -> UUID:
    """A consultation, answered: two events of one command, the second of which follows the first."""
    asked = records.RequestConsultationRequest(
        context=requests.context(),
        record_id=record_id,
        to_department="NEU",
        urgency=common_pb2.URGENCY_ROUTINE,
        question="Seizure?",
    )
    consultation_id = (await execute(ledger, asked)).result["consultation_id"]
    note = requests.record_entry(record_id)
    note.content.template = "consultation"
    note.content.sections[0].code = "opinion"
    note.attestation.signer.CopyFrom(requests.CONSULTANT)
    answered = records.AnswerConsultationRequest(
        context=requests.by(requests.CONSULTANT),
        record_id=record_id,
        consultation_id=str(consultation_id),
        opinion="No.",
        content=note.content,
        attestation=note.attestation,
    )
    outcome = await execute(ledger, answered)
    assert outcome.events == 2
    return outcome.record_id


def _as_of_a_release_before(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        for name in ("events_bodies_are_sealed", "events_bodies_have_the_sealed_form"):
            connection.execute(SQL("ALTER TABLE h_north.events DROP CONSTRAINT {}").format(Identifier(name)))
        connection.execute("UPDATE h_north.schema_version SET version = 4")
        connection.execute("UPDATE ledger_control.hospitals SET schema_version = 4")
