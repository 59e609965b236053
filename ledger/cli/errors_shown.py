"""How a command of the program shows an error of the service: one line, no traceback, status 1."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import click
import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status


@contextmanager
def shown_errors() -> Generator[None]:
    """Turns an RPC error into one line with its code and reason."""
    try:
        yield
    except grpc.RpcError as error:
        raise click.ClickException(describe(error)) from error


def describe(error: grpc.RpcError) -> str:
    """Code, reason and text of an RPC error."""
    code = error.code().name  # pyright: ignore[reportAttributeAccessIssue]  # every raised RpcError is a Call
    return f"{code} {reason(error)}: {error.details()}".strip()  # pyright: ignore[reportAttributeAccessIssue]  # as above


def reason(error: grpc.RpcError) -> str:
    """The ErrorInfo.reason of an RPC error; empty where the service gave none."""
    status = rpc_status.from_call(error)  # pyright: ignore[reportArgumentType]  # every raised RpcError is a Call
    info = ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return info.reason
    return ""
