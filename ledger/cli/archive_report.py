"""What an archive office and its monitor tell the service whose log they have compared with, and hear from it."""

from __future__ import annotations

import click
import grpc
import grpc.aio

from consumers.archive_office.archived_tree import ArchiveDiffers
from consumers.checkpoints import LogForked, NotConsistent
from consumers.patience import Patience, ServiceUnavailable
from consumers.reader_report import ReaderReport
from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub

_PATIENCE = Patience(attempts_max=2, call_seconds_max=5.0)
_STATUS_SECONDS_MAX = 5.0
_OWN_SENDERS = frozenset({"transfers", "receiving-hospital"})
"""Readers whose `forked` is about the logs of hospitals that send to this one."""


def state_after(error: LogForked | NotConsistent | ArchiveDiffers) -> str:
    """`forked`, or `unproven` where the log that is asked again may yet prove that all is one tree."""
    return "forked" if isinstance(error, LogForked) else "unproven"


async def tell_service(hospital: str, address: str, state: str, reader: str = "archive-office") -> None:
    """Shows the service how its reader fares; that it cannot be told changes nothing of what was found."""
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            await ReaderReport(OperationsServiceStub(channel), hospital, reader, _PATIENCE).say(state)
    except (ServiceUnavailable, grpc.RpcError) as error:
        click.echo(f"the service could not be told: {type(error).__name__}", err=True)


async def say_forks_seen(hospital: str, address: str) -> None:
    """Names who has told the service that the hospital's log has shown it two trees: the archive office is to know."""
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            status = await OperationsServiceStub(channel).GetStatus(GetStatusRequest(), timeout=_STATUS_SECONDS_MAX)
    except grpc.RpcError as error:
        click.echo(f"the service could not be asked who has seen a fork: {type(error).__name__}", err=True)
        return
    for each in status.hospitals:
        for reader in each.readers if each.hospital == hospital else ():
            if reader.state == "forked" and reader.reader not in _OWN_SENDERS:
                click.echo(f"ALARM: {reader.reader} has seen a fork of the log of {hospital}", err=True)
