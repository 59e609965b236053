"""Driver: the PostgreSQL recorder of `eventsourcing` as it comes; a thread and a connection for each caller."""

from __future__ import annotations

import secrets
import time
import uuid
from urllib.parse import urlsplit

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.peers.driver import Counted, Task, drive, in_threads
from benchmarks.peers.job import EVENT_BYTES, EVENT_TYPE, RECORD_EVENTS, Probe, event_text, record_id

_STATE = event_text(EVENT_BYTES).encode()
_PAGE = 1000
_WAIT_SECONDS = 60.0
"""For a connection of the pool."""


class _Driver:
    def __init__(self, task: Task) -> None:
        parts = urlsplit(task.url)
        datastore = PostgresDatastore(
            dbname=parts.path.lstrip("/"),
            host=parts.hostname or "",
            port=parts.port or "",
            user=parts.username or "",
            password=parts.password or "",
            pool_size=task.clients,
            connect_timeout=_WAIT_SECONDS,
        )
        self._recorder = PostgresApplicationRecorder(datastore)
        self._records = task.events // RECORD_EVENTS

    def fill(self) -> None:
        """A record in each call."""
        self._recorder.create_table()
        for number in range(self._records):
            versions = range(1, RECORD_EVENTS + 1)
            self._recorder.insert_events([_event(record_id(number), version) for version in versions])

    def append(self, clients: int, seconds: float) -> Counted:
        """One event of a new record; the primary key refuses a version that is taken."""
        return in_threads(lambda _: self._recorder.insert_events([_event(uuid.uuid4(), 1)]), clients, seconds)

    def few(self, clients: int, seconds: float) -> Counted:
        """All events of a record."""
        return in_threads(self._read, clients, seconds)

    def _read(self, _: int) -> None:
        found = self._recorder.select_events(record_id(secrets.randbelow(self._records)), limit=RECORD_EVENTS)
        if len(found) != RECORD_EVENTS:
            raise RuntimeError(f"{len(found)} events of a record")

    def replay(self) -> Counted:
        """The notification log, a thousand at a time."""
        began, cpu, start, events = time.perf_counter(), time.process_time(), 1, 0
        while found := self._recorder.select_notifications(start, _PAGE):
            start, events = found[-1].id + 1, events + len(found)
        return Counted(events, time.perf_counter() - began, time.process_time() - cpu)

    def probe(self) -> Probe:
        """The second event at version 1 must meet an IntegrityError."""
        record = uuid.uuid4()
        self._recorder.insert_events([_event(record, 1)])
        before = self._recorder.max_notification_id() or 0
        try:
            self._recorder.insert_events([_event(record, 1)])
            refused = False
        except IntegrityError:
            refused = True
        self._recorder.insert_events([_event(record, 2)])
        return Probe(refused, (self._recorder.max_notification_id() or 0) - before - 1)


def _event(record: uuid.UUID, version: int) -> StoredEvent:
    return StoredEvent(record, version, EVENT_TYPE, _STATE)


if __name__ == "__main__":
    drive(_Driver)
