"""The methods of the contract, read from its descriptors: no list of them is kept by hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ledger.api.v1 import (
    boards_pb2,
    course_pb2,
    disposal_pb2,
    identity_pb2,
    keeping_pb2,
    keys_pb2,
    proofs_pb2,
    purges_pb2,
    records_pb2,
    rulebook_pb2,
    stream_pb2,
    transfers_pb2,
    usage_pb2,
)
from ledger.api.v1.common_pb2 import CommandContext

CONTRACT_FILES = (
    records_pb2,
    course_pb2,
    keeping_pb2,
    disposal_pb2,
    identity_pb2,
    proofs_pb2,
    rulebook_pb2,
    boards_pb2,
    usage_pb2,
    transfers_pb2,
    stream_pb2,
    keys_pb2,
    purges_pb2,
)


class Shape(Enum):
    """Which sides of a call are streams."""

    UNARY = auto()
    SERVER_STREAM = auto()
    CLIENT_STREAM = auto()


@dataclass(frozen=True)
class Method:
    """One RPC."""

    rpc: str
    """Full name, for example `ledger.api.v1.RecordService/GetRecord`."""
    service: str
    name: str
    shape: Shape
    request: type[Message]
    response: type[Message]
    is_command: bool
    """Its request carries a CommandContext: the ledger executes it."""


def services() -> list[ServiceDescriptor]:
    """Every service of the contract."""
    return [each for file in CONTRACT_FILES for each in file.DESCRIPTOR.services_by_name.values()]


def methods() -> list[Method]:
    """Every method of the contract."""
    return [_method(service, each) for service in services() for each in service.methods]


def commands_by_request() -> dict[str, Method]:
    """The commands by the full name of their request message."""
    return {each.request.DESCRIPTOR.full_name: each for each in methods() if each.is_command}


def _method(service: ServiceDescriptor, method: MethodDescriptor) -> Method:
    context = method.input_type.fields_by_name.get("context")
    return Method(
        rpc=f"{service.full_name}/{method.name}",
        service=service.name,
        name=method.name,
        shape=_shape(method),
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        is_command=context is not None and context.message_type is CommandContext.DESCRIPTOR,
    )


def _shape(method: MethodDescriptor) -> Shape:
    match method.client_streaming, method.server_streaming:
        case False, False:
            return Shape.UNARY
        case False, True:
            return Shape.SERVER_STREAM
        case True, False:
            return Shape.CLIENT_STREAM
        case _:
            raise NotImplementedError(f"{method.full_name} streams both ways")
