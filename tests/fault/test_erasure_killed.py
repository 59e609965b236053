"""A server killed in the middle of an erasure: a record is erased whole or not at all, and the next start ends it."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from tests.fault.serve_that_dies import STEP, STEPS
from tests.integration.application.disposal_ground import Office
from tests.integration.application.written import HOSPITAL
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment, serving, start_serve

_START_SECONDS_MAX = 60
_ROWS = """
    SELECT k.wrapped IS NULL, k.destroyed_by IS NOT NULL, p.stream_id IS NOT NULL, h.stream_id IS NOT NULL
    FROM ledger_keys.record_keys AS k
    LEFT JOIN ledger_keys.purges AS p USING (origin, stream_id)
    LEFT JOIN ledger_keys.purge_holders AS h USING (origin, stream_id)
    WHERE k.stream_id = %s
"""


@dataclass
class Ground:
    """A ledger without a server: destructions stay undone until one starts."""

    database: Database
    office: Office

    async def destroyed(self) -> UUID:
        """One more record that is destroyed and whose key is still there."""
        record_id, list_id = await self.office.condemned(await self.office.patient())
        await self.office.destroy(record_id, list_id)
        return UUID(record_id)

    def is_erased(self, record_id: UUID) -> bool:
        """Whether it is; whole or not at all: key, tombstone, register and holder agree."""
        with psycopg.connect(self.database.url) as connection:
            (row,) = connection.execute(_ROWS, (record_id,)).fetchall()
        assert len(set(row)) == 1, f"half erased: {row}"
        return bool(row[0])

    def erased_up_to(self) -> int:
        """Up to where every destruction is applied; 0 at first."""
        with psycopg.connect(self.database.url) as connection:
            query = "SELECT max(position) FROM ledger_keys.erased_up_to WHERE origin LIKE %s"
            row = connection.execute(query, (f"%/{HOSPITAL}/%",)).fetchone()
        return row[0] or 0 if row else 0

    def read_up_to(self, position: int) -> None:
        """Keys of a backup that is newer than the events beside them."""
        with psycopg.connect(self.database.url) as connection:
            update = "UPDATE ledger_keys.erased_up_to SET position = %s WHERE origin LIKE %s"
            connection.execute(update, (position, f"%/{HOSPITAL}/%"))


@pytest.fixture
async def ground(database: Database) -> AsyncIterator[Ground]:
    """The hospital north with its records office."""
    settings = load(serve_environment(database))
    async with bodies_with_keys(settings) as bodies:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        await ledger.add_hospital(HOSPITAL, 1, "")
        yield Ground(database, Office(ledger))
        await ledger.close()


async def test_the_next_start_completes_what_a_kill_broke_off(ground: Ground, tmp_path: Path) -> None:
    """Killed at every step, one server after the other, a destruction more each time; the last start does it all."""
    environment = serve_environment(ground.database)
    records: list[UUID] = []
    erased: list[int] = []
    for number, step in enumerate(STEPS):
        records.append(await ground.destroyed())
        ready = tmp_path / f"ready-{number}"
        process = start_serve({**environment, STEP: step}, ready, "tests.fault.serve_that_dies")
        assert process.wait(_START_SECONDS_MAX) == -signal.SIGKILL
        assert not ready.exists(), "nobody is served before all is applied"
        erased.append(sum(map(ground.is_erased, records)))
    # Nothing; the oldest alone; all of three; all of four, and noted.
    assert erased == [0, 1, 3, 4]
    records.append(await ground.destroyed())
    with serving(environment, tmp_path / "ready"):
        assert all(map(ground.is_erased, records))
        assert ground.erased_up_to() == await ground.office.ledger.head(HOSPITAL)


@pytest.mark.long
async def test_keys_that_were_read_further_than_the_ledger_reaches_pass_no_destruction_over(
    ground: Ground, tmp_path: Path
) -> None:
    """Put back beside an older ledger, they name a position that it comes to again: a server killed between a
    destruction and its look, or before the key goes, leaves nothing that the next start does not destroy."""
    environment = serve_environment(ground.database)
    first = await ground.destroyed()
    with serving(environment, tmp_path / "first"):
        assert ground.is_erased(first)
    ground.read_up_to(await ground.office.ledger.head(HOSPITAL) + 1000)
    second = await ground.destroyed()
    for number, step in enumerate((STEPS[0], STEPS[2])):
        ready = tmp_path / f"ready-{number}"
        process = start_serve({**environment, STEP: step}, ready, "tests.fault.serve_that_dies")
        assert process.wait(_START_SECONDS_MAX) == -signal.SIGKILL
        assert ground.is_erased(second) is (number == 1)
    third = await ground.destroyed()
    with serving(environment, tmp_path / "last"):
        assert all(map(ground.is_erased, (first, second, third)))
        assert ground.erased_up_to() == await ground.office.ledger.head(HOSPITAL)
