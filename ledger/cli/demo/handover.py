"""A record handed over to another hospital, whose consumer receives, checks and accepts it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from rich.console import Console

from ledger.api.v1 import records_pb2, transfers_pb2
from ledger.api.v1.common_pb2 import TRANSFER_KIND_TRANSFER, TRANSFER_STATE_COMPLETED
from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.demo.client import Client
from ledger.cli.demo.looking import Chosen, StoryFailed
from ledger.cli.demo.tables import print_transfers

if TYPE_CHECKING:  # the generated stubs know it, the generated code does not
    from ledger.api.v1.records_pb2_grpc import RecordServiceAsyncStub

TRANSFER_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.1


async def transfer(sender: Client, recipient: Client, chosen: Chosen, console: Console) -> int:
    """Offers the record to the other hospital and waits until its consumer has accepted; shows both sides.

    The number of events that the hospital's own consumer added meanwhile: the other side's answers.
    """
    offered = await sender.send(
        sender.transfers.OfferTransfer,
        transfers_pb2.OfferTransferRequest(
            context=sender.context(),
            record_id=chosen.record_id,
            recipient=recipient.hospital,
            kind=TRANSFER_KIND_TRANSFER,
        ),
    )
    version = await until_completed(sender.records, sender.hospital, chosen.record_id, offered.transfer_id)
    for side in (sender, recipient):
        listed = await side.transfers.ListTransfers(
            transfers_pb2.ListTransfersRequest(hospital=side.hospital, page_size=5, min_position=await _head(side))
        )
        print_transfers(listed, f"Transfers as {side.hospital} knows them", console)
    return version - offered.receipt.record_version


async def until_completed(records: RecordServiceAsyncStub, hospital: str, record_id: str, transfer_id: str) -> int:
    """Waits until the transfer is completed; the record's version then. Raises StoryFailed."""
    deadline = time.monotonic() + TRANSFER_SECONDS_MAX
    request = records_pb2.GetRecordRequest(hospital=hospital, record_id=record_id)
    while time.monotonic() < deadline:
        record = (await records.GetRecord(request)).record
        states = {each.transfer_id: each.state for each in record.transfers}
        if states.get(transfer_id) == TRANSFER_STATE_COMPLETED:
            return record.version
        await asyncio.sleep(LOOK_SECONDS)
    raise StoryFailed("the other hospital did not accept the transfer in time")


async def _head(client: Client) -> int:
    request = GetStatusRequest(hospital=client.hospital)
    (hospital,) = (await OperationsServiceStub(client.channel).GetStatus(request)).hospitals
    return hospital.head
