"""Driver: UmaDB through its own client for Python, blocking, a thread and a client for each caller."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from benchmarks.peers.driver import Counted, Task, drive, in_threads
from benchmarks.peers.job import EVENT_BYTES, EVENT_TYPE, RECORD_EVENTS, Probe, event_text, record_id

_DATA = event_text(EVENT_BYTES).encode()


class _Client(Protocol):
    """What is used of `umadb.Client`."""

    def append(self, events: Sequence[object], condition: object = None) -> int:
        """The position of the last event."""
        ...

    def read(self, query: object = None, limit: int | None = None) -> Iterable[object]:
        """Events in order."""
        ...


# Fetched at run time, never installed with the project: its types are not there when ours are checked.
_umadb = cast("Any", import_module("umadb"))


class _Driver:
    def __init__(self, task: Task) -> None:
        self._clients = [cast("_Client", _umadb.Client(task.url)) for _ in range(task.clients)]
        self._records = task.events // RECORD_EVENTS

    def fill(self) -> None:
        """A record in each call."""
        for number in range(self._records):
            self._clients[0].append([_event(record_id(number)) for _ in range(RECORD_EVENTS)])

    def append(self, clients: int, seconds: float) -> Counted:
        """One event with a record's tag, on condition that no event has it."""
        return in_threads(self._appended, clients, seconds)

    def _appended(self, client: int) -> None:
        record = uuid.uuid4()
        self._clients[client].append([_event(record)], _none_before(record))

    def few(self, clients: int, seconds: float) -> Counted:
        """The events with a record's tag."""
        return in_threads(self._read, clients, seconds)

    def _read(self, client: int) -> None:
        query = _of(record_id(secrets.randbelow(self._records)))
        found = sum(1 for _ in self._clients[client].read(query))
        if found != RECORD_EVENTS:
            raise RuntimeError(f"{found} events of a record")

    def replay(self) -> Counted:
        """Everything, decoded into the client's objects."""
        began, cpu = time.perf_counter(), time.process_time()
        events = sum(1 for _ in self._clients[0].read())
        return Counted(events, time.perf_counter() - began, time.process_time() - cpu)

    def probe(self) -> Probe:
        """A second event under the same condition must meet an IntegrityError."""
        record, client = uuid.uuid4(), self._clients[0]
        first = client.append([_event(record)], _none_before(record))
        try:
            client.append([_event(record)], _none_before(record))
            refused = False
        except _umadb.IntegrityError:
            refused = True
        return Probe(refused, client.append([_event(record)]) - first - 1)


def _event(record: uuid.UUID) -> object:
    return _umadb.Event(EVENT_TYPE, _DATA, tags=[str(record)], uuid=uuid.uuid4())


def _of(record: uuid.UUID) -> object:
    return _umadb.Query([_umadb.QueryItem(tags=[str(record)])])


def _none_before(record: uuid.UUID) -> object:
    return _umadb.AppendCondition(_of(record))


if __name__ == "__main__":
    drive(_Driver)
