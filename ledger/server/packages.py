"""Transfer packages: the sender's bytes, and what the recipient made of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from ledger.api.v1.transfers_pb2 import (
    FetchPackageRequest,
    FetchPackageResponse,
    GetPackageRequest,
    GetPackageResponse,
)
from ledger.application.ledger import Ledger
from ledger.server.arguments import invalid, required_uuid
from ledger.server.limits import PACKAGE_CHUNK_BYTES
from ledger.server.package_message import package_message


class Packages:
    """Handlers of TransferService that are not commands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def fetch_package(self, request: FetchPackageRequest) -> AsyncGenerator[FetchPackageResponse, None]:
        """The bytes of a package, in chunks."""
        record_id = required_uuid(request.record_id, "record_id")
        transfer_id = required_uuid(request.transfer_id, "transfer_id")
        package = await self._ledger.package_bytes(request.hospital, record_id, transfer_id, request.recipient)
        for start in range(0, len(package), PACKAGE_CHUNK_BYTES):
            yield FetchPackageResponse(chunk=package[start : start + PACKAGE_CHUNK_BYTES])

    async def get_package(self, request: GetPackageRequest) -> GetPackageResponse:
        """A received package as it stands."""
        match request.WhichOneof("by"):
            case "package_id":
                package_id = required_uuid(request.package_id, "package_id")
                view = await self._ledger.package(request.hospital, package_id, None)
            case "transfer_id":
                transfer_id = required_uuid(request.transfer_id, "transfer_id")
                view = await self._ledger.package(request.hospital, None, transfer_id)
            case None:
                raise invalid("by", "REQUIRED", "a package or a transfer is required")
        return GetPackageResponse(package=package_message(view))
