"""google.rpc.Status as an error of the Connect protocol."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import cast

from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from google.protobuf import any_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.symbol_database import Default
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from protobuf.wkt import Any as ConnectAny
from protobuf.wkt import Struct


def connect_error(status: Status) -> ConnectError:
    """The same code, message and details."""
    return ConnectError(_code(status.code), status.message, [_ReadableDetail(each) for each in status.details])


def status_json(status: Status) -> bytes:
    """The body of a unary failure as Connect has it, for what is refused before the protocol begins."""
    details = [
        {"type": each.TypeName(), "value": b64encode(each.value).decode().rstrip("="), "debug": _content(each)}
        for each in status.details
    ]
    return json.dumps({"code": _code(status.code).value, "message": status.message, "details": details}).encode()


def _code(number: int) -> Code:
    if number == code_pb2.CANCELLED:
        return Code.CANCELED
    return Code(code_pb2.Code.Name(cast("code_pb2.Code", number)).lower())


class _ReadableDetail(ErrorDetail):
    """A detail that also shows its content as JSON, so that a person with curl can read the reason."""

    def __init__(self, detail: any_pb2.Any) -> None:
        super().__init__(ConnectAny(type_url=detail.type_url, value=detail.value))
        self._shown = Struct.from_json(json.dumps(_content(detail)))

    def value(self, *_: object) -> Struct:  # pyright: ignore[reportIncompatibleMethodOverride] # one answer for all
        """The content as the library puts it under `debug`."""
        return self._shown


def _content(detail: any_pb2.Any) -> dict[str, object]:
    message: Message = Default().GetSymbol(detail.TypeName())()
    detail.Unpack(message)
    return MessageToDict(message)
