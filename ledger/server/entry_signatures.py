"""What a signing client asks before it signs by certificate."""

from __future__ import annotations

from ledger.api.v1.course_pb2 import GetBytesToSignRequest, GetBytesToSignResponse
from ledger.application.ledger import Ledger
from ledger.server.arguments import required_uuid


class EntrySignatures:
    """The handler of CourseService.GetBytesToSign."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_bytes_to_sign(self, request: GetBytesToSignRequest) -> GetBytesToSignResponse:
        """The bytes that name the last version of an entry and who signs it."""
        record_id = required_uuid(request.record_id, "record_id")
        entry_id, signer_id = required_uuid(request.entry_id, "entry_id"), required_uuid(request.signer_id, "signer_id")
        signed, version = await self._ledger.bytes_to_sign(request.hospital, record_id, entry_id, signer_id)
        return GetBytesToSignResponse(signed_bytes=signed, entry_version=version)
