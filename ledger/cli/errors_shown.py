"""How a command of the program shows an error of the service: one line, no traceback, status 1."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import click
import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from ledger.api.v1.common_pb2 import Violation, Violations
from ledger.store.errors import StoreError, StoreUnavailable


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
    info = ErrorInfo()
    return info.reason if _unpack(error, info) else ""


def violations_of(error: grpc.RpcError) -> list[Violation]:
    """Every fault that a refusal names."""
    found = Violations()
    return list(found.violations) if _unpack(error, found) else []


def violations_left_out(error: grpc.RpcError) -> int:
    """How many faults more there are than the status had room for."""
    info = ErrorInfo()
    return int(info.metadata.get("violations_left_out", "0")) if _unpack(error, info) else 0


def _unpack(error: grpc.RpcError, into: Message) -> bool:
    """Fills a message from the first detail of its type; whether there was one."""
    call = cast("grpc.Call", error)  # every RpcError that a stub raises is one
    status = cast("Status | None", rpc_status.from_call(call))
    return status is not None and any(detail.Unpack(into) for detail in status.details)


def said(error: Exception) -> str:
    """An error in one line: what it says, and what PostgreSQL said where it cannot be reached."""
    words = (
        " ".join(str(fact) for fact in error.args if fact is not None) if isinstance(error, StoreError) else str(error)
    )
    cause = error.__cause__
    if isinstance(error, StoreUnavailable) and cause is not None:
        words += f" ({str(cause).strip().splitlines()[0]})"
    return words or type(error).__name__
