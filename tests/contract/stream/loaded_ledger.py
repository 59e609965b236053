"""A hospital's ledger filled by hand, and the proof that all of it was published, once and in order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import time_ns
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier

from ledger.api.v1.events_pb2 import PackageAccepted, TransferOffered
from ledger.store.hospitals import add_hospital
from ledger.stream.contract import GapDetector, PublishedEvent, StreamReader
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.trust.envelope import FORMAT, Envelope
from tests.services.postgres import Database
from tests.services.sealed import stored_under_fixed_key

ORIGIN_PREFIX = "ledger.test"
Row = tuple[int, UUID, int, str, int, bytes, bytes, bytes]


@dataclass
class Record:
    """One stream of events, sealed as the ledger does."""

    stream_id: UUID = field(default_factory=uuid4)
    version: int = 0
    leaf: bytes = b""

    def next_row(self, hospital: str, position: int, event_type: str, body: bytes) -> Row:
        """The row of the next event."""
        self.version += 1
        at = time_ns() // 1000
        place = Envelope(
            format=FORMAT,
            origin=f"{ORIGIN_PREFIX}/{hospital}/1",
            stream_id=self.stream_id.bytes,
            stream_version=self.version,
            type=event_type,
            recorded_at=at,
            actor=b"\x07" * 16,
            key_id=b"",
            body_sha256=b"",
            commitment=b"",
            prev_leaf=self.leaf,
        )
        stored = stored_under_fixed_key(place, body)
        self.leaf = stored.leaf
        return position, self.stream_id, self.version, event_type, at, stored.envelope, stored.body, self.leaf


@dataclass
class LoadedLedger:
    """Appends rows as the store would, without its checks: what is under test only reads them."""

    database: Database
    hospital: str
    partitions: int
    head: int = 0
    records: list[Record] = field(default_factory=lambda: [Record() for _ in range(200)])
    _dice: random.Random = field(default_factory=lambda: random.Random(3))  # noqa: S311  # a load, not a secret

    @classmethod
    async def add(cls, database: Database, hospital: str, partitions: int) -> "LoadedLedger":
        """A new hospital."""
        migrate_url = database.role_url("ledger_migrate")
        await add_hospital(migrate_url, hospital, origin_prefix=ORIGIN_PREFIX, partitions=partitions)
        return cls(database, hospital, partitions)

    def append_foreign(self, event_type: str, body: bytes = b"body") -> int:
        """Appends an event of a type that this release does not know; gives its position."""
        return self._insert([self.records[0].next_row(self.hospital, self.head + 1, event_type, body)])

    def spoil(self, position: int) -> None:
        """Makes an envelope unreadable where it is stored."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute(self._sql("ALTER TABLE {}.events DISABLE TRIGGER ALL"))
            update = self._sql("UPDATE {}.events SET envelope = set_byte(envelope, 0, 255) WHERE position = %s")
            connection.execute(update, (position,))

    def append(self, count: int, *, body: bytes = b"body") -> int:
        """Appends events of random records; gives the head."""
        records = [self._dice.choice(self.records) for _ in range(count)]
        kind = "ledger.v1.EntryRecorded"
        return self._insert(
            [record.next_row(self.hospital, place, kind, body) for place, record in enumerate(records, self.head + 1)]
        )

    def offer(self, recipient: str, *, transfer: UUID | None = None) -> int:
        """Appends an offer to another hospital; gives its position."""
        body = TransferOffered(transfer_id=str(transfer or uuid4()), counterpart=recipient).SerializeToString()
        record = self._dice.choice(self.records)
        return self._insert([record.next_row(self.hospital, self.head + 1, "ledger.v1.TransferOffered", body)])

    def answer(self, sender: str) -> int:
        """Appends the answer that a package from another hospital is accepted; gives its position."""
        body = PackageAccepted(transfer_id=str(uuid4()), counterpart=sender).SerializeToString()
        record = self._dice.choice(self.records)
        return self._insert([record.next_row(self.hospital, self.head + 1, "ledger.v1.PackageAccepted", body)])

    def trace(self, position: int, traceparent: str) -> None:
        """Puts a trace beside an event, as the append does."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(self._sql("ALTER TABLE {}.events DISABLE TRIGGER ALL"))
            update = self._sql("UPDATE {}.events SET traceparent = %s WHERE position = %s")
            connection.execute(update, (traceparent, position))

    def _insert(self, rows: Sequence[Row]) -> int:
        columns = SQL("position, stream_id, version, type, recorded_at, envelope, body, leaf_hash")
        with psycopg.connect(self.database.url) as connection:
            with connection.cursor().copy(self._sql("COPY {}.events ({}) FROM STDIN", columns)) as copy:
                for row in rows:
                    copy.write_row(row)
            self.head = rows[-1][0]
            leaf = rows[-1][-1]
            connection.execute(self._sql("UPDATE {}.head SET position = %s, leaf_hash = %s"), (self.head, leaf))
            connection.execute("SELECT pg_notify('ledger_head', %s)", (f"{self.hospital} {self.head}",))
        return self.head

    def cut(self, head: int) -> None:
        """Takes away what lies above a position, as a backup does that is put back."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute("SET session_replication_role = replica")
            for table in ("events", "head"):
                connection.execute(self._sql("ALTER TABLE {}.{} DISABLE TRIGGER ALL", Identifier(table)))
            connection.execute(self._sql("DELETE FROM {}.events WHERE position > %s"), (head,))
            connection.execute(self._sql("UPDATE {}.head SET position = %s, leaf_hash = ''"), (head,))
            last = "UPDATE {0}.head SET leaf_hash = e.leaf_hash FROM {0}.events AS e WHERE e.position = head.position"
            connection.execute(self._sql(last))
        self.head = head

    def forget_heads_above(self, head: int) -> None:
        """Makes the heads of the streams those of a ledger that ends at a position, as the append keeps them."""
        query = SQL("""
            INSERT INTO {}.stream_heads
                (stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at)
            SELECT DISTINCT ON (stream_id) stream_id, 'record', version, leaf_hash, min(position) OVER w, position,
                recorded_at
            FROM {}.events WHERE position <= %s
            WINDOW w AS (PARTITION BY stream_id) ORDER BY stream_id, version DESC
        """)
        with psycopg.connect(self.database.url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(self._sql("DELETE FROM {}.stream_heads"))
            schema = Identifier(f"h_{self.hospital}")
            connection.execute(query.format(schema, schema), (head,))

    def lose_below(self, position: int) -> None:
        """Takes the oldest events away, up to a position."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(self._sql("ALTER TABLE {}.events DISABLE TRIGGER ALL"))
            connection.execute(self._sql("DELETE FROM {}.events WHERE position <= %s"), (position,))

    def put_back(self, rows: Sequence[Row]) -> None:
        """Inserts rows as they were."""
        self._insert(rows)

    def rows_above(self, position: int) -> list[Row]:
        """What lies above a position, to be put back later."""
        columns = SQL("position, stream_id, version, type, recorded_at, envelope, body, leaf_hash")
        query = SQL("SELECT {} FROM {}.events WHERE position > %s ORDER BY position").format(
            columns, Identifier(f"h_{self.hospital}")
        )
        with psycopg.connect(self.database.url) as connection:
            return connection.execute(query, (position,)).fetchall()

    def end_leases(self) -> None:
        """Ends the terms of killed holders now, not after 5 s."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute("UPDATE ledger_control.leases SET expires_at = '-infinity'")

    def progress(self) -> int:
        """How far the publisher has noted."""
        with psycopg.connect(self.database.url) as connection:
            found = connection.execute(
                "SELECT position FROM ledger_control.transfer_progress WHERE hospital = %s", (self.hospital,)
            ).fetchone()
        return found[0] if found else 0

    def stored(self) -> dict[int, tuple[bytes, bytes]]:
        """Envelope and body of every position."""
        with psycopg.connect(self.database.url) as connection:
            rows = connection.execute(self._sql("SELECT position, envelope, body FROM {}.events")).fetchall()
        return {position: (envelope, body) for position, envelope, body in rows}

    def _sql(self, text: LiteralString, *parts: Composable) -> Composed:
        return SQL(text).format(Identifier(f"h_{self.hospital}"), *parts)


def read_to_end(reader: StreamReader, *, seconds_max: float = 45.0) -> list[PublishedEvent]:
    """Everything on a topic, from its start to where it ended when this began; a missing event raises GapFound."""
    events: list[PublishedEvent] = []
    ends = {partition: reader.end(partition) for partition in range(reader.partitions())}
    for partition in ends:
        reader.seek(partition, 0)
    deadline = time_ns() + int(seconds_max * 1e9)
    while not _is_read(reader, ends, events):
        found = reader.poll(0.3, 2000)
        events += found
        if not found:
            # A topic that was made anew meanwhile ends earlier than the one of before.
            ends = {partition: min(end, reader.end(partition)) for partition, end in ends.items()}
        if time_ns() > deadline:
            raise TimeoutError(f"{len(events)} events read within {seconds_max} s, not yet up to {ends}")
    return events


def _is_read(reader: StreamReader, ends: dict[int, int], events: Sequence[PublishedEvent]) -> bool:
    if isinstance(reader, KafkaStreamReader):  # its last offsets are markers, which no event's token leads behind
        return all(reader.position(partition) >= end for partition, end in ends.items())
    return max([each.next_offset for each in events], default=0) >= ends[0]


def assert_exactly_once(ledger: LoadedLedger, events: Sequence[PublishedEvent]) -> None:
    """Every stored event is there once, bytes unchanged, in order in its partition and in its record, without a gap."""
    stored = ledger.stored()
    assert sorted(event.position for event in events) == list(range(1, len(stored) + 1))
    detector = GapDetector(dict.fromkeys(range(ledger.partitions), 0))
    versions: dict[UUID, int] = {}
    for event in events:
        assert detector.is_new(event)
        assert stored[event.position] == (event.envelope, event.body)
        assert event.version == versions.get(event.stream_id, 0) + 1
        versions[event.stream_id] = event.version
