"""What a refusal of the service says: its reason and every fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import grpc.aio
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from ledger.api.v1.common_pb2 import Violation, Violations

_DETAILS = "grpc-status-details-bin"


def violations_of(error: grpc.aio.AioRpcError) -> Sequence[Violation]:
    """Every fault that it names."""
    found = Violations()
    _unpack(error, found)
    return found.violations


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """ErrorInfo.reason, else the name of the status code. Never its text."""
    info = ErrorInfo()
    _unpack(error, info)
    return info.reason or error.code().name


def _unpack(error: grpc.aio.AioRpcError, into: Message) -> None:
    for key, value in error.trailing_metadata():
        if key == _DETAILS:
            status = Status.FromString(cast("bytes", value))
            any(detail.Unpack(into) for detail in status.details)
