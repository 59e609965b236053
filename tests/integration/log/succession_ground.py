"""A hospital whose log has signed 600 events and may lose the last 100, with the commands of this service beside it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from click.testing import CliRunner, Result

from ledger.api.v1 import common_pb2, events_pb2, records_pb2
from ledger.application.ledger import Ledger
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.repair import repair
from ledger.config import Settings, load
from ledger.log.log_files import LogFiles
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.services.key_files import key_settings
from tests.services.postgres import Database

ADA = f"{uuid4()},Ada Example,records_office"
BEA = f"{uuid4()},Bea Example,physician"
PROGRAM = f"{uuid4()},ledger,system"
SIGNED, KEPT = 600, 500


@dataclass
class Ground:
    """A hospital whose log has signed 600 events, with the commands of this service beside it."""

    ledger: LoadedLedger
    environment: dict[str, str]
    folder: Path
    patient: str = ""

    @property
    def old(self) -> str:
        return f"{ORIGIN_PREFIX}/{self.ledger.hospital}/1"

    @property
    def new(self) -> str:
        return f"{ORIGIN_PREFIX}/{self.ledger.hospital}/2"

    @property
    def old_files(self) -> LogFiles:
        return LogFiles(DirectoryBlobs(self.folder / "log"), self.ledger.hospital)

    @property
    def new_files(self) -> LogFiles:
        return LogFiles(DirectoryBlobs(self.folder / "log"), f"{self.ledger.hospital}.2")

    @property
    def settings(self) -> Settings:
        return load(self.environment)

    async def repair(self, *arguments: str) -> Result:
        """The command has an event loop of its own."""
        given = [arguments[0], self.ledger.hospital, *arguments[1:]]
        return await asyncio.to_thread(lambda: CliRunner().invoke(repair, given, env=self.environment))

    async def succeed(self, *approvers: str, options: tuple[str, ...] = ()) -> Result:
        named = [part for each in approvers or (ADA, BEA) for part in ("--approver", each)]
        return await self.repair("succeed", *named, "--reason", "STORAGE_LOST", *options)

    @asynccontextmanager
    async def service(self) -> AsyncGenerator[Ledger]:
        async with bodies_with_keys(self.settings) as bodies:
            ledger = await Ledger.open(self.settings, bodies.sealer, bodies.opener)
            try:
                yield ledger
            finally:
                await ledger.close()

    def context(self) -> common_pb2.CommandContext:
        ident, name, role = BEA.split(",")
        actor = common_pb2.Actor(id=ident, name=name, role=role)
        return common_pb2.CommandContext(
            hospital=self.ledger.hospital, command_id=str(uuid4()), actor=actor, purpose="TREAT"
        )

    async def register(self, service: Ledger) -> str:
        """A patient, by the command."""
        request = records_pb2.RegisterPatientRequest(
            context=self.context(),
            case_number=f"C-{uuid4().hex[:8]}",
            identity=common_pb2.IDENTITY_STATUS_MATCHED,
            details=events_pb2.PatientDetails(name="Example", gender="unknown"),
        )
        return str((await service.execute("ledger.api.v1.PatientService/RegisterPatient", request)).record_id)

    async def amend(self, service: Ledger) -> int:
        """A change to the patient that was there before the loss; its position."""
        request = records_pb2.AmendPatientRequest(
            context=self.context(),
            patient_id=self.patient,
            details=events_pb2.PatientDetails(name=f"Example {uuid4().hex[:4]}", gender="female"),
            reason="a correction",
        )
        return (await service.execute("ledger.api.v1.PatientService/AmendPatient", request)).position

    def lose(self) -> None:
        """A backup is put back that is older than the log, and the log's bundles behind it are gone too."""
        self.put_older_back()
        self.lose_bundles()

    def put_older_back(self) -> None:
        self.ledger.cut(KEPT)
        self.ledger.forget_heads_above(KEPT)

    def lose_bundles(self) -> None:
        self.lose_last_bundle()
        for kind in ("tile/entries", "bodies"):
            (self.folder / "log" / self.ledger.hospital / kind / "001").unlink()

    def lose_last_bundle(self) -> None:
        for kind in ("tile/entries", "bodies"):
            shutil.rmtree(self.folder / "log" / self.ledger.hospital / kind / "002.p")


def environment_of(database: Database, folder: Path) -> dict[str, str]:
    """The settings of a service on this database, with its log and keys in a folder."""
    url = database.role_url
    return {
        "LEDGER_POSTGRES_APPEND_URL": url("ledger_append"),
        "LEDGER_POSTGRES_MIGRATE_URL": url("ledger_migrate"),
        "LEDGER_POSTGRES_STREAM_URL": url("ledger_stream"),
        "LEDGER_POSTGRES_KEYS_URL": url("ledger_keys"),
        "LEDGER_DATA_DIR": str(folder),
        "LEDGER_ORIGIN_PREFIX": ORIGIN_PREFIX,
        "LEDGER_LOG_PASSPHRASE_FILE": str(folder / "passphrase"),
        **key_settings(),
    }
