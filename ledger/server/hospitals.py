"""The registry of hospitals."""

from __future__ import annotations

from ledger.api.v1.stream_pb2 import (
    AddHospitalRequest,
    AddHospitalResponse,
    Hospital,
    ListHospitalsRequest,
    ListHospitalsResponse,
)
from ledger.application.ledger import Ledger
from ledger.domain.defaults import default_packs
from ledger.server import page_token
from ledger.server.arguments import invalid
from ledger.server.errors import ForeignPageToken
from ledger.server.grpc_address import is_grpc_address
from ledger.store.hospitals import HOSPITAL_ID, HospitalRow
from ledger.views.page_size import page_rows

PARTITIONS_MAX = 256
NAME_CHARACTERS_MAX = 200


class Hospitals:
    """Handlers of HospitalService."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def add_hospital(self, request: AddHospitalRequest) -> AddHospitalResponse:
        """Adds a hospital while the service runs."""
        if not HOSPITAL_ID.fullmatch(request.hospital_id):
            raise invalid("hospital_id", "MALFORMED_HOSPITAL_ID", "a letter and 1 to 30 letters, digits or hyphens")
        if request.partitions > PARTITIONS_MAX:
            raise invalid("partitions", "OUT_OF_RANGE", f"1 to {PARTITIONS_MAX} partitions, or 0 for the default")
        if request.rule_pack and request.rule_pack not in default_packs():
            raise invalid("rule_pack", "UNKNOWN_RULE_PACK", "this release does not have the rule pack")
        if request.address and not is_grpc_address(request.address):
            raise invalid("address", "MALFORMED_ADDRESS", "`host:port` is required, or nothing for this service's own")
        if len(request.display_name) > NAME_CHARACTERS_MAX or not request.display_name.isprintable():
            text = f"at most {NAME_CHARACTERS_MAX} printable characters"
            raise invalid("display_name", "MALFORMED_NAME", text)
        row, added = await self._ledger.add_hospital(
            request.hospital_id, request.partitions, request.address, request.rule_pack, request.display_name
        )
        return AddHospitalResponse(hospital=_hospital(row), added=added)

    async def list_hospitals(self, request: ListHospitalsRequest) -> ListHospitalsResponse:
        """Hospitals by id."""
        rows_max = page_rows(request.page_size)
        after = _id_of(page_token.decode(request, request.page_token))
        rows = sorted((row for row in await self._ledger.hospitals() if row.id > after), key=lambda row: row.id)
        response = ListHospitalsResponse(hospitals=[_hospital(row) for row in rows[:rows_max]])
        if len(rows) > rows_max:
            response.next_page_token = page_token.encode(request, rows[rows_max - 1].id.encode())
        return response


def _id_of(cursor: bytes) -> str:
    try:
        return cursor.decode()
    except UnicodeDecodeError:
        raise ForeignPageToken from None


def _hospital(row: HospitalRow) -> Hospital:
    return Hospital(
        id=row.id,
        origin=row.origin,
        cluster=row.cluster,
        partitions=row.partitions,
        state=row.state,
        schema_version=row.schema_version,
        address=row.address,
        rule_pack=row.rule_pack,
        display_name=row.display_name,
    )
