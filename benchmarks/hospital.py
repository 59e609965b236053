"""A hospital with records under care, made through the public contract."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import grpc.aio
from google.protobuf.message import Message

from benchmarks import requests
from ledger.api.v1.records_pb2 import RegisterPatientResponse, RegisterRecordResponse, StartCareResponse

_AT_ONCE = 32


async def open_records(address: str, hospital: str, count: int, department: str = requests.DEPARTMENT) -> list[str]:
    """So many records, each of a patient of its own, ready for entries; their ids."""
    places = asyncio.Semaphore(_AT_ONCE)
    async with grpc.aio.insecure_channel(address) as channel:

        async def one() -> str:
            async with places:
                return await _open_record(channel, hospital, department)

        return list(await asyncio.gather(*(one() for _ in range(count))))


async def _open_record(channel: grpc.aio.Channel, hospital: str, department: str) -> str:
    patient = requests.patient(hospital)
    patient_id = await _do(channel, "PatientService/RegisterPatient", patient, RegisterPatientResponse)
    record = requests.record(hospital, patient_id, department)
    record_id = await _do(channel, "RecordService/RegisterRecord", record, RegisterRecordResponse)
    await _do(channel, "RecordService/StartCare", requests.care(hospital, record_id, department), StartCareResponse)
    return record_id


async def _do(channel: grpc.aio.Channel, rpc: str, request: Message, response: type[Message]) -> str:
    call = cast("Any", channel).unary_unary(
        f"/ledger.api.v1.{rpc}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=response.FromString,
    )
    return (await call(request, timeout=30)).receipt.record_id
