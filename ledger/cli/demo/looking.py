"""Looking at a hospital's views, and choosing the record that the demo follows."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from ledger.api.v1 import boards_pb2, records_pb2
from ledger.api.v1.boards_pb2_grpc import ArchiveServiceStub, BoardServiceStub
from ledger.api.v1.common_pb2 import PHASE_ACTIVE, PHASE_CLOSED, VISIT_TYPE_INPATIENT
from ledger.api.v1.course_pb2 import ResumeCareRequest
from ledger.api.v1.course_pb2_grpc import CourseServiceStub
from ledger.cli.demo.client import Client
from ledger.cli.demo.tables import print_board, print_episodes, print_register


class StoryFailed(Exception):
    """The demo could not go on."""


@dataclass(frozen=True)
class Chosen:
    """The record that the demo follows: an inpatient stay with the most entries."""

    record_id: str
    department: str
    case_number: str
    patient_id: str


async def choose(client: Client, console: Console) -> Chosen:
    """The busiest record under care, found on the department boards; where everybody has gone home, one comes back."""
    best = await _busiest_under_care(client) or await _brought_back(client, console)
    request = records_pb2.GetRecordRequest(hospital=client.hospital, record_id=best)
    record = (await client.records.GetRecord(request)).record
    return Chosen(record.record_id, record.department, record.case_number, record.patient_id)


async def _busiest_under_care(client: Client) -> str | None:
    boards = BoardServiceStub(client.channel)
    departments = await boards.ListDepartments(
        boards_pb2.ListDepartmentsRequest(hospital=client.hospital, min_position=client.position)
    )
    best: tuple[int, str] | None = None
    for department in departments.departments:
        request = boards_pb2.GetDepartmentBoardRequest(
            hospital=client.hospital, department=department.department, page_size=1000
        )
        for row in (await boards.GetDepartmentBoard(request)).rows:
            if row.phase == PHASE_ACTIVE and (best is None or row.entries > best[0]):
                best = (row.entries, row.record_id)
    return best[1] if best else None


async def _brought_back(client: Client, console: Console) -> str:
    """The inpatient stay with most events whose care has ended: its discharge is withdrawn.

    A simulated year leaves nobody in the house.
    """
    register = await ArchiveServiceStub(client.channel).ListArchiveRegister(
        boards_pb2.ListArchiveRegisterRequest(
            hospital=client.hospital, phase=PHASE_CLOSED, page_size=1000, min_position=client.position
        )
    )
    stays = [row for row in register.rows if row.visit_type == VISIT_TYPE_INPATIENT]
    if not stays:
        raise StoryFailed("no record is under care, and no stay has ended")
    record_id = max(stays, key=lambda row: row.record_version).record_id
    request = ResumeCareRequest(context=client.context(), record_id=record_id, reason="came back from the door")
    await client.send(CourseServiceStub(client.channel).ResumeCare, request)
    console.print("Nobody of the input is under care: the discharge of the busiest stay is withdrawn (CareResumed).")
    return record_id


async def show_views(client: Client, chosen: Chosen, console: Console) -> None:
    """A department board, the archive register, a patient's index."""
    boards, archive = BoardServiceStub(client.channel), ArchiveServiceStub(client.channel)
    board = await boards.GetDepartmentBoard(
        boards_pb2.GetDepartmentBoardRequest(
            hospital=client.hospital, department=chosen.department, page_size=8, min_position=client.position
        )
    )
    print_board(board, f"Department {chosen.department} of {client.hospital}: who is here", console)
    register = await archive.ListArchiveRegister(
        boards_pb2.ListArchiveRegisterRequest(hospital=client.hospital, page_size=6, min_position=client.position)
    )
    print_register(register, f"Archive register of {client.hospital} (first rows)", console)
    index = await boards.GetPatientIndex(
        boards_pb2.GetPatientIndexRequest(
            hospital=client.hospital, patient_id=chosen.patient_id, min_position=client.position
        )
    )
    print_episodes(index, f"Patient {index.case_number}: all episodes", console)
