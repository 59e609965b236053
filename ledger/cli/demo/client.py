"""Commands of the demo as a hospital's own system would send them; every acknowledgement is counted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import grpc.aio
from google.protobuf.message import Message

from ledger.api.v1.common_pb2 import Actor, Attestation, CommandContext, EntryContent, Section
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub

_LARGE = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]


def open_channel(address: str, *interceptors: grpc.aio.ClientInterceptor) -> grpc.aio.Channel:
    """A channel to the service; loopback only until authentication exists."""
    return grpc.aio.insecure_channel(address, options=_LARGE, interceptors=interceptors)


@dataclass
class Client:
    """One person at one hospital."""

    channel: grpc.aio.Channel
    hospital: str
    actor: Actor
    acknowledged: int = 0
    """Events that the service said are durable."""
    position: int = 0
    """Last position that the service named."""

    def __post_init__(self) -> None:
        self.records = RecordServiceStub(self.channel)
        self.patients = PatientServiceStub(self.channel)
        self.transfers = TransferServiceStub(self.channel)

    def context(self, actor: Actor | None = None) -> CommandContext:
        """A context with a fresh command id, of this person or of a colleague."""
        return CommandContext(
            hospital=self.hospital, command_id=str(uuid.uuid4()), actor=actor or self.actor, purpose="TREAT"
        )

    async def colleague(self, name: str, role: str) -> Actor:
        """Somebody else of the hospital, put into its register."""
        request = RegisterActorRequest(hospital=self.hospital, actor=Actor(name=name, role=role))
        return (await self.patients.RegisterActor(request)).actor

    async def send(self, method: Any, request: Message) -> Any:
        """Sends a command and counts what was acknowledged."""
        response = await method(request)
        self.acknowledged += response.receipt.events
        self.position = max(self.position, response.receipt.position)
        return response

    def signed(self) -> Attestation:
        """This person's confirmation by login."""
        return Attestation(method="session", signer=self.actor)


def note(template: str, title: str, **sections: str) -> EntryContent:
    """The content of a narrative entry."""
    return EntryContent(
        template=template,
        template_version=1,
        title=title,
        sections=[Section(code=code, text=text) for code, text in sections.items()],
        language="en",
    )
