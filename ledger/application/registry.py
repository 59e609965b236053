"""The registry of hospitals as this process knows it, asked again when a hospital is not found."""

from __future__ import annotations

import time

from ledger.store.connections import ConnectionPool
from ledger.store.errors import SchemaVersionUnsupported
from ledger.store.hospitals import HospitalRow, list_hospitals
from ledger.store.hospitals import hospital as registered
from ledger.views.schema_versions import SCHEMA_VERSIONS

FRESH_SECONDS = 1.0
"""How long an answer about a hospital that is NOT there is believed."""


class Registry:
    """Hospitals by id. A hospital once seen stays, since ids are never renamed or given away."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._rows: dict[str, HospitalRow] = {}
        self._read_at = float("-inf")

    async def hospital(self, hospital: str) -> HospitalRow | None:
        """The hospital, if it is registered and its schema is there."""
        row = self._rows.get(hospital)
        if row is None and time.monotonic() - self._read_at > FRESH_SECONDS:
            await self.refresh()
            row = self._rows.get(hospital)
        return row

    def origin_of(self, hospital: str) -> str | None:
        """The origin as this process last read it."""
        row = self._rows.get(hospital)
        return row.origin if row else None

    async def served(self, hospital: str) -> HospitalRow | None:
        """The hospital as it is registered now. Raises SchemaVersionUnsupported."""
        if await self.hospital(hospital) is None:
            return None
        row = await registered(self._pool, hospital)
        if row is not None and row.schema_version not in SCHEMA_VERSIONS:
            raise SchemaVersionUnsupported(hospital, row.schema_version)
        return row

    async def known(self, hospital: str) -> frozenset[str]:
        """The ids of all hospitals, asked again if `hospital` is not among those known."""
        await self.hospital(hospital)
        return frozenset(self._rows)

    async def refresh(self) -> list[HospitalRow]:
        """All hospitals by id, read now."""
        rows = await list_hospitals(self._pool)
        self._rows = {row.id: row for row in rows if row.state != "adding"}
        self._read_at = time.monotonic()
        return rows
