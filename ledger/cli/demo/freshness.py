"""How long it takes from an acknowledgement until a department board shows it."""

from __future__ import annotations

import time

from ledger.api.v1 import boards_pb2, records_pb2
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub
from ledger.api.v1.common_pb2 import IDENTITY_STATUS_MATCHED, VISIT_TYPE_OUTPATIENT
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.cli.demo.client import Client, note
from ledger.cli.demo.looking import StoryFailed

PROBES = 200
DEPARTMENT = "DEMO"


async def measure_freshness(client: Client) -> list[float]:
    """Milliseconds from an acknowledgement to the row being visible on a department board, for a new record."""
    boards = BoardServiceStub(client.channel)
    record = await _record_of_its_own(client)
    found: list[float] = []
    for number in range(PROBES):
        content = note("course_note", f"Probe {number + 1}", note="Measured.")
        await client.send(
            client.records.RecordEntry,
            records_pb2.RecordEntryRequest(
                context=client.context(), record_id=record, content=content, attestation=client.signed()
            ),
        )
        acknowledged = time.perf_counter()
        request = boards_pb2.GetDepartmentBoardRequest(
            hospital=client.hospital, department=DEPARTMENT, min_position=client.position
        )
        board = await boards.GetDepartmentBoard(request)
        if board.rows[0].latest_entry != content.title:
            raise StoryFailed("the board does not show what was acknowledged")
        found.append((time.perf_counter() - acknowledged) * 1000)
    return found


async def _record_of_its_own(client: Client) -> str:
    patient = await client.send(
        client.patients.RegisterPatient,
        records_pb2.RegisterPatientRequest(
            context=client.context(),
            case_number="DEMO-1",
            identity=IDENTITY_STATUS_MATCHED,
            details=PatientDetails(name="Demo", gender="unknown"),
        ),
    )
    record = await client.send(
        client.records.RegisterRecord,
        records_pb2.RegisterRecordRequest(
            context=client.context(),
            patient_id=patient.receipt.record_id,
            visit_type=VISIT_TYPE_OUTPATIENT,
            visit_sequence=1,
            department=DEPARTMENT,
        ),
    )
    start = records_pb2.StartCareRequest(
        context=client.context(),
        record_id=record.receipt.record_id,
        department=DEPARTMENT,
        responsible=client.actor,
    )
    await client.send(client.records.StartCare, start)
    return record.receipt.record_id
