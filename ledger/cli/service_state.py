"""The state of the service as the edge tells it: heads, published positions, views, leases."""

from __future__ import annotations

from ledger.api.v1.stream_pb2 import GetStatusRequest, GetStatusResponse, HospitalStatus, LeaseStatus
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_timestamp
from ledger.config import Settings
from ledger.lease import LeaseRow, Leases
from ledger.publisher.ledger_log import LedgerLog
from ledger.server.hospital_states import hospital_states
from projections.connections import Pool
from projections.operations import ViewOperations


class ServiceState:
    """The query behind OperationsService.GetStatus."""

    def __init__(self, settings: Settings, ledger: Ledger, operations: ViewOperations, pool: Pool) -> None:
        self._settings = settings
        self._ledger = ledger
        self._operations = operations
        self._leases = Leases(pool.connection)
        self._log = LedgerLog(pool)

    async def get_status(self, request: GetStatusRequest) -> GetStatusResponse:
        """Every hospital, or the one that is asked for. Raises UnknownHospital."""
        return await hospital_states(self._ledger, request.hospital, self._hospital)

    async def _hospital(self, hospital: str) -> HospitalStatus:
        head = await self._ledger.head(hospital)
        return HospitalStatus(
            hospital=hospital,
            head=head,
            published_position=await self._log.progress(hospital),
            views=await self._operations.statuses(hospital, head),
            leases=[_lease(row) for row in await self._leases.held(hospital)],
        )


def _lease(row: LeaseRow) -> LeaseStatus:
    return LeaseStatus(role=row.role, holder=row.holder, epoch=row.epoch, expires_at=to_timestamp(row.expires_at))
