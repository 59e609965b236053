"""The job that every system does, and how a system is asked to do it."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from benchmarks.pairs import Measured

EVENT_BYTES = 600
RECORD_EVENTS = 20
"""Events of each record that is read, and of one read."""
EVENTS = int(os.environ.get("LEDGER_BENCH_EVENTS", "200000"))
RECORDS = EVENTS // RECORD_EVENTS
IN_FLIGHT = (1, 16, 64)
READERS = 16
SECONDS = float(os.environ.get("LEDGER_TEST_SECONDS", "2"))
"""Of one turn."""
EVENT_TYPE = "EntryRecorded"


def record_id(number: int) -> uuid.UUID:
    """Of a record that is filled and read; the same in every system."""
    return uuid.UUID(bytes=sha256(b"record %d" % number).digest()[:16], version=4)


def event_text(size: int = EVENT_BYTES) -> str:
    """ASCII of the event's size that no compression makes much smaller."""
    return "".join(sha256(b"%d" % at).hexdigest() for at in range(-(-size // 64)))[:size]


@dataclass(frozen=True)
class Probe:
    """What a system does with a second event at a version that is taken, tried and not read in its documentation."""

    conflict_refused: bool
    positions_skipped: int
    """Positions that no event has, between the event before the refused one and the event after it."""


class System(Protocol):
    """A store with the events in it."""

    @property
    def name(self) -> str:
        """As the table names it, with its client."""
        ...

    async def fill(self) -> None:
        """Makes its tables and the events that are read."""
        ...

    async def append(self, in_flight: int) -> Measured:
        """Durable events a second, each the first of a record of its own, refused where the record has one."""
        ...

    async def few(self) -> Measured:
        """Reads a second of the events of one record, by 16 clients."""
        ...

    async def replay(self) -> Measured:
        """Events a second, all of them in order into one client."""
        ...

    async def probe(self) -> Probe:
        """Tries a conflict."""
        ...
