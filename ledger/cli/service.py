"""A whole service on one machine: its own servers, its roles as processes, restarted when they die."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc.aio

from ledger.api.v1.stream_pb2 import AddHospitalRequest, Hospital
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.cli.errors_shown import describe
from ledger.cli.readiness import until_everything_answers
from ledger.cli.role_process import RoleProcess
from ledger.cli.served_hospitals import all_hospitals
from ledger.cli.service_database import make_database
from ledger.cli.service_folder import DATABASE, Listen, ServiceFolder
from ledger.cli.service_secrets import settings_of_role
from ledger.cli.supervision import Part, keep_running, say, start_server
from ledger.embedded.errors import EmbeddedError
from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.embedded.server_folder import ServerFolder, make_folder
from ledger.store.migrate import migrate
from ledger.stream.topics import records_topic, transfers_topic

HOSPITALS = ("north", "south")
"""The hospitals of a new service where none are named."""
PARTITIONS = 6
"""Partitions of a new hospital's topic where nothing else is said."""
ROLES = {
    "serve": ("serve",),
    "publish": ("publish",),
    "integrate": ("integrate", "--make-keys", "--maps-every", "3600"),
    "project": ("project", "run"),
    "consume": ("consume", "transfers", "--own-logs"),
    "deadlines": ("consume", "deadlines"),
}
"""Roles in the order in which they start; they stop in the opposite one."""

STOP_SECONDS = 10.0
_ANYWHERE = Listen()


class Service:
    """Starts everything on entry and stops it on exit; a server that died comes back on the same data.

    Nobody else may use the folder meanwhile. Raises FolderInUse, StreamDiffers, PortTaken, EmbeddedError.
    """

    def __init__(
        self,
        folder: Path,
        stream: str,
        partitions: int | None = None,
        listen: Listen = _ANYWHERE,
        clock_of: str | None = None,
    ) -> None:
        """`partitions` None: what a hospital has; for a new one PARTITIONS. `clock_of` None: of every hospital."""
        self._lock = ServerFolder(make_folder(folder))
        self._lock.acquire()
        self._folder = ServiceFolder.open(folder, stream, listen)
        self._partitions = partitions
        self._postgres = EmbeddedPostgres(folder / "postgres")
        self._kafka = EmbeddedKafka(folder / "kafka") if stream == "kafka" else None
        self._clock_of = clock_of
        self._roles: list[RoleProcess] = []

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whole, also where whoever waits for it is cancelled meanwhile.
        stopping = asyncio.ensure_future(self._stop())
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            await stopping
            raise

    async def _start(self) -> None:
        await self._start_servers()
        self._folder.keep()
        await asyncio.to_thread(make_database, self._postgres)
        states = await migrate(self._postgres.url(DATABASE), passwords=self._folder.passwords)
        failed = [state for state in states if state.failure]
        if failed:
            raise MigrationFailed([f"{state.hospital or 'control'}: {state.failure}" for state in failed])
        settings = self.settings_environment
        of_clock = () if self._clock_of is None else ("--hospital", self._clock_of)
        commands = ROLES | {"deadlines": (*ROLES["deadlines"], *of_clock)}
        self._roles = [self._role(name, commands[name], settings) for name in ROLES]
        for role in self._roles:
            role.start()
        for role in self._roles:
            await role.wait_until_ready()

    def _role(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> RoleProcess:
        own = settings_of_role(self._folder.path, command[0], settings)
        return RoleProcess(name, command, self._folder.path, {**os.environ, "PYTHONUNBUFFERED": "1", **own})

    async def _start_servers(self) -> None:
        servers = [server for server in (self._postgres, self._kafka) if server is not None]
        # All of them, also where one fails: none may come up while the others are being stopped.
        results = await asyncio.gather(*map(start_server, servers), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _stop(self) -> None:
        for role in reversed(self._roles):
            await role.stop(STOP_SECONDS)
        if self._kafka is not None:
            await asyncio.to_thread(self._kafka.stop)
        await asyncio.to_thread(self._postgres.stop)
        self._lock.release()

    @property
    def superuser_url(self) -> str:
        """libpq URL of the database's superuser; for checks that only an operator may make."""
        return self._postgres.url(DATABASE)

    @property
    def settings_environment(self) -> dict[str, str]:
        """The settings of the roles, as environment variables; holds passwords."""
        settings = self._folder.settings(self._postgres.port, self._kafka.bootstrap if self._kafka else "")
        return {**settings, "LEDGER_PARTITIONS": str(self._partitions or PARTITIONS)}

    @property
    def grpc(self) -> str:
        """Address of the gRPC edge."""
        return self._folder.grpc

    async def add_hospitals(self, hospitals: Sequence[str]) -> None:
        """Adds hospitals through the public API; none named: north and south, to a service that has none yet.

        Those that are there stay as they are. Raises HospitalRefused.
        """
        async with grpc.aio.insecure_channel(self.grpc) as channel:
            known = {each.id: each.partitions for each in await all_hospitals(channel)}
            stub = HospitalServiceStub(channel)
            for hospital in hospitals or (() if known else HOSPITALS):
                partitions = self._partitions or known.get(hospital, PARTITIONS)
                # No address: this service's, whatever its port is at the next start.
                request = AddHospitalRequest(hospital_id=hospital, partitions=partitions)
                try:
                    await stub.AddHospital(request)
                except grpc.RpcError as error:
                    raise HospitalRefused(hospital, describe(error)) from error

    async def until_it_answers(self) -> None:
        """Waits until every view and every topic of every hospital is there. Raises NotAnswering."""
        async with grpc.aio.insecure_channel(self.grpc) as channel:
            await until_everything_answers(channel, self._kafka.bootstrap if self._kafka else None)

    async def facts(self) -> dict[str, Any]:
        """What a program must know to use the service; `pids` is for those who test what a kill does."""
        async with grpc.aio.insecure_channel(self.grpc) as channel:
            hospitals = await all_hospitals(channel)
        return {
            "grpc": self.grpc,
            "http": f"http://{self._folder.http}",
            "kafka": self._kafka.bootstrap if self._kafka else None,
            "postgres": f"127.0.0.1:{self._postgres.port}/{DATABASE}",
            "hospitals": [_hospital_facts(each, self._folder.stream) for each in hospitals],
            "pids": self.pids,
        }

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every role and server that runs now."""
        found = {role.role: role.pid for role in self._roles} | {"up": os.getpid()}
        if self._postgres.alive:
            found["postgres"] = self._postgres.pid
        if self._kafka is not None and self._kafka.alive:
            found["kafka"] = self._kafka.pid
        return found

    async def watch(self, restarted: Callable[[], None] = lambda: None) -> None:
        """Starts again whatever dies, until it is cancelled. Raises RoleFailed, EmbeddedError where that is no use."""
        parts = [
            Part(f"role {role.role}", lambda role=role: role.alive, lambda role=role: _restart(role))
            for role in self._roles
        ]
        parts.append(Part("PostgreSQL", lambda: self._postgres.alive, lambda: start_server(self._postgres)))
        if (kafka := self._kafka) is not None:
            parts.append(Part("Kafka", lambda: kafka.alive, lambda: _try_to_start(kafka)))
        await keep_running(parts, restarted)


async def _restart(role: RoleProcess) -> None:
    role.restart_if_dead()


async def _try_to_start(kafka: EmbeddedKafka) -> None:
    try:
        await start_server(kafka)
    except EmbeddedError as error:
        # Commands need no broker: the ledger goes on, and the broker is tried again at the next look.
        say(f"it did not come back yet: {error}")


class MigrationFailed(Exception):
    """A schema could not be brought to this release's version."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__("; ".join(failures))


class HospitalRefused(Exception):
    """The service does not add a hospital so."""

    def __init__(self, hospital: str, why: str) -> None:
        super().__init__(f"hospital {hospital}: {why}")
        self.hospital = hospital


def _hospital_facts(hospital: Hospital, stream: str) -> dict[str, object]:
    topics = {"records": records_topic(hospital.id), "transfers": transfers_topic(hospital.id)}
    return {"id": hospital.id, "origin": hospital.origin, "stream": stream, "topics": topics}
