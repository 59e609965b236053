"""Bad input, one way at a time: each is answered by one typed error, and nothing is written."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.boards_pb2 import GetDepartmentBoardRequest
from ledger.api.v1.stream_pb2 import AddHospitalRequest, ReadHospitalRequest
from ledger.api.v1.transfers_pb2 import FetchPackageRequest, GetPackageRequest, OfferTransferRequest
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import (
    Ward,
    ahead,
    context,
    open_record,
    record_entry,
    register_patient,
    register_record,
    start_care,
)

Trial = Callable[[], Awaitable[Any]]


async def refused(edge: RunningEdge, trial: Awaitable[Any]) -> RpcFailed:
    """The one typed error of a call that must change nothing."""
    heads = [await edge.ledger.head(each) for each in ("north", "south")]
    with pytest.raises(RpcFailed) as failure:
        await trial
    assert len(failure.value.infos) == 1
    assert failure.value.infos[0].domain == "ledger"
    assert "Example" not in str(failure.value), "no patient data in an error"
    assert [await edge.ledger.head(each) for each in ("north", "south")] == heads
    return failure.value


def entry_with(record_id: str, **content: Any) -> records.RecordEntryRequest:
    """An entry whose content differs in one thing."""
    request = record_entry(record_id)
    request.content.MergeFrom(common.EntryContent(**content))
    return request


@pytest.fixture
async def ward(client: EdgeClient) -> Ward:
    """A record under care."""
    return await open_record(client)


@pytest.mark.parametrize("hospital", ["nowhere", "", "North", "north'; drop table"])
async def test_unknown_hospital(client: EdgeClient, edge: RunningEdge, hospital: str) -> None:
    """A command for a hospital that is not in the registry."""
    error = await refused(edge, client.call("PatientService/RegisterPatient", register_patient(hospital)))
    assert (error.code, error.reason, error.facts) == ("NOT_FOUND", "UNKNOWN_HOSPITAL", {"hospital": hospital})


@pytest.mark.parametrize("command", [start_care, record_entry])
async def test_unknown_record(client: EdgeClient, edge: RunningEdge, command: Callable[[str], Any]) -> None:
    """A command on a record that was never registered."""
    request, record_id = command("00000000-0000-4000-8000-000000000001"), "00000000-0000-4000-8000-000000000001"
    rpc = type(request).__name__.removesuffix("Request")
    error = await refused(edge, client.call(f"RecordService/{rpc}", request))
    assert (error.code, error.reason, error.facts) == ("NOT_FOUND", "UNKNOWN_RECORD", {"record_id": record_id})


async def test_reads_of_what_is_not_there(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """Unknown record, entry, package and transfer are NOT_FOUND, each with a reason of its own."""
    nobody = str(uuid4())
    fetch = FetchPackageRequest(hospital="north", record_id=ward.record_id, transfer_id=nobody, recipient="south")
    trials = {
        "UNKNOWN_RECORD": client.call(
            "RecordService/GetRecord", records.GetRecordRequest(hospital="north", record_id=nobody)
        ),
        "UNKNOWN_ENTRY": client.call(
            "RecordService/GetEntry",
            records.GetEntryRequest(hospital="north", record_id=ward.record_id, entry_id=nobody),
        ),
        "UNKNOWN_PACKAGE": client.call(
            "TransferService/GetPackage", GetPackageRequest(hospital="north", transfer_id=nobody)
        ),
    }
    for reason, trial in trials.items():
        error = await refused(edge, trial)
        assert (error.code, error.reason) == ("NOT_FOUND", reason)
    error = await refused(edge, anext(client.stream("TransferService/FetchPackage", fetch)))
    assert (error.code, error.reason) == ("NOT_FOUND", "UNKNOWN_PACKAGE")


async def test_wrong_expected_version(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """Somebody wrote in between: the client learns which version there is."""
    request = record_entry(ward.record_id)
    request.context.expected_version = 1
    error = await refused(edge, client.call("RecordService/RecordEntry", request))
    assert (error.code, error.reason) == ("ABORTED", "VERSION_MISMATCH")
    assert error.facts == {"expected": "1", "actual": "2"}


async def test_a_reused_command_id_with_other_content(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """Other content, or another method, under an id that is taken; also where the version would not fit either."""
    done = record_entry(ward.record_id, "first")
    await client.call("RecordService/RecordEntry", done)
    other = record_entry(ward.record_id, "second")
    other.context.command_id = done.context.command_id
    error = await refused(edge, client.call("RecordService/RecordEntry", other))
    assert (error.code, error.reason) == ("ALREADY_EXISTS", "COMMAND_ID_REUSED")
    other.context.expected_version = 99
    error = await refused(edge, client.call("RecordService/RecordEntry", other))
    assert error.reason == "COMMAND_ID_REUSED"
    patient = register_patient()
    patient.context.command_id = done.context.command_id
    error = await refused(edge, client.call("PatientService/RegisterPatient", patient))
    assert error.reason == "COMMAND_ID_REUSED"


async def test_an_oversize_entry(edge: RunningEdge, ward: Ward) -> None:
    """Above 512 KiB the body is refused, above 1 MiB the request; both say so in types."""
    error = await refused(edge, ward.enter("x" * (600 * 1024)))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert ("content", "BODY_TOO_LARGE") in error.violations
    error = await refused(edge, ward.enter("x" * (1100 * 1024)))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "REQUEST_TOO_LARGE")
    assert error.facts["limit"] == str(1024 * 1024)


async def test_an_unknown_template(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """A template, or a version of one, that the hospital does not have."""
    unknown = [
        ({"template": "horoscope"}, ("content.template", "UNKNOWN_TEMPLATE")),
        ({"template_version": 99}, ("content.template_version", "UNKNOWN_TEMPLATE_VERSION")),
    ]
    for changed, violation in unknown:
        error = await refused(edge, client.call("RecordService/RecordEntry", entry_with(ward.record_id, **changed)))
        assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
        assert error.violations == [violation]


async def test_an_unknown_section_or_field(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """What the template does not have is refused with its path, not kept beside it."""
    request = record_entry(ward.record_id)
    sections = [
        common.Section(code="administrative", fields=[common.Field(code="mood", text="good")]),
        common.Section(code="weather", text="fine"),
    ]
    request.content.CopyFrom(common.EntryContent(template="front_page", template_version=1, sections=sections))
    error = await refused(edge, client.call("RecordService/RecordEntry", request))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert error.violations == [
        ("content.sections[0].fields[0].code", "UNKNOWN_FIELD"),
        ("content.sections[1].code", "UNKNOWN_SECTION"),
        ("content.sections", "MISSING_SECTION"),
    ]


async def test_a_missing_required_section(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """An admission note without what it must have."""
    request = record_entry(ward.record_id)
    request.content.CopyFrom(common.EntryContent(template="admission_note", template_version=1, title="Admission"))
    error = await refused(edge, client.call("RecordService/RecordEntry", request))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert error.violations == [("content.sections", "EMPTY_ENTRY"), *[("content.sections", "MISSING_SECTION")] * 4]


async def test_a_code_outside_its_set(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """A code that its set does not have, and one of a system that the field does not take."""
    request = record_entry(ward.record_id)
    route = common.Coding(system="urn:ledger:admission-route", code="by parachute")
    diagnosis = common.Coding(system="urn:house:codes", code="17")
    sections = [
        common.Section(code="diagnoses", fields=[common.Field(code="principal_diagnosis", coding=diagnosis)]),
        common.Section(code="administrative", fields=[common.Field(code="admission_route", coding=route)]),
    ]
    request.content.CopyFrom(common.EntryContent(template="front_page", template_version=1, sections=sections))
    error = await refused(edge, client.call("RecordService/RecordEntry", request))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert error.violations == [
        ("content.sections[0].fields[0].coding.system", "SYSTEM_NOT_ALLOWED"),
        ("content.sections[0].fields[0].coding.code", "CODE_NOT_IN_SET"),
        ("content.sections[1].fields[0].coding.code", "CODE_NOT_IN_SET"),
    ]


async def test_a_time_in_the_future(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """More than five minutes ahead of the server's clock."""
    request = record_entry(ward.record_id)
    request.context.occurred_at.CopyFrom(ahead(hours=1))
    error = await refused(edge, client.call("RecordService/RecordEntry", request))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert error.violations == [("context.occurred_at", "TIME_IN_FUTURE")]


async def test_a_person_of_the_future(client: EdgeClient, edge: RunningEdge) -> None:
    """Born or dead after today, or on no day at all: both are named, and neither is repeated."""
    request = register_patient()
    request.details.birth_date, request.details.deceased_at = "2099-01-01", "<b>yesterday</b>"
    error = await refused(edge, client.call("PatientService/RegisterPatient", request))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert error.violations == [
        ("details.birth_date", "TIME_IN_FUTURE"),
        ("details.deceased_at", "MALFORMED_DATE"),
    ]


async def test_every_fault_of_shape_at_once(client: EdgeClient, edge: RunningEdge) -> None:
    """Malformed ids, a missing actor and an unspecified enum come back in one answer, each with its path."""
    request = register_record("not-a-uuid")
    request.context.command_id = "{" + str(uuid4()) + "}"
    request.context.ClearField("actor")
    request.visit_type = common.VISIT_TYPE_UNSPECIFIED
    error = await refused(edge, client.call("RecordService/RegisterRecord", request))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert {field for field, _ in error.violations} == {
        "context.command_id",
        "context.actor",
        "patient_id",
        "visit_type",
    }


async def test_an_offer_to_a_hospital_that_does_not_exist(client: EdgeClient, edge: RunningEdge, ward: Ward) -> None:
    """A record is offered only to somebody in the registry."""
    request = OfferTransferRequest(
        context=context(), record_id=ward.record_id, recipient="nowhere", kind=common.TRANSFER_KIND_REFERRAL
    )
    error = await refused(edge, client.call("TransferService/OfferTransfer", request))
    assert (error.code, error.violations) == ("NOT_FOUND", [("recipient", "UNKNOWN_HOSPITAL")])


async def test_a_position_that_does_not_exist(client: EdgeClient, edge: RunningEdge) -> None:
    """A reader that is ahead of the ledger reads another ledger than it thinks."""
    stream = client.stream("StreamService/ReadHospital", ReadHospitalRequest(hospital="north", after_position=1))
    error = await refused(edge, anext(stream))
    assert (error.code, error.facts) == ("OUT_OF_RANGE", {"asked": "1", "head": "0"})


@pytest.mark.parametrize(
    ("request_", "rpc", "field"),
    [
        (records.FindRecordsRequest(hospital="north"), "RecordService/FindRecords", "by"),
        (GetPackageRequest(hospital="north"), "TransferService/GetPackage", "by"),
        (records.GetRecordRequest(hospital="north", record_id="x"), "RecordService/GetRecord", "record_id"),
        (AddHospitalRequest(hospital_id="North"), "HospitalService/AddHospital", "hospital_id"),
        (AddHospitalRequest(hospital_id="west", partitions=257), "HospitalService/AddHospital", "partitions"),
        (AddHospitalRequest(hospital_id="west", address="not an address"), "HospitalService/AddHospital", "address"),
        (AddHospitalRequest(hospital_id="west", address="\0"), "HospitalService/AddHospital", "address"),
        (AddHospitalRequest(hospital_id="west", display_name="W\nG"), "HospitalService/AddHospital", "display_name"),
        (
            AddHospitalRequest(hospital_id="west", display_name="西" * 201),
            "HospitalService/AddHospital",
            "display_name",
        ),
    ],
)
async def test_an_argument_that_does_not_fit(
    client: EdgeClient, edge: RunningEdge, request_: Any, rpc: str, field: str
) -> None:
    """Refused with the field's name."""
    error = await refused(edge, client.call(rpc, request_))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert [each for each, _ in error.violations] == [field]


async def test_a_foreign_page_token(client: EdgeClient, edge: RunningEdge) -> None:
    """Not made for this list."""
    request = records.ListRecordsRequest(hospital="north", page_token="AQIDBAUGBwgJCgsM")
    error = await refused(edge, client.call("RecordService/ListRecords", request))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FOREIGN_PAGE_TOKEN")


async def test_a_hospital_again_with_other_settings(client: EdgeClient, edge: RunningEdge) -> None:
    """The partition count is fixed when a hospital is added."""
    request = AddHospitalRequest(hospital_id="north", partitions=7)
    error = await refused(edge, client.call("HospitalService/AddHospital", request))
    assert (error.code, error.reason) == ("ALREADY_EXISTS", "HOSPITAL_DIFFERS")


async def test_a_view_that_is_not_served_here(client: EdgeClient, edge: RunningEdge) -> None:
    """A server without a view's queries says so, by the method's name."""
    request = GetDepartmentBoardRequest(hospital="north", department="MED")
    error = await refused(edge, client.call("BoardService/GetDepartmentBoard", request))
    assert (error.code, error.reason) == ("UNIMPLEMENTED", "VIEW_NOT_SERVED_HERE")
    assert error.facts == {"rpc": "ledger.api.v1.BoardService/GetDepartmentBoard"}
