"""`ledger backup`, `restore` and `repair` as an operator calls them, from one database into another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from ledger.cli.main import main
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.services.postgres import Database


@dataclass
class Backups:
    """A ledger, the folder of its log and keys, and an empty database."""

    ledger: LoadedLedger
    target: Database
    folder: Path

    @property
    def backup(self) -> Path:
        """Where the backup lies."""
        return self.folder / "backup"

    @property
    def log(self) -> Path:
        """The log that lives on."""
        return self.folder / "log"

    @property
    def restored_log(self) -> Path:
        """The log beside the restored ledger."""
        return self.folder / "new" / "log"

    async def take(self, *options: str, **environment: str) -> Result:
        """`ledger backup`."""
        url = {"LEDGER_POSTGRES_MIGRATE_URL": self.ledger.database.role_url("ledger_migrate")}
        return await self._run(["backup", *options], {**url, **environment}, self.folder)

    async def taken(self) -> None:
        """A backup that must succeed."""
        done = await self.take(str(self.backup))
        assert done.exit_code == 0, done.output

    async def restore(self, *options: str, **environment: str) -> Result:
        """`ledger restore` into the empty database."""
        url = {"LEDGER_POSTGRES_MIGRATE_URL": self.target.url}
        return await self._run(["restore", str(self.backup), *options], {**url, **environment}, self.folder / "new")

    async def restore_service(self, folder: Path, *options: str) -> Result:
        """`ledger restore` into a new folder of `ledger up`."""
        return await self._run(["restore", str(self.backup), "--dir", str(folder), *options], {}, self.folder / "new")

    async def verify(self, *options: str) -> Result:
        """`ledger verify backup`."""
        return await self._run(["verify", "backup", str(self.backup), *options], {}, self.folder)

    async def repair(self, command: str) -> Result:
        """`ledger repair` of what was restored."""
        append = {"LEDGER_POSTGRES_APPEND_URL": self.target.role_url("ledger_append")}
        keys = {"LEDGER_LOG_KEYS": str(self.folder / "keys")}
        return await self._run(["repair", command, self.ledger.hospital], append | keys, self.folder / "new")

    @property
    def restored(self) -> LoadedLedger:
        """The ledger in the other database."""
        return LoadedLedger(self.target, self.ledger.hospital, self.ledger.partitions)

    async def _run(self, words: list[str], environment: dict[str, str], data_dir: Path) -> Result:
        """The command has an event loop of its own."""
        env = {**environment, "LEDGER_DATA_DIR": str(data_dir)}
        return await asyncio.to_thread(lambda: CliRunner().invoke(main, words, env=env))
