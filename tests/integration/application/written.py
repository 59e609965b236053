"""Commands sent to a ledger without an edge, and events that only another release, or a fault, could have stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from time import time_ns
from typing import Any
from uuid import UUID

import psycopg
from google.protobuf.message import Message

from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.config import Settings
from ledger.store.append import Append, Appended, NewEvent
from ledger.store.committer import GroupCommitter
from ledger.store.connections import writer_pool
from ledger.trust.envelope import FORMAT, Envelope
from ledger.trust.leaf import leaf_hash
from tests.contract.edge import requests
from tests.contract.store.ledgers import command
from tests.services.sealed import sealed_body

HOSPITAL = "north"


async def execute(ledger: Ledger, request: Message) -> Outcome:
    """Does a command under the RPC's name."""
    name = type(request).__name__.removesuffix("Request")
    service = "PatientService" if "Patient" in name else "RecordService"
    return await ledger.execute(f"ledger.api.v1.{service}/{name}", request)


async def registered_patient(ledger: Ledger) -> str:
    """A patient's stream."""
    return str((await execute(ledger, requests.register_patient())).record_id)


async def record_under_care(ledger: Ledger) -> UUID:
    """A record with two events."""
    patient_id = await registered_patient(ledger)
    record = await execute(ledger, requests.register_record(patient_id))
    await execute(ledger, requests.start_care(str(record.record_id)))
    return record.record_id


@dataclass(frozen=True)
class Foreign:
    """The next event of a record, as this release would not have written it."""

    type: str = "ledger.v1.EntryRecorded"
    body: bytes = b""
    body_sha256: bytes | None = None
    format: int = FORMAT
    damaged: bool = False

    async def append(self, ledger: Ledger, settings: Settings, record_id: UUID) -> None:
        """Puts it behind the record's last event, past everything that decides."""
        view = await ledger.record(HOSPITAL, record_id)
        place = Envelope(
            format=FORMAT,
            origin=f"{settings.origin_prefix}/{HOSPITAL}/1",
            stream_id=record_id.bytes,
            stream_version=view.version + 1,
            type=self.type,
            recorded_at=time_ns() // 1000,
            actor=b"\x07" * 16,
            key_id=b"",
            body_sha256=b"",
            commitment=b"",
            prev_leaf=view.head_leaf,
        )
        around, body = sealed_body(place, self.body)
        envelope = around.with_digest(self.body_sha256 or sha256(body).digest())
        if self.damaged:
            envelope = envelope[:2] + envelope
        stored = b"\x08" + bytes([self.format]) + envelope[2:]
        event = NewEvent(
            record_id, "record", view.version + 1, self.type, time_ns() // 1000, stored, body, leaf_hash(stored)
        )
        await _append(settings, replace(command(event), result_version=event.version))


async def _append(settings: Settings, append: Append) -> None:
    writers = writer_pool(settings.postgres_append_url)
    try:
        assert isinstance(await GroupCommitter(HOSPITAL, writers).append(append), Appended)
    finally:
        await writers.close()


async def superuser(url: str, statement: str, *values: Any) -> None:
    """A change that no role of the product may make."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement, values)  # pyright: ignore[reportArgumentType]  # text of the test
