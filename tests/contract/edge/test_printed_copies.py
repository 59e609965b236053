"""`ledger copy` on a real service: what was issued is what is printed."""

import asyncio
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader

from ledger.api.v1 import keeping_pb2
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.events_pb2 import PatientDetails
from ledger.api.v1.stream_pb2 import AddHospitalRequest
from ledger.cli.main import main
from tests.contract.edge.clients import GrpcClient
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import context, open_record
from tests.contract.edge.test_whole_life import ARCHIVIST, by

MARK = "Certified copy 病案复印件"


async def _printed(edge: RunningEdge, record_id: str, copy_id: str, out: Path) -> Result:
    arguments = ["copy", "north", record_id, copy_id, "--out", str(out), "--address", edge.addresses.grpc]
    # In a thread: the command has a loop of its own, and the server runs in this one.
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


@pytest.mark.parametrize("suffix", ["pdf", "html"])
async def test_an_issued_copy_is_printed(edge: RunningEdge, tmp_path: Path, suffix: str) -> None:
    """With version and head of the moment of its issue; what was retracted since is not shown, nor what came later."""
    client = GrpcClient(edge.addresses.grpc)
    ward = await open_record(client)
    first = await ward.enter("To be withdrawn.")
    await ward.enter("Stable 平稳.")
    issue = keeping_pb2.IssueCopyRequest(
        context=by(ARCHIVIST), record_id=ward.record_id, applicant="N. N.", relation="the patient", mark=MARK
    )
    issued = await client.call("KeepingService/IssueCopy", issue)
    retract = records.RetractEntryRequest(
        context=context(), record_id=ward.record_id, entry_id=first.entry_id, reason="wrong patient"
    )
    await client.call("RecordService/RetractEntry", retract)
    await ward.enter("Written later.")
    married = PatientDetails(name="Jane Married", birth_date="1950-01-31", gender="female")
    amend = records.AmendPatientRequest(
        context=context(), patient_id=ward.patient_id, details=married, reason="married"
    )
    await client.call("PatientService/AmendPatient", amend)
    request = records.GetRecordRequest(hospital="north", record_id=ward.record_id, version=4)
    then = (await client.call("RecordService/GetRecord", request)).record
    out = tmp_path / f"copy.{suffix}"
    named = AddHospitalRequest(hospital_id="north", display_name="North General 北方")
    await client.call("HospitalService/AddHospital", named)
    done = await _printed(edge, ward.record_id, issued.copy_id, out)
    await client.close()
    assert done.exit_code == 0, done.output
    assert ("--font embeds one" in done.output) == (suffix == "pdf"), "its mark is partly Chinese"
    data = out.read_bytes()
    text = data.decode() if suffix == "html" else PdfReader(BytesIO(data)).pages[0].extract_text()
    text = "".join(text.split())
    head = f"Version 4, head {then.head_leaf.hex()}"
    face = "North General 北方. Patient: Jane Example, born 1950-01-31"
    for said in (
        face,
        "All times are those of Asia/Shanghai",
        f"Record {then.case_number}, inpatient visit 1",
        head,
        MARK,
    ):
        assert "".join(said.split()) in text
    assert "Stable平稳." in text
    assert "withdrawn" not in text
    assert "later" not in text
    assert "Married" not in text, "the name is the one of the moment of its issue"


async def test_what_cannot_be_printed_is_said_in_one_line(edge: RunningEdge, tmp_path: Path) -> None:
    """No such copy, no such record, no format of that name: status 1 or 2, and no file."""
    client = GrpcClient(edge.addresses.grpc)
    ward = await open_record(client)
    await client.close()
    nobody = str(UUID(int=7))
    out = tmp_path / "copy.pdf"
    for record_id, file, code, said in (
        (ward.record_id, out, 1, "No copy of that id"),
        (nobody, out, 1, "UNKNOWN_RECORD"),
        (ward.record_id, tmp_path / "copy.doc", 2, ".pdf or .html"),
    ):
        done = await _printed(edge, record_id, nobody, file)
        assert (done.exit_code, said in done.output) == (code, True), done.output
        assert not file.exists()
