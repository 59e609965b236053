"""Signatures by certificate of one hospital: what is to be signed, and the check before a decision."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.domain.certificate_guards import CERTIFICATES_ON, SIGNER_AGAIN, own_attestation
from ledger.domain.certificate_values import CertificateVerdict
from ledger.domain.course_commands import CertifyEntry
from ledger.domain.decide_certificate import check_evidence
from ledger.domain.decision import Facts
from ledger.domain.faults import Faults, refuse
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import Entry, RecordState
from ledger.signatures.check import Given, check_signature
from ledger.signatures.signed_version import SignedVersion, signed_bytes
from ledger.signatures.trust import HospitalTrust


class Certificates:
    """Makes the bytes that are signed, and checks what was made of them."""

    def __init__(self, ledger: HospitalLedger, trust: HospitalTrust | None) -> None:
        """`trust`: None = this hospital takes no signature by certificate."""
        self._ledger = ledger
        self._trust = trust

    @property
    def are_checked(self) -> bool:
        """Whether the hospital's anchors and register are set."""
        return self._trust is not None

    async def bytes_to_sign(self, record_id: UUID, entry: Entry, signer_id: UUID) -> bytes | None:
        """What that person signs of the entry's last version; None = the person did not sign it by login."""
        version = entry.last
        confirmed = own_attestation(version, signer_id)
        if confirmed is None:
            return None
        body = await self._ledger.opened_body(record_id, version.record_version)
        named = SignedVersion(
            origin=self._ledger.origin,
            record_id=record_id,
            entry_id=entry.entry_id,
            version=version.version,
            template=version.content.template,
            template_version=version.content.template_version,
            body_sha256=sha256(body).digest(),
            view_sha256=confirmed.view_sha256,
            signer_id=signer_id,
        )
        return signed_bytes(named)

    async def bytes_for(self, record_id: UUID, entry: Entry, signer_id: UUID) -> bytes:
        """As `bytes_to_sign`. Raises Refused where nothing is to be signed by that person here."""
        if not self.are_checked:
            raise refuse(RefusalKind.STATE, "hospital", CERTIFICATES_ON.rule, CERTIFICATES_ON.demand)
        wanted = None if entry.retracted else await self.bytes_to_sign(record_id, entry, signer_id)
        if wanted is None:
            raise refuse(RefusalKind.STATE, "signer_id", SIGNER_AGAIN.rule, SIGNER_AGAIN.demand)
        return wanted

    async def verdict(self, command: CertifyEntry, record: RecordState, facts: Facts) -> CertificateVerdict | None:
        """What the check finds; None where the command names nothing that could be checked, which its guards refuse."""
        entry, faults = record.entries.get(command.entry_id), Faults()
        check_evidence(command.cms, command.evidence, faults)
        if self._trust is None or faults or entry is None or entry.last.version != command.entry_version:
            return None
        signer_id = facts.context.actor.id
        wanted = await self.bytes_to_sign(command.record_id, entry, signer_id)
        if wanted is None:
            return None
        given = Given(wanted, signer_id, command.cms, command.evidence, entry.last.recorded_at, facts.now)
        # Long lists take long to read; meanwhile others are answered.
        return await asyncio.to_thread(check_signature, given, self._trust)
