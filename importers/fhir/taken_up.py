"""What earlier imports took up, as the service tells it."""

from __future__ import annotations

import grpc.aio

from importers.fhir.patience import Patience
from ledger.api.v1.common_pb2 import SourceItem
from ledger.api.v1.records_pb2 import (
    FactOfPatient,
    FindRecordsRequest,
    GetEntryRequest,
    GetRecordRequest,
    Record,
    RecordReference,
)
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from ledger.api.v1.stream_pb2 import ReadRecordRequest
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub


class TakenUp:
    """Asks one hospital's ledger. Every question raises ServiceLost, CommandRefused."""

    def __init__(self, channel: grpc.aio.Channel, hospital: str, patience: Patience) -> None:
        self._records = RecordServiceStub(channel)
        self._stream = StreamServiceStub(channel)
        self._hospital = hospital
        self._patience = patience

    async def holder(self, source: SourceItem) -> RecordReference:
        """The stream, and the entry, that took a source item up; empty where none did."""
        request = FindRecordsRequest(hospital=self._hospital, source=source)
        done = await self._patience.call(lambda seconds: self._records.FindRecords(request, timeout=seconds))
        return next(iter(done.answer.records), RecordReference())

    async def stating(self, patient_id: str, fact: bytes) -> RecordReference:
        """The record, and the entry, whose item states a fact of a patient now; empty where none does."""
        fact_of_patient = FactOfPatient(patient_id=patient_id, fact_sha256=fact)
        request = FindRecordsRequest(hospital=self._hospital, fact=fact_of_patient)
        done = await self._patience.call(lambda seconds: self._records.FindRecords(request, timeout=seconds))
        return next(iter(done.answer.records), RecordReference())

    async def record(self, record_id: str) -> Record:
        """A record as it stands."""
        request = GetRecordRequest(hospital=self._hospital, record_id=record_id)
        done = await self._patience.call(lambda seconds: self._records.GetRecord(request, timeout=seconds))
        return done.answer.record

    async def entry_versions(self, record_id: str, entry_id: str) -> int:
        """How many versions an entry has."""
        request = GetEntryRequest(hospital=self._hospital, record_id=record_id, entry_id=entry_id)
        done = await self._patience.call(lambda seconds: self._records.GetEntry(request, timeout=seconds))
        return len(done.answer.entry.versions)

    async def stream_version(self, stream_id: str) -> int:
        """How many events a stream has."""
        request = ReadRecordRequest(hospital=self._hospital, record_id=stream_id)

        async def counted(seconds: float) -> int:
            answer = self._stream.ReadRecord(request, timeout=seconds)
            return sum([len(batch.events) async for batch in answer])

        return (await self._patience.call(counted)).answer
