"""Stays of one patient over the wire: what lists are made of."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import boards_pb2 as boards
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from tests.contract.edge.clients import EdgeClient
from tests.contract.edge.requests import register_patient, register_record, stamp, start_care


def year_of(year: int) -> Timestamp:
    """Its first moment."""
    return stamp(datetime(year, 1, 1, tzinfo=UTC))


class Stays:
    """The stays of one patient."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client
        self.patient_id = ""
        self.case_number = ""
        self.position = 0
        self._sequence = 0

    async def begin(self) -> None:
        """Registers the patient."""
        patient = register_patient()
        answer = await self._client.call("PatientService/RegisterPatient", patient)
        self.case_number = patient.case_number
        self.patient_id, self.position = answer.receipt.record_id, answer.receipt.position

    async def add(self, year: int | None, kind: Any = common.VISIT_TYPE_INPATIENT, **started: Any) -> str:
        """A stay that started in this year, with these fields, or has not started."""
        self._sequence += 1
        register = register_record(self.patient_id, self._sequence)
        register.visit_type = kind
        registered = await self._client.call("RecordService/RegisterRecord", register)
        self.position = registered.receipt.position
        record_id: str = registered.receipt.record_id
        if year is not None:
            start = start_care(record_id)
            start.context.occurred_at.CopyFrom(year_of(year))
            start.MergeFrom(records.StartCareRequest(**started))
            self.position = (await self._client.call("RecordService/StartCare", start)).receipt.position
        return record_id

    def asked(self, **fields: Any) -> boards.GetPatientIndexRequest:
        """A request that waits for all that was done."""
        request = boards.GetPatientIndexRequest(hospital="north", patient_id=self.patient_id, **fields)
        request.min_position = self.position
        return request

    async def found(self, **fields: Any) -> list[str]:
        """The records of the episodes that pass, in order."""
        answer = await self._client.call("BoardService/GetPatientIndex", self.asked(**fields))
        return [each.record_id for each in answer.episodes]
