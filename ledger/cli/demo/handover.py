"""A record handed over to another hospital, whose consumer receives, checks and accepts it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from consumers.fork_evidence import LAST
from ledger.api.v1 import records_pb2, transfers_pb2
from ledger.api.v1.common_pb2 import TRANSFER_KIND_TRANSFER, TRANSFER_STATE_COMPLETED
from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.demo.checks import Checks
from ledger.cli.demo.client import Client
from ledger.cli.demo.looking import Chosen, StoryFailed
from ledger.cli.demo.tables import print_transfers
from ledger.cli.desks import CHECKPOINTS
from ledger.config import Settings
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.note import parse_note

if TYPE_CHECKING:  # the generated stubs know it, the generated code does not
    from ledger.api.v1.records_pb2_grpc import RecordServiceAsyncStub

TRANSFER_SECONDS_MAX = 60.0
"""With the waits for the heads that have to cover offer and answers."""
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


def check_heads(settings: Settings, sender: str, recipient: str, checks: Checks) -> None:
    """That each side has taken the other's word under a head of the other's log."""
    seen = {each: _heads_seen(settings.data_dir / "consumers" / each / CHECKPOINTS) for each in (sender, recipient)}
    checks.say(
        "offer and answers were taken under signed heads of the other hospital's log",
        holds=_is_of(seen[recipient], sender) and _is_of(seen[sender], recipient),
        compared="; ".join(f"{each} has seen {_named(heads)}" for each, heads in seen.items()),
    )


def _heads_seen(folder: Path) -> list[Checkpoint]:
    return [parse_checkpoint(parse_note(each.read_bytes()).text) for each in sorted(folder.glob(f"*/{LAST}"))]


def _is_of(heads: list[Checkpoint], hospital: str) -> bool:
    return any(f"/{hospital}/" in each.origin for each in heads)


def _named(heads: list[Checkpoint]) -> str:
    return ", ".join(f"{each.origin} at {each.size:,}" for each in heads) or "no log"


async def _head(client: Client) -> int:
    request = GetStatusRequest(hospital=client.hospital)
    (hospital,) = (await OperationsServiceStub(client.channel).GetStatus(request)).hospitals
    return hospital.head
