"""Episodes, boards and the register over the wire: paged, filtered and sorted by the server."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import boards_pb2 as boards
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from tests.contract.edge.clients import EdgeClient, GrpcClient, RpcFailed
from tests.contract.edge.composition import composed, projecting
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import PHYSICIAN, context
from tests.contract.edge.stays import Stays, year_of

_INDEX = "BoardService/GetPatientIndex"
_BOARD = "BoardService/GetDepartmentBoard"
_REGISTER = "ArchiveService/ListArchiveRegister"
_OUTPATIENT = common.VISIT_TYPE_OUTPATIENT
_NEWEST = boards.EPISODE_ORDER_NEWEST_FIRST
_FOREIGN = ("INVALID_ARGUMENT", "FOREIGN_PAGE_TOKEN")


@pytest.fixture
async def edge(idle_edge: RunningEdge) -> AsyncIterator[RunningEdge]:
    """A running edge with every view's queries, and the runner that keeps the views."""
    async with composed(idle_edge) as running, projecting(running.settings):
        yield running


@pytest.fixture
async def stays(client: EdgeClient, edge: RunningEdge) -> Stays:  # noqa: ARG001 - the client's calls need it
    """A patient without a stay."""
    stays = Stays(client)
    await stays.begin()
    return stays


async def _walked(
    client: EdgeClient, stays: Stays, between: Callable[[], Any] | None = None, **fields: Any
) -> list[str]:
    """Every episode, two a page; after the first page `between` happens once."""
    seen: list[str] = []
    token = ""
    while True:
        page = await client.call(_INDEX, stays.asked(page_size=2, page_token=token, **fields))
        assert page.patient_id == stays.patient_id
        assert [each.patient_id for each in page.identities] == [stays.patient_id]
        seen += [each.record_id for each in page.episodes]
        token = page.next_page_token
        if not token:
            return seen
        assert len(page.episodes) == 2
        if between is not None:
            await between()
            between = None


async def test_pages_of_episodes_hold_every_one_once(client: EdgeClient, stays: Stays) -> None:
    """Oldest or newest first, before 1970, of one moment and not started too; stays added meanwhile come last."""
    years = (2001, 1960, None, 2001, 1999)
    of = [await stays.add(year) for year in years]
    twins = sorted((of[0], of[3]))
    oldest = [of[1], of[4], *twins, of[2]]
    newest = [of[2], *twins, of[4], of[1]]
    assert await stays.found() == oldest
    assert await _walked(client, stays) == oldest
    assert await _walked(client, stays, order=boards.EPISODE_ORDER_OLDEST_FIRST) == oldest
    assert await _walked(client, stays, order=_NEWEST) == newest
    added: list[str] = []

    async def between() -> None:
        added.append(await stays.add(1955))
        added.append(await stays.add(2005))

    seen = await _walked(client, stays, between)
    assert seen == [*oldest, *sorted(added)]


async def test_episodes_by_kind_phase_and_span_of_time(client: EdgeClient, stays: Stays) -> None:
    """What has not ended reaches into every later span, what has not started into none; filters hold together."""
    clinic, ward, waits = await stays.add(2001, _OUTPATIENT), await stays.add(2003), await stays.add(None)
    end = records.EndCareRequest(context=context(), record_id=clinic, disposition=common.DISPOSITION_HOME)
    end.ended_at.CopyFrom(year_of(2002))
    stays.position = (await client.call("RecordService/EndCare", end)).receipt.position
    assert await stays.found(visit_types=[_OUTPATIENT]) == [clinic]
    assert await stays.found(visit_types=[_OUTPATIENT, common.VISIT_TYPE_INPATIENT]) == [clinic, ward, waits]
    assert await stays.found(phase=common.PHASE_REGISTERED) == [waits]
    assert await stays.found(care_before=year_of(2003)) == [clinic]
    assert await stays.found(care_from=year_of(2002)) == [clinic, ward]
    just_after = Timestamp(seconds=year_of(2002).seconds, nanos=1_000)
    assert await stays.found(care_from=just_after) == [ward]
    assert await stays.found(care_from=year_of(2002), care_before=year_of(2003)) == [clinic]
    assert await stays.found(care_from=year_of(2001), visit_types=[_OUTPATIENT], phase=common.PHASE_ACTIVE) == []
    assert await _walked(client, stays, visit_types=[common.VISIT_TYPE_INPATIENT], order=_NEWEST) == [waits, ward]


async def test_a_page_of_episodes_is_of_one_patient_filter_and_order(client: EdgeClient, stays: Stays) -> None:
    """Whatever else is asked with its token, and whatever is no token, is refused; a filter that leaves none is not."""
    for year in (2001, 2002):
        await stays.add(year)
    token = (await client.call(_INDEX, stays.asked(page_size=1))).next_page_token
    assert len((await client.call(_INDEX, stays.asked(page_size=1, page_token=token))).episodes) == 1
    other = Stays(client)
    await other.begin()
    for request in (
        stays.asked(page_token=token, order=_NEWEST),
        stays.asked(page_token=token, phase=common.PHASE_ACTIVE),
        stays.asked(page_token=token, visit_types=[common.VISIT_TYPE_INPATIENT]),
        stays.asked(page_token=token, care_from=year_of(2001)),
        stays.asked(page_token=token, care_before=year_of(2001)),
        other.asked(page_token=token),
        stays.asked(page_token="made up"),
    ):
        assert await _refused(client, _INDEX, request) == _FOREIGN
    nothing = await client.call(_INDEX, stays.asked(phase=common.PHASE_DUE))
    assert (nothing.patient_id, list(nothing.episodes), nothing.next_page_token) == (stays.patient_id, [], "")


async def test_a_request_for_episodes_names_every_fault(client: EdgeClient, stays: Stays) -> None:
    """All wrong fields at once."""
    request: Any = stays.asked(visit_types=[common.VISIT_TYPE_INPATIENT, 99], phase=99, order=99)
    request.patient_id = "nobody"
    with pytest.raises(RpcFailed) as failure:
        await client.call(_INDEX, request)
    assert failure.value.reason == "VALIDATION_FAILED"
    assert {field for field, _ in failure.value.violations} == {"patient_id", "visit_types[1]", "phase", "order"}


async def test_a_span_of_time_that_is_none(edge: RunningEdge) -> None:
    """Both ends are named; as JSON such times cannot be written."""
    client = GrpcClient(edge.addresses.grpc)
    request = boards.GetPatientIndexRequest(hospital="north", case_number="C1")
    request.care_from.seconds, request.care_before.nanos = 2**62, -1
    with pytest.raises(RpcFailed) as failure:
        await client.call(_INDEX, request)
    await client.close()
    assert failure.value.violations == [("care_from", "TIME_OUT_OF_RANGE"), ("care_before", "TIME_OUT_OF_RANGE")]


async def _refused(client: EdgeClient, rpc: str, request: Message) -> tuple[str, str]:
    with pytest.raises(RpcFailed) as failure:
        await client.call(rpc, request)
    return failure.value.code, failure.value.reason


async def test_a_board_by_bed_or_since_when_and_of_one_physician(client: EdgeClient, stays: Stays) -> None:
    """Each order page by page, of one physician, or of what waits for an answer; a token is of one such list."""
    late, early, waits = await stays.add(2002), await stays.add(2001), await stays.add(None)
    namesake = common.Actor(id=str(uuid4()), name=PHYSICIAN.name, role="physician", department="MED", licence="L-2")
    other = await stays.add(2003, bed="11", responsible=namesake)
    ask = records.RequestConsultationRequest(
        context=context(),
        record_id=early,
        to_department="CARD",
        urgency=common.URGENCY_ROUTINE,
        question="Rhythm?",
    )
    stays.position = (await client.call("RecordService/RequestConsultation", ask)).receipt.position
    by_since: dict[str, Any] = {"order": boards.BOARD_ORDER_SINCE}

    async def listed(**fields: Any) -> list[str]:
        seen: list[str] = []
        while True:
            asked = boards.GetDepartmentBoardRequest(hospital="north", department="MED", page_size=1, **fields)
            asked.min_position = stays.position
            page = await client.call(_BOARD, asked)
            seen += [row.record_id for row in page.rows]
            if not page.next_page_token:
                return seen
            fields["page_token"] = page.next_page_token

    assert await listed() == await listed(order=boards.BOARD_ORDER_BED) == [waits, other, *sorted((late, early))]
    assert await listed(**by_since) == [early, late, other, waits]
    assert await listed(responsible=PHYSICIAN.name, **by_since) == [early, late, other]
    assert await listed(responsible="Dr Nobody") == []
    # Two physicians may bear one name.
    assert await listed(responsible_id=PHYSICIAN.id, **by_since) == [early, late]
    assert await listed(responsible_id=namesake.id) == await listed(
        responsible=PHYSICIAN.name, responsible_id=namesake.id, **by_since
    )
    assert await listed(responsible_id=namesake.id) == [other]
    assert await listed(unanswered=True) == await listed(unanswered=True, **by_since) == [early]
    first = boards.GetDepartmentBoardRequest(hospital="north", department="MED", page_size=1)
    token = (await client.call(_BOARD, first)).next_page_token
    for request in (
        boards.GetDepartmentBoardRequest(hospital="north", department="MED", page_token=token, **by_since),
        boards.GetDepartmentBoardRequest(hospital="north", department="MED", page_token=token, responsible="Dr Hale"),
        boards.GetDepartmentBoardRequest(hospital="north", department="MED", page_token=token, unanswered=True),
        boards.GetDepartmentBoardRequest(hospital="north", department="MED", page_token=token, responsible_id="x"),
    ):
        assert await _refused(client, _BOARD, request) == _FOREIGN
    wrong: Any = boards.GetDepartmentBoardRequest(hospital="north", department="MED")
    wrong.order = 99
    assert await _refused(client, _BOARD, wrong) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")


async def test_the_register_of_one_department(client: EdgeClient, stays: Stays) -> None:
    """The last that had the patient; nobody has sealed or passed anything yet; a token is of one filter."""
    first, second = await stays.add(2001), await stays.add(2002)
    elsewhere = await stays.add(2003, department="ICU")

    async def listed(**fields: Any) -> list[tuple[str, str]]:
        asked = boards.ListArchiveRegisterRequest(hospital="north", min_position=stays.position, **fields)
        return [(row.record_id, row.department) for row in (await client.call(_REGISTER, asked)).rows]

    assert await listed(department="MED") == [(first, "MED"), (second, "MED")]
    assert await listed(department="ICU") == [(elsewhere, "ICU")]
    assert await listed(sealed=True) == await listed(quality_passed=True) == []
    page = boards.ListArchiveRegisterRequest(hospital="north", department="MED", page_size=1)
    token = (await client.call(_REGISTER, page)).next_page_token
    rest = boards.ListArchiveRegisterRequest(hospital="north", department="MED", page_token=token)
    assert [row.record_id for row in (await client.call(_REGISTER, rest)).rows] == [second]
    others: tuple[dict[str, Any], ...] = (
        {"department": "ICU"},
        {"department": "MED", "sealed": True},
        {"department": "MED", "quality_passed": True},
    )
    for fields in others:
        other = boards.ListArchiveRegisterRequest(hospital="north", page_token=token, **fields)
        assert await _refused(client, _REGISTER, other) == _FOREIGN
