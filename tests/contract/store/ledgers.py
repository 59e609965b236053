"""Sealed events and whole ledgers for the tests of the store."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from time import time_ns
from uuid import UUID, uuid4

from ledger.store.append import Append, NewEvent, Reservation
from ledger.store.committer import GroupCommitter
from ledger.store.connections import ConnectionPool, reader_pool, writer_pool
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate
from ledger.store.reading import EventReader
from ledger.store.roles import LOGIN_ROLES
from ledger.trust.envelope import FORMAT, Envelope, decode, encode
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealed_body import SEALED_BYTES_MIN
from tests.services.postgres import Database

ORIGIN_PREFIX = "ledger.test"
PASSWORDS = {role: f"{role}-secret" for role in LOGIN_ROLES}


@dataclass(frozen=True)
class Ledger:
    """A hospital's ledger in a database of this test alone."""

    database: Database
    hospital: str
    writers: ConnectionPool
    readers: ConnectionPool
    reader: EventReader
    committer: GroupCommitter

    def url(self, role: str) -> str:
        return self.database.url_for(role, PASSWORDS[role])


@asynccontextmanager
async def opened_ledger(database: Database, hospital: str = "north") -> AsyncGenerator[Ledger, None]:
    """A migrated ledger, its pools closed afterwards."""
    if not database.migrated:
        await migrate(database.url, passwords=PASSWORDS)
    await add_hospital(
        database.url_for("ledger_migrate", PASSWORDS["ledger_migrate"]), hospital, origin_prefix=ORIGIN_PREFIX
    )
    writers = writer_pool(database.url_for("ledger_append", PASSWORDS["ledger_append"]))
    readers = reader_pool(database.url_for("ledger_stream", PASSWORDS["ledger_stream"]))
    try:
        yield Ledger(database, hospital, writers, readers, EventReader(writers), GroupCommitter(hospital, writers))
    finally:
        await writers.close()
        await readers.close()


def now_us() -> int:
    """Now, Unix microseconds."""
    return time_ns() // 1000


@dataclass
class Stream:
    """Seals events for one stream, version after version."""

    stream_id: UUID = field(default_factory=uuid4)
    kind: str = "record"
    version: int = 0
    leaf: bytes = b""

    def next_event(self, body: bytes = b"body", *, recorded_at: int | None = None) -> NewEvent:
        """The next event; the stream moves on. Its body has the sealed form and opens under no key."""
        body = b"\x01" + body.ljust(SEALED_BYTES_MIN - 1, b"\0")
        self.version += 1
        at = now_us() if recorded_at is None else recorded_at
        envelope = encode(
            Envelope(
                format=FORMAT,
                origin=f"{ORIGIN_PREFIX}/north/1",
                stream_id=self.stream_id.bytes,
                stream_version=self.version,
                type="ledger.v1.EntryRecorded",
                recorded_at=at,
                actor=b"\x07" * 16,
                key_id=b"\x0a" * 16,
                body_sha256=sha256(body).digest(),
                commitment=b"\x0c" * 32,
                prev_leaf=self.leaf,
            )
        )
        self.leaf = leaf_hash(envelope)
        return NewEvent(
            self.stream_id, self.kind, self.version, "ledger.v1.EntryRecorded", at, envelope, body, self.leaf
        )

    def copy(self) -> "Stream":
        """The stream where it stands, to go another way."""
        return replace(self)


def command(*events: NewEvent, reservations: tuple[Reservation, ...] = (), command_id: UUID | None = None) -> Append:
    """A command with these events, under a fresh id."""
    stream_id = events[0].stream_id if events else uuid4()
    return Append(
        command_id=command_id or uuid4(),
        content=sha256(repr([event.leaf_hash for event in events]).encode()).digest(),
        rpc="RecordService.RecordEntry",
        stream_id=stream_id,
        events=events,
        reservations=reservations,
        result=b"result",
        result_version=events[-1].version if events else 0,
    )


def in_the_clear(event: NewEvent) -> NewEvent:
    """The event as it would be without a seal."""
    return replace(event, envelope=encode(replace(decode(event.envelope), key_id=b"", commitment=b"")))


def with_clear_body(event: NewEvent, body: bytes = b"\x0a" + bytes(400)) -> NewEvent:
    """The event with a body that is not sealed, under an envelope that says it is."""
    envelope = encode(replace(decode(event.envelope), body_sha256=sha256(body).digest()))
    return replace(event, envelope=envelope, body=body, leaf_hash=leaf_hash(envelope))
