"""Events of the rulebook pass through every view and tell nobody of patients anything."""

from __future__ import annotations

from typing import Any

from ledger.api.v1 import boards_pb2 as boards
from ledger.api.v1 import stream_pb2 as stream
from ledger.api.v1 import transfers_pb2 as transfers
from ledger.api.v1 import usage_pb2 as usage
from ledger.api.v1 import worklist_pb2 as worklist
from projections.views import ALL
from tests.contract.edge.clients import GrpcClient
from tests.contract.edge.composition import composed, projecting
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import open_record
from tests.contract.edge.rulebook_requests import add_pack, add_templates, choose


async def test_every_view_goes_on_over_the_rulebook(idle_edge: RunningEdge) -> None:
    """No dead letter in any view, and the events are counted like all others."""
    async with composed(idle_edge) as edge, projecting(edge.settings):
        client = GrpcClient(edge.addresses.grpc)
        await client.call("RulebookService/AddTemplates", add_templates())
        await client.call("RulebookService/AddRulePack", add_pack())
        await client.call("RulebookService/ChooseRulePack", choose())
        ward = await open_record(client)
        head = await edge.ledger.head("north")
        asked: dict[str, Any] = {"hospital": "north", "min_position": head}
        metered = await client.call("UsageService/GetUsage", usage.GetUsageRequest(**asked))
        await client.call("BoardService/ListDepartments", boards.ListDepartmentsRequest(**asked))
        await client.call(
            "BoardService/GetPatientIndex", boards.GetPatientIndexRequest(patient_id=ward.patient_id, **asked)
        )
        await client.call("BoardService/GetWorklist", worklist.GetWorklistRequest(records_office=True, **asked))
        await client.call("ArchiveService/ListArchiveRegister", boards.ListArchiveRegisterRequest(**asked))
        await client.call("TransferService/ListTransfers", transfers.ListTransfersRequest(**asked))
        for view in ALL:
            ask = stream.ListDeadLettersRequest(hospital="north", view=view.name)
            assert not (await client.call("OperationsService/ListDeadLetters", ask)).dead_letters
        await client.close()
    assert sum(day.events for day in metered.days) == head
