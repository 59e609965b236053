"""Whether a hospital's ledger is still the one whose log was signed, before and while it is published."""

from __future__ import annotations

import asyncio
import logging

from ledger.blobs.contract import BlobError, Blobs
from ledger.log.log_files import PUBLISH, LogFiles, log_folder
from ledger.log.standing import difference, signed_checkpoint
from ledger.publisher.ledger_log import HospitalRow, LedgerLog
from ledger.publisher.rollback import LedgerRolledBack
from ledger.trust.leaf import leaf_hash

_log = logging.getLogger(__name__)


class SignedStanding:
    """One hospital's. Raises BlobError and LogDamaged where the files of its log cannot be read."""

    def __init__(self, hospital: HospitalRow, log: LedgerLog, blobs: Blobs) -> None:
        self._hospital = hospital
        self._log = log
        self._files = LogFiles(blobs, log_folder(hospital.id, hospital.origin))

    async def refuse_if_rolled_back(self) -> None:
        """Raises LedgerRolledBack where the ledger ends below its signed log, differs from it, or was halted."""
        await self.refuse_if_halted()
        hospital = self._hospital.id
        signed = await asyncio.to_thread(signed_checkpoint, self._files, self._hospital.origin)
        envelope = (await self._log.envelopes(hospital, [signed.size])).get(signed.size)
        head = (await self._log.heads([hospital])).get(hospital, 0)
        leaf = None if envelope is None else leaf_hash(envelope)
        if what := await asyncio.to_thread(difference, self._files, signed, head, leaf):
            raise LedgerRolledBack(hospital, signed.size, what)

    async def refuse_if_halted(self) -> None:
        """Raises LedgerRolledBack where another role has found that the ledger must not grow."""
        if reason := await asyncio.to_thread(lambda: self._files.halted(besides=PUBLISH)):
            raise LedgerRolledBack(self._hospital.id, 0, reason)

    async def halt(self, refusal: LedgerRolledBack) -> None:
        """Says to the other roles what this one has found; nothing where they said it first."""
        try:
            if not await asyncio.to_thread(lambda: self._files.halted(besides=PUBLISH)):
                await asyncio.to_thread(self._files.halt, PUBLISH, str(refusal))
        except BlobError as error:
            facts = {"hospital": self._hospital.id, "reason": str(error)}
            _log.error("could not say so to the other roles", extra=facts)

    async def found_right(self) -> None:
        """Takes back what this role had found: the stream is the ledger's again."""
        await asyncio.to_thread(self._files.resume, PUBLISH)
