"""A whole service on one machine: its own servers, its roles as processes, restarted when they die."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc.aio
import psycopg
from psycopg import sql

from ledger.api.v1.stream_pb2 import AddHospitalRequest, Hospital, ListHospitalsRequest
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.cli.role_process import RoleFailed, RoleProcess
from ledger.cli.service_folder import DATABASE, ServiceFolder
from ledger.embedded.errors import EmbeddedError
from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.migrate import migrate

ROLES = {
    "serve": ("serve",),
    "publish": ("publish",),
    "project": ("project", "run"),
    "consume": ("consume", "transfers"),
}
"""Roles in the order in which they start; they stop in the opposite one."""

STOP_SECONDS = 10.0
LOOK_SECONDS = 0.2


class Service:
    """Starts everything on entry and stops it on exit; a server that died comes back on the same data."""

    def __init__(self, folder: Path, stream: str, partitions: int, roles: Sequence[str] = tuple(ROLES)) -> None:
        self._folder = ServiceFolder.open(folder, stream)
        self._partitions = partitions
        self._postgres = EmbeddedPostgres(folder / "postgres")
        self._kafka = EmbeddedKafka(folder / "kafka") if stream == "kafka" else None
        self._role_names = roles
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
        await self._stop()

    async def _start(self) -> None:
        servers = [asyncio.to_thread(self._postgres.start)]
        if self._kafka is not None:
            servers.append(asyncio.to_thread(self._kafka.start))
        await asyncio.gather(*servers)
        self._folder.keep()
        await asyncio.to_thread(self._make_database)
        states = await migrate(self._postgres.url(DATABASE), passwords=self._folder.passwords)
        failed = [state for state in states if state.failure]
        if failed:
            raise MigrationFailed([f"{state.hospital or 'control'}: {state.failure}" for state in failed])
        environment = self._environment()
        self._roles = [RoleProcess(name, ROLES[name], self._folder.path, environment) for name in self._role_names]
        for role in self._roles:
            role.start()
        for role in self._roles:
            await role.wait_until_ready()

    async def _stop(self) -> None:
        for role in reversed(self._roles):
            await role.stop(STOP_SECONDS)
        if self._kafka is not None:
            await asyncio.to_thread(self._kafka.stop)
        await asyncio.to_thread(self._postgres.stop)

    def _make_database(self) -> None:
        with psycopg.connect(self._postgres.superuser_url, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _environment(self) -> dict[str, str]:
        folder, port = self._folder, self._postgres.port
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "LEDGER_POSTGRES_MIGRATE_URL": folder.url("ledger_migrate", port),
            "LEDGER_POSTGRES_APPEND_URL": folder.url("ledger_append", port),
            "LEDGER_POSTGRES_STREAM_URL": folder.url("ledger_stream", port),
            "LEDGER_POSTGRES_VIEWS_URL": folder.url("ledger_views", port),
            "LEDGER_STREAM": folder.stream,
            "LEDGER_KAFKA_BOOTSTRAP": self._kafka.bootstrap if self._kafka else "",
            "LEDGER_GRPC_LISTEN": self.grpc,
            "LEDGER_HTTP_LISTEN": f"127.0.0.1:{folder.http_port}",
            "LEDGER_PARTITIONS": str(self._partitions),
            "LEDGER_DATA_DIR": str(folder.path),
        }

    @property
    def superuser_url(self) -> str:
        """libpq URL of the database's superuser; for checks that only an operator may make."""
        return self._postgres.url(DATABASE)

    @property
    def settings_environment(self) -> dict[str, str]:
        """The settings of the roles, as environment variables; holds passwords."""
        return {name: value for name, value in self._environment().items() if name.startswith("LEDGER_")}

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the roles run; holds passwords."""
        return self._environment()

    @property
    def grpc(self) -> str:
        """Address of the gRPC edge."""
        return f"127.0.0.1:{self._folder.grpc_port}"

    async def add_hospitals(self, hospitals: Sequence[str]) -> None:
        """Adds hospitals through the public API; those that are there already stay as they are."""
        async with grpc.aio.insecure_channel(self.grpc) as channel:
            stub = HospitalServiceStub(channel)
            for hospital in hospitals:
                await stub.AddHospital(
                    AddHospitalRequest(hospital_id=hospital, partitions=self._partitions, address=self.grpc)
                )

    async def facts(self) -> dict[str, Any]:
        """What a program must know to use the service; `pids` is for those who test what a kill does."""
        async with grpc.aio.insecure_channel(self.grpc) as channel:
            answer = await HospitalServiceStub(channel).ListHospitals(ListHospitalsRequest(page_size=1000))
        return {
            "grpc": self.grpc,
            "http": f"http://127.0.0.1:{self._folder.http_port}",
            "kafka": self._kafka.bootstrap if self._kafka else None,
            "postgres": f"127.0.0.1:{self._postgres.port}/{DATABASE}",
            "hospitals": [_hospital_facts(each, self._folder.stream) for each in answer.hospitals],
            "pids": self.pids,
        }

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every role and server that runs now."""
        found = {role.role: role.pid for role in self._roles} | {"postgres": self._postgres.pid, "up": os.getpid()}
        if self._kafka is not None and self._kafka.alive:
            found["kafka"] = self._kafka.pid
        return found

    async def watch(self, stop: asyncio.Event, restarted: Callable[[], None] = lambda: None) -> None:
        """Starts again whatever dies, until `stop` is set. Raises RoleFailed where something dies too often."""
        while not stop.is_set():
            if await self._restart_the_dead():
                restarted()
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _restart(self, server: EmbeddedPostgres | EmbeddedKafka) -> None:
        _say(f"{type(server).__name__} died; starting it again on the same data")
        try:
            await asyncio.to_thread(server.start)
        except EmbeddedError as error:
            if isinstance(server, EmbeddedPostgres):
                raise
            # Commands need no broker: the ledger goes on, and the broker is tried again at the next look.
            _say(f"it did not come back yet: {error}")

    async def _restart_the_dead(self) -> bool:
        found = False
        for server in (self._postgres, self._kafka):
            if server is not None and not server.alive:
                await self._restart(server)
                found = True
        for role in self._roles:
            if role.restart_if_dead():
                _say(f"role {role.role} died; started again")
                found = True
        return found


class MigrationFailed(Exception):
    """A schema could not be brought to this release's version."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__("; ".join(failures))


def _hospital_facts(hospital: Hospital, stream: str) -> dict[str, object]:
    topics = {"records": f"ledger.records.{hospital.id}", "transfers": f"ledger.transfers.{hospital.id}"}
    return {"id": hospital.id, "origin": hospital.origin, "stream": stream, "topics": topics}


def _say(line: str) -> None:
    print(f"*** {line}", file=sys.stderr, flush=True)


__all__ = ["MigrationFailed", "RoleFailed", "Service"]
