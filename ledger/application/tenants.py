"""Every hospital that this process has opened, each with what executes and answers for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from ledger.application.certificates import Certificates
from ledger.application.clear_ledger import refuse_if_clear
from ledger.application.command_batch import CommandBatch
from ledger.application.command_path import CommandPath
from ledger.application.errors import UnknownHospital
from ledger.application.fact_gathering import FactGathering
from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.ids_ahead import IdsAhead
from ledger.application.known_codes import FOLDER, KnownCodes
from ledger.application.record_outlook import RecordOutlook
from ledger.application.registry import Registry
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.rules_in_force import RulesInForce
from ledger.application.stream_cache import StreamCache
from ledger.application.tenant import Tenant
from ledger.application.written_rules import WrittenRules
from ledger.clock import Clock
from ledger.config import Settings
from ledger.domain.defaults import shipped_rules
from ledger.signatures.trust import HospitalTrust
from ledger.store.committer import GroupCommitter
from ledger.store.connections import ConnectionPool
from ledger.store.hint import HeadHint
from ledger.store.hospitals import HospitalRow
from ledger.store.reading import EventReader
from ledger.store.recorder import LedgerRecorder, ledger_datastore
from ledger.store.reservation_keys import reservation_key
from ledger.trust.sealing import Opener, Sealer

MICROSECONDS = 1_000_000
ANY_SKEW_US = 1 << 61
"""For a driven clock: nothing can be said of how far it is off."""
CACHED_EVENTS_MAX = 100_000
"""Events behind the states that are kept, per hospital."""


@dataclass(frozen=True)
class TenantStore:
    """What all hospitals of a process share of the store."""

    writers: ConnectionPool
    readers: ConnectionPool
    reader: EventReader
    hints: HeadHint


class Tenants:
    """Opens a hospital when it is first asked for, and keeps it open."""

    def __init__(
        self,
        settings: Settings,
        store: TenantStore,
        registry: Registry,
        sealer: Sealer,
        opener: Opener,
        clock: Clock,
        trust: Mapping[str, HospitalTrust],
    ) -> None:
        self._settings = settings
        self._store = store
        self._registry = registry
        self._sealer = sealer
        self._opener = opener
        self._clock = clock
        self._trust = trust
        self._codes = KnownCodes(settings.data_dir / FOLDER)
        self._open: dict[str, Tenant] = {}
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Waits for what is queued."""
        for tenant in self._open.values():
            await tenant.close()

    def open_one(self, hospital: str) -> Tenant | None:
        """The hospital, if it is open here."""
        return self._open.get(hospital)

    async def of(self, hospital: str) -> Tenant:
        """The hospital, opened where it is not yet, or anew where its log has ended. Raises UnknownHospital."""
        tenant = self._present(hospital)
        if tenant is not None:
            return tenant
        async with self._opening:
            return self._present(hospital) or await self._opened(hospital)

    def _present(self, hospital: str) -> Tenant | None:
        """The hospital, if it is open here under the origin of now."""
        tenant = self._open.get(hospital)
        return tenant if tenant and tenant.ledger.origin == self._registry.origin_of(hospital) else None

    async def _opened(self, hospital: str) -> Tenant:
        row = await self._registry.served(hospital)
        if row is None:
            raise UnknownHospital(hospital)
        if ended := self._open.pop(hospital, None):
            await ended.close()
        reader = self._store.reader
        await refuse_if_clear(reader, hospital)
        keys = ReservationKeys(await reservation_key(self._store.readers, hospital))
        ledger = self._ledger_of(row)
        committer = GroupCommitter(hospital, self._store.writers, self._store.hints)
        rules = RulesInForce(ledger, reader, keys, shipped_rules(), row.rule_pack)
        certificates = Certificates(ledger, self._trust.get(hospital))
        gathering = FactGathering(ledger, reader, keys, rules, self._codes, certificates)
        driven = self._settings.clock_file is not None
        skew_us_max = ANY_SKEW_US if driven else self._settings.clock_skew_seconds * MICROSECONDS
        ahead = IdsAhead(ledger.prepare_streams)
        written = WrittenRules(ledger, rules, committer, keys, skew_us_max, self._clock)
        commands = CommandPath(ledger, reader, committer, gathering, keys, ahead, written, skew_us_max, self._clock)
        together = CommandBatch(ledger, committer, gathering, keys, written, skew_us_max, self._clock)
        outlook = RecordOutlook(ledger, gathering, self._clock)
        self._open[hospital] = Tenant(
            hospital, ledger, commands, together, committer, ahead, keys, outlook, rules, certificates
        )
        return self._open[hospital]

    def _ledger_of(self, row: HospitalRow) -> HospitalLedger:
        return HospitalLedger(
            row.id,
            row.origin,
            self._store.reader,
            LedgerRecorder(ledger_datastore(self._settings.postgres_append_url, row.id), row.id),
            self._sealer,
            self._opener,
            StreamCache(CACHED_EVENTS_MAX),
        )
