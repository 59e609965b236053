"""Reads of a patient from the write side: always up to date."""

from __future__ import annotations

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.records_pb2 import DetailsSaid, GetPatientRequest, GetPatientResponse
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_message
from ledger.domain.stated_details import Said, differing
from ledger.domain.stated_identifiers import Item
from ledger.server.arguments import required_uuid, server_time


class PatientReads:
    """Handlers of PatientService that are not commands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_patient(self, request: GetPatientRequest) -> GetPatientResponse:
        """A patient now, or as known at a server time."""
        patient_id = required_uuid(request.patient_id, "patient_id")
        time = server_time(request.time) if request.HasField("time") else None
        found = await self._ledger.patient(request.hospital, patient_id, time)
        return GetPatientResponse(
            version=found.version,
            case_number=found.state.case_number,
            identity=common.IdentityStatus.Value(f"IDENTITY_STATUS_{found.state.identity}"),
            details=to_message(found.state.details, PatientDetails),
            others_say=[_said(*each) for each in differing(found.state.said)],
        )


def _said(item: Item, said: Said) -> DetailsSaid:
    system, type_, id_ = item or ("", "", "")
    return DetailsSaid(
        system=system,
        type=type_,
        id=id_,
        name=said.name,
        birth_date=said.birth_date,
        gender=said.gender,
        deceased_at=said.deceased_at,
    )
