"""Joins the deadline clock to the stream, the service and the clock of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import grpc.aio

from consumers.deadline_clock.clock_commands import ClockCommands
from consumers.deadline_clock.clock_tables import ClockTables
from consumers.deadline_clock.deadline_clock import DeadlineClock
from consumers.deadline_clock.missed_deadlines import MissedDeadlines
from consumers.deadline_clock.open_offers import OpenOffers
from consumers.deadline_clock.records_stream import Place, RecordsStream
from consumers.deadline_clock.retention_terms import RetentionTerms
from consumers.every_hospital import EveryHospital
from consumers.patience import Patience
from consumers.program_actor import program_actor
from consumers.reader_report import ReaderReport
from consumers.registry import Registry
from ledger.api.v1.course_pb2_grpc import CourseServiceStub
from ledger.api.v1.keeping_pb2_grpc import KeepingServiceStub
from ledger.api.v1.records_pb2_grpc import PatientServiceStub
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub, OperationsServiceStub
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.cli.feeds import open_records
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.lease import Leases
from projections.connections import Pool

PROGRAM = "deadline-clock"


class DeadlineClocks:
    """Builds the clock of any hospital of one service."""

    def __init__(
        self, settings: Settings, channel: grpc.aio.Channel, pool: Pool, leases: Leases, patience: Patience
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._leases = leases
        self._patience = patience
        self._clock = clock_of(settings.clock_file)
        self._registry = Registry(HospitalServiceStub(channel), settings.grpc_listen, patience)
        self._patients = PatientServiceStub(channel)
        self._course = CourseServiceStub(channel)
        self._keeping = KeepingServiceStub(channel)
        self._transfers = TransferServiceStub(channel)
        self._operations = OperationsServiceStub(channel)

    async def run(self, only: str | None, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Runs the clocks of every hospital, or of one, until `stop`."""

        async def follow(hospital: str, stop: asyncio.Event, others_wait: Callable[[], bool]) -> None:
            await (await self.of(hospital)).run(stop, others_wait)

        await EveryHospital(self._registry, follow, only=only).run(stop, ready)

    async def of(self, hospital: str) -> DeadlineClock:
        """The clock of a hospital."""
        actor = await program_actor(self._patients, hospital, PROGRAM, self._patience)
        commands = ClockCommands(hospital, actor, self._patience)
        return DeadlineClock(
            hospital,
            self._open,
            ClockTables(hospital, self._pool.connection),
            self._leases,
            MissedDeadlines(self._course, commands, self._clock),
            RetentionTerms(self._keeping, commands, self._clock),
            OpenOffers(self._course, self._transfers, commands, self._clock),
            self._clock,
            ReaderReport(self._operations, hospital, PROGRAM, self._patience).say,
        )

    async def _open(self, hospital: str, places: Mapping[int, Place]) -> RecordsStream:
        reader = await asyncio.to_thread(open_records, self._settings, hospital)
        return await RecordsStream.open(reader, places)
