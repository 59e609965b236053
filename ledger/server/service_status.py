"""The state of the service: what the views' side says, and what only this process knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ledger.api.v1.stream_pb2 import GetStatusRequest, GetStatusResponse, HospitalStatus
from ledger.application.ledger import Ledger
from ledger.server.hospital_states import IN_USE, hospital_states
from ledger.server.log_states import LogStates
from ledger.server.reader_reports import add_readers
from ledger.server.rulebook import last_dated_day

RPC = "ledger.api.v1.OperationsService/GetStatus"


class ServiceStatus:
    """The handler of OperationsService.GetStatus."""

    def __init__(
        self, ledger: Ledger, queries: Mapping[str, Callable[[Any], Awaitable[Any]]], logs: LogStates | None
    ) -> None:
        self._ledger = ledger
        self._logs = logs
        self._query = queries.get(RPC)

    async def get_status(self, request: GetStatusRequest) -> GetStatusResponse:
        """Heads, published positions, views, leases, and how busy this process is."""
        response: GetStatusResponse = await (self._query or self._heads_only)(request)
        for hospital in response.hospitals:
            load = self._ledger.load(hospital.hospital)
            hospital.queue_length = load.queue_length
            hospital.group_size = load.group_size
            if hospital.state != IN_USE:
                continue
            hospital.calendar_until = last_dated_day((await self._ledger.rules(hospital.hospital)).roles_in_force())
            if self._logs is not None:
                hospital.log.CopyFrom(await self._logs.status(hospital.hospital, hospital.head))
        add_readers(response, await self._ledger.notes.reader_states())
        return response

    async def _heads_only(self, request: GetStatusRequest) -> GetStatusResponse:
        return await hospital_states(self._ledger, request.hospital, self._head)

    async def _head(self, hospital: str) -> HospitalStatus:
        return HospitalStatus(hospital=hospital, head=await self._ledger.head(hospital))
