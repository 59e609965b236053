"""What an archive office and its monitor tell the service whose log they have compared with."""

from __future__ import annotations

import click
import grpc
import grpc.aio

from consumers.patience import Patience, ServiceUnavailable
from consumers.reader_report import ReaderReport
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub

_PATIENCE = Patience(attempts_max=2, call_seconds_max=5.0)


async def tell_service(hospital: str, address: str, state: str, reader: str = "archive-office") -> None:
    """Shows the service how its reader fares; that it cannot be told changes nothing of what was found."""
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            await ReaderReport(OperationsServiceStub(channel), hospital, reader, _PATIENCE).say(state)
    except (ServiceUnavailable, grpc.RpcError) as error:
        click.echo(f"the service could not be told: {type(error).__name__}", err=True)
