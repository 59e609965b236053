"""Everything of one hospital that lives in this process, made when the hospital is first asked for."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.application.certificates import Certificates
from ledger.application.command_batch import CommandBatch
from ledger.application.command_path import CommandPath
from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.ids_ahead import IdsAhead
from ledger.application.record_outlook import RecordOutlook
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.rules_in_force import RulesInForce
from ledger.store.committer import GroupCommitter


@dataclass(frozen=True)
class Tenant:
    """One hospital's parts. None of them holds a connection, a task or a timer while nobody asks."""

    hospital: str
    ledger: HospitalLedger
    commands: CommandPath
    together: CommandBatch
    committer: GroupCommitter
    ahead: IdsAhead
    keys: ReservationKeys
    outlook: RecordOutlook
    rules: RulesInForce
    certificates: Certificates

    async def close(self) -> None:
        """Waits for what is queued and what is being made."""
        await self.committer.close()
        await self.ahead.close()
