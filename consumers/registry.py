"""The registry of hospitals as any client sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.patience import Patience
from ledger.api.v1.stream_pb2 import Hospital, ListHospitalsRequest
from ledger.trust.lineage import first_of

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import HospitalServiceAsyncStub


_PAGE = 1000


@dataclass(frozen=True, slots=True)
class KnownHospital:
    """A hospital of the registry."""

    id: str
    origin: str
    """Origin of its ledger."""
    address: str
    """gRPC address at which its packages can be fetched."""


class Registry:
    """Looks hospitals up; what is known already is not asked for again."""

    def __init__(self, stub: HospitalServiceAsyncStub, own_address: str, patience: Patience) -> None:
        """`own_address` stands for hospitals that name none: they are served by this service."""
        self._stub = stub
        self._own_address = own_address
        self._patience = patience
        self._by_id: Mapping[str, KnownHospital] = {}

    async def all_ids(self) -> list[str]:
        """Ids of every hospital of now, in order."""
        await self._load()
        return sorted(self._by_id)

    async def by_id(self, hospital: str) -> KnownHospital | None:
        """The hospital of this id; None where the registry does not know it."""
        if hospital not in self._by_id:
            await self._load()
        return self._by_id.get(hospital)

    async def by_origin(self, origin: str) -> KnownHospital | None:
        """The hospital whose ledger has this origin, or had it; None where the registry knows none."""
        if found := self._with_origin(origin):
            return found
        await self._load()
        return self._with_origin(origin)

    def _with_origin(self, origin: str) -> KnownHospital | None:
        return next((each for each in self._by_id.values() if first_of(each.origin) == first_of(origin)), None)

    async def _load(self) -> None:
        rows: list[Hospital] = []
        token = ""
        while True:
            request = ListHospitalsRequest(page_size=_PAGE, page_token=token)
            page = await self._patience.call(
                "ListHospitals", lambda seconds, request=request: self._stub.ListHospitals(request, timeout=seconds)
            )
            rows.extend(page.hospitals)
            token = page.next_page_token
            if not token:
                break
        self._by_id = {row.id: KnownHospital(row.id, row.origin, row.address or self._own_address) for row in rows}
