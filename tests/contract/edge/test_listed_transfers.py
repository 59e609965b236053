"""`ledger transfers` on a real service: every page, what senders have changed since, and what came since a fork."""

from __future__ import annotations

import asyncio

from click.testing import CliRunner

from ledger.api.v1.common_pb2 import TRANSFER_STATE_ACCEPTED, TRANSFER_STATE_COMPLETED
from ledger.api.v1.transfers_pb2 import ListTransfersRequest, ListTransfersResponse, TransferRow
from ledger.cli.main import main
from tests.contract.edge.conftest import RunningEdge

_RPC = "ledger.api.v1.TransferService/ListTransfers"
_IN = TransferRow(
    transfer_id="t-1", direction="received", counterpart="south", state=TRANSFER_STATE_ACCEPTED, outdated=True
)
_DOUBTED = TransferRow(transfer_id="t-3", direction="received", counterpart="south", since_fork=True)
_OUT = TransferRow(transfer_id="t-2", direction="sent", counterpart="west", state=TRANSFER_STATE_COMPLETED)


async def _listed(edge: RunningEdge, *options: str) -> list[str]:
    arguments = ["transfers", "north", *options, "--address", edge.addresses.grpc]
    # In a thread: the command has a loop of its own, and the server runs in this one.
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.output.splitlines() if "t-" in line]


async def test_transfers_are_listed_with_what_was_changed_since(idle_edge: RunningEdge) -> None:
    """All of them page by page, or those alone that wait for a later version, or came since a fork."""

    async def query(request: ListTransfersRequest) -> ListTransfersResponse:
        if request.since_fork:
            return ListTransfersResponse(transfers=[_DOUBTED])
        if request.outdated:
            return ListTransfersResponse(transfers=[_IN])
        if not request.page_token:
            return ListTransfersResponse(transfers=[_IN], next_page_token="more")  # no password
        return ListTransfersResponse(transfers=[_OUT])

    idle_edge.queries[_RPC] = query
    await idle_edge.start()
    first, second = await _listed(idle_edge)
    assert ("ACCEPTED" in first, "yes" in first) == (True, True)
    assert ("COMPLETED" in second, "yes" in second) == (True, False)
    assert await _listed(idle_edge, "--outdated") == [first]
    (doubted,) = await _listed(idle_edge, "--since-fork")
    assert ("t-3" in doubted, "yes" in doubted) == (True, True)
