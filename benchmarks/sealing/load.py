"""The load: entries of an ordinary length on records that exist, and records that begin."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from google.protobuf.message import Message

from benchmarks import requests
from ledger.application.ledger import Ledger

ENTRIES_OF_A_RECORD = 200
"""About so many entries, as a hospital's long stays have, then the callers go on with new records."""


@dataclass(frozen=True)
class Rate:
    """What one turn came to."""

    per_second: float
    cpu_us: float
    """CPU of this process per command, microseconds."""


class Caller:
    """One hospital's clients: as many records as callers, each command waits for its receipt."""

    def __init__(self, ledger: Ledger, hospital: str) -> None:
        self._ledger = ledger
        self._hospital = hospital
        self._records: list[str] = []
        self._entries = 0

    async def entries(self, in_flight: int, seconds: float) -> Rate:
        """Entries on records that are there; those that are long by now give way before the time is taken."""
        if self._entries > ENTRIES_OF_A_RECORD * len(self._records):
            self._records.clear()
            self._entries = 0
        while len(self._records) < in_flight:
            self._records.append(await self._open_record())
        return await self._turn(lambda number: self._entry(self._records[number]), in_flight, seconds)

    async def beginnings(self, in_flight: int, seconds: float) -> Rate:
        """Patients that are registered: each command begins a record, and so needs a key."""
        return await self._turn(lambda _: self._patient(), in_flight, seconds)

    async def _turn(self, send: Callable[[int], Awaitable[object]], in_flight: int, seconds: float) -> Rate:
        done = 0
        began, cpu = time.perf_counter(), time.process_time()
        end = began + seconds

        async def caller(number: int) -> None:
            nonlocal done
            while time.perf_counter() < end:
                await send(number)
                done += 1

        await asyncio.gather(*(caller(number) for number in range(in_flight)))
        elapsed = time.perf_counter() - began
        return Rate(done / elapsed, (time.process_time() - cpu) * 1e6 / done)

    async def _open_record(self) -> str:
        patient_id = await self._patient()
        record_id = await self._do("RecordService/RegisterRecord", requests.record(self._hospital, patient_id))
        await self._do("RecordService/StartCare", requests.care(self._hospital, record_id))
        return record_id

    async def _patient(self) -> str:
        return await self._do("PatientService/RegisterPatient", requests.patient(self._hospital))

    async def _entry(self, record_id: str) -> str:
        self._entries += 1
        return await self._do("RecordService/RecordEntry", requests.entry(self._hospital, record_id))

    async def _do(self, rpc: str, request: Message) -> str:
        return str((await self._ledger.execute(f"ledger.api.v1.{rpc}", request)).record_id)
