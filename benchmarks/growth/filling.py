"""Fills a hospital with lives: bodies sealed by the service's own sealer, events appended by the store's group commit.

Left out of the way that a command takes are the edge, the decision and its claims. Every stored byte is of the form
that the service writes: what was filled is loaded, shown, verified and written on like what was sent.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from uuid import UUID

from benchmarks import requests
from benchmarks.growth.lives import Copied, Life, OpenedEvent, copied
from benchmarks.hospital import open_records
from ledger.api.v1.events_pb2 import PatientRegistered, RecordRegistered
from ledger.application.ledger import Ledger
from ledger.cli.bodies import Bodies
from ledger.store.append import Append, Appended, NewEvent
from ledger.store.committer import GroupCommitter
from ledger.store.connections import WRITER_OPTIONS, ConnectionPool
from ledger.trust.sealing import Draft, Opened, Sealed

DEPARTMENT = "D00000"
DEPARTMENT_RECORDS = 25
"""Records of each department, however many there are: a board's length is not what grows."""
KINDS = ("patient", "record")
_LIVES_AT_ONCE = 50
_FILLERS = 2
_RPC = "ledger.bench.Copied"


class NotFilled(Exception):
    """A life could not be read or appended: what is measured afterwards would be of another ledger."""


async def lived(ledger: Ledger, bodies: Bodies, hospital: str, address: str, entries: int) -> Life:
    """One life through the public contract: a patient, a record under care and its entries."""
    record = UUID((await open_records(address, hospital, 1, DEPARTMENT))[0])
    for _ in range(entries):
        await ledger.execute("ledger.api.v1.RecordService/RecordEntry", requests.entry(hospital, str(record)))
    events = await _opened(bodies, hospital, record)
    registered = RecordRegistered.FromString(events[0].plaintext)
    patient = await _opened(bodies, hospital, UUID(registered.patient_id))
    person = PatientRegistered.FromString(patient[0].plaintext).meta.actor.id
    return Life((patient, events), registered.case_number, DEPARTMENT, frozenset({person}))


async def _opened(bodies: Bodies, hospital: str, stream_id: UUID) -> tuple[OpenedEvent, ...]:
    rows = await bodies.events.read_stream(hospital, stream_id)
    openings = await bodies.opener.open([(row.envelope, row.body) for row in rows])
    pairs = zip(rows, openings, strict=True)
    opened = [OpenedEvent(row.envelope, each.plaintext) for row, each in pairs if isinstance(each, Opened)]
    if not opened or len(opened) != len(rows):
        raise NotFilled(stream_id)
    return tuple(opened)


async def fill(bodies: Bodies, url: str, hospital: str, origin: str, life: Life, events: int) -> list[UUID]:
    """So many events more, in whole lives; the records' ids. Raises NotFilled."""
    pool = ConnectionPool(url, options=WRITER_OPTIONS)
    committer, records = GroupCommitter(hospital, pool), list[UUID]()
    batches = _batches(range(-(-events // life.events)))

    async def filler() -> None:
        for numbers in batches:
            streams = await asyncio.to_thread(_copies, life, origin, numbers)
            await _append(committer, bodies, streams)
            records.extend(each.stream_id for each in streams if each.kind == KINDS[1])

    try:
        await asyncio.gather(*(filler() for _ in range(_FILLERS)))
    finally:
        await pool.close()
    return records


def _batches(numbers: range) -> Iterator[range]:
    for first in range(0, len(numbers), _LIVES_AT_ONCE):
        yield numbers[first : first + _LIVES_AT_ONCE]


def _copies(life: Life, origin: str, numbers: Iterable[int]) -> list[Copied]:
    now = time.time_ns() // 1000
    return [
        stream
        for number in numbers
        for stream in copied(life, origin, f"D{number // DEPARTMENT_RECORDS + 1:05d}", now, KINDS)
    ]


async def _append(committer: GroupCommitter, bodies: Bodies, streams: Sequence[Copied]) -> None:
    drafts: list[Draft] = [draft for each in streams for draft in each.drafts]
    sealed = iter(await bodies.sealer.seal(drafts))
    appends = [_command(each, [next(sealed) for _ in each.drafts]) for each in streams]
    for verdict in await asyncio.gather(*map(committer.append, appends)):
        if not isinstance(verdict, Appended):
            raise NotFilled(verdict)


def _command(stream: Copied, sealed: Sequence[Sealed]) -> Append:
    command = UUID(bytes=os.urandom(16), version=4)
    events = tuple(
        NewEvent(
            stream.stream_id,
            stream.kind,
            draft.envelope.stream_version,
            draft.envelope.type,
            draft.envelope.recorded_at,
            each.envelope,
            each.body,
            each.leaf,
        )
        for draft, each in zip(stream.drafts, sealed, strict=True)
    )
    content = sha256(command.bytes).digest()
    return Append(command, content, _RPC, stream.stream_id, events, result_version=len(events), any_clock=True)
