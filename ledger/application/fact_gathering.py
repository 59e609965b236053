"""The facts that a decision may know beside the stream itself, gathered before it, per kind of command."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ledger.application.command_table import Asked
from ledger.application.errors import UnknownSourceClaim
from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.packages import package_bytes, package_facts
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.stream_cache import Loaded
from ledger.domain.commands import OfferTransfer, ReceivePackage, RegisterRecord
from ledger.domain.decision import PATIENT, ClaimedItem, Facts
from ledger.domain.rule_packs import RulePacks
from ledger.domain.source_claim import Taken, UnknownClaim, decode_claim
from ledger.domain.state import PatientState
from ledger.domain.templates import TemplateSet
from ledger.store.reading import EventReader, StoredRow

IDS = 6
PAGE = 1000


def fresh_ids() -> tuple[UUID, ...]:
    """Random version 4 UUIDs for one decision."""
    return tuple(UUID(bytes=os.urandom(16), version=4) for _ in range(IDS))


class FactGathering:
    """Reads what a decision needs; it decides nothing."""

    def __init__(
        self,
        ledger: HospitalLedger,
        reader: EventReader,
        keys: ReservationKeys,
        packs: RulePacks,
        pack_id: str,
        templates: TemplateSet,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._keys = keys
        self._packs = packs
        self._pack_id = pack_id
        self._templates = templates

    async def claimed(self, asked: Asked) -> ClaimedItem | None:
        """Who holds the source item, or the package, that the command names."""
        parts = _claim_of(asked)
        if parts is None:
            return None
        kind, names = parts
        row = await self._reader.reservation(self._ledger.hospital, kind, self._keys.key(kind, names))
        if row is None or row.stream_id is None:
            return None
        taken, entry_id, digest = read_claim(row.value)
        return ClaimedItem(row.stream_id, entry_id, digest, taken)

    async def _bumps(self, patient_id: UUID) -> int:
        key = self._keys.key(PATIENT, (str(patient_id),))
        row = await self._reader.reservation(self._ledger.hospital, PATIENT, key)
        return row.counter if row else 0

    async def facts(
        self,
        asked: Asked,
        loaded: Loaded | None,
        claimed: ClaimedItem | None,
        known_hospitals: frozenset[str],
        now: datetime,
    ) -> Facts:
        """Everything for one decision."""
        ids = fresh_ids()
        facts = Facts(
            now=now,
            ids=ids,
            context=asked.context,
            pack=self._packs.for_stream(loaded.state if loaded else None, self._pack_id),
            templates=self._templates,
            claimed=claimed,
            head_leaf=loaded.head_leaf if loaded else b"",
        )
        match asked.command:
            case RegisterRecord(patient_id=patient_id):
                patient = self._ledger.known(patient_id) or await self._ledger.load(patient_id)
                state = patient.state if patient else None
                bumps = await self._bumps(patient_id)
                return replace(facts, patient=state if isinstance(state, PatientState) else None, patient_bumps=bumps)
            case OfferTransfer(recipient=recipient):
                known = recipient in known_hospitals
                if loaded is None or not known:
                    return replace(facts, counterpart_known=known)
                rows = await rows_up_to(self._reader, self._ledger.hospital, loaded.stream_id, loaded.version)
                data = package_bytes(ids[0], self._ledger.origin, rows)
                return replace(facts, counterpart_known=known, package=package_facts(data, rows))
            case _:
                return facts


def read_claim(value: bytes) -> tuple[Taken | None, UUID | None, bytes]:
    """Kind, entry and digest of a stored claim. Raises UnknownSourceClaim."""
    try:
        return decode_claim(value)
    except UnknownClaim as error:
        raise UnknownSourceClaim from error


async def rows_up_to(reader: EventReader, hospital: str, stream_id: UUID, version: int) -> list[StoredRow]:
    """A stream's rows up to a version, as stored."""
    rows: list[StoredRow] = []
    while len(rows) < version:
        limit = min(PAGE, version - len(rows))
        page = await reader.read_stream(hospital, stream_id, len(rows), limit)
        if not page:
            break
        rows += page
    return rows


def _claim_of(asked: Asked) -> tuple[str, tuple[str, ...]] | None:
    if isinstance(asked.command, ReceivePackage):
        return "package", (asked.command.sender, str(asked.command.transfer_id))
    source = asked.context.source
    return None if source is None else ("source", (source.system, source.type, source.id))
