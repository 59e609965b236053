"""A key store on a real PostgreSQL, with key-encryption keys in a real file."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.keys.key_file import COST_OF_A_RANDOM_PASSPHRASE, KeyFile, new_key_file, read_key_file, write_key_file
from ledger.keys.key_file_keys import LOOK_SECONDS, KeyFileKeys
from ledger.keys.key_rows import KeyRows, StreamOf
from ledger.keys.key_store import KeyStore
from ledger.keys.secret_file import write_secret
from ledger.store.connections import ConnectionPool, writer_pool
from tests.services.postgres import Database

ORIGIN = "ledger.example/north/1"
_PASSPHRASE = b"a passphrase for tests"


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Now."""
        return self.now


@dataclass
class KeyGround:
    """One database, one key file, and as many processes' key stores as a test wants."""

    database: Database
    pool: ConnectionPool
    key_file: Path
    passphrase_file: Path
    clock: Clock = field(default_factory=Clock)
    destructions: set[tuple[StreamOf, int]] = field(default_factory=set[tuple[StreamOf, int]])

    @property
    def rows(self) -> KeyRows:
        """The rows, as ledger_keys sees them."""
        return KeyRows(self.pool)

    def encryption(self) -> KeyFileKeys:
        """What a process has of the key file."""
        return KeyFileKeys(self.key_file, self.passphrase_file, clock=self.clock)

    def store(self, rows: KeyRows | None = None) -> KeyStore:
        """What a process that has just started has."""
        return KeyStore(rows or self.rows, self.encryption(), self._is_destruction, clock=self.clock)

    def content(self) -> KeyFile:
        """The generations as they lie in the file."""
        return read_key_file(self.key_file, _PASSPHRASE)

    def change(self, content: KeyFile) -> None:
        """What an operator does; every process looks at the file again."""
        write_key_file(self.key_file, content, _PASSPHRASE, os.urandom)
        self.clock.now += LOOK_SECONDS

    def rotate(self) -> None:
        """One more generation."""
        self.change(self.content().rotated(datetime.now(UTC), os.urandom))

    async def _is_destruction(self, stream: StreamOf, position: int) -> bool:
        return (stream, position) in self.destructions


@pytest.fixture
async def ground(database: Database, tmp_path: Path) -> AsyncIterator[KeyGround]:
    """Nothing in it yet."""
    key_file, passphrase_file = tmp_path / "keys.json", tmp_path / "passphrase"
    write_secret(passphrase_file, _PASSPHRASE)
    cost = COST_OF_A_RANDOM_PASSPHRASE
    write_key_file(key_file, new_key_file(datetime.now(UTC), os.urandom), _PASSPHRASE, os.urandom, new=True, cost=cost)
    pool = writer_pool(database.role_url("ledger_keys"))
    yield KeyGround(database, pool, key_file, passphrase_file)
    await pool.close()


def stream(number: int, origin: str = ORIGIN) -> StreamOf:
    """A record."""
    return origin, number.to_bytes(16, "big")
