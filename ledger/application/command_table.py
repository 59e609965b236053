"""Which command a request is, and which stream it acts on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1.common_pb2 import CommandContext as ContextMessage
from ledger.application.message_codec import to_domain
from ledger.domain import commands
from ledger.domain.actor_faults import actor_faults
from ledger.domain.commands import Command, CommandContext
from ledger.domain.refusal import RefusalKind, Refused, Violation

T = TypeVar("T")

STREAM_FIELD: dict[type[Any], str | None] = {
    commands.RegisterPatient: None,
    commands.AmendPatient: "patient_id",
    commands.RegisterRecord: None,
    commands.StartCare: "record_id",
    commands.RecordEntry: "record_id",
    commands.AmendEntry: "record_id",
    commands.RetractEntry: "record_id",
    commands.RequestConsultation: "record_id",
    commands.AnswerConsultation: "record_id",
    commands.TransferDepartment: "record_id",
    commands.EndCare: "record_id",
    commands.SubmitRecord: "record_id",
    commands.ReturnRecord: "record_id",
    commands.PassQuality: "record_id",
    commands.ArchiveRecord: "record_id",
    commands.OfferTransfer: "record_id",
    commands.WithdrawTransfer: "record_id",
    commands.RecordTransferAnswer: "record_id",
    commands.ReceivePackage: None,
    commands.AnswerPackage: "package_id",
}
"""The field that names the stream of a command; None where the command opens a new stream."""

_BY_REQUEST = {f"ledger.api.v1.{cls.__name__}Request": cls for cls in STREAM_FIELD}


@dataclass(frozen=True)
class Asked:
    """A decoded request."""

    command: Command
    context: CommandContext

    @property
    def stream_id(self) -> UUID | None:
        """The stream that the command names; None where it opens one."""
        field = STREAM_FIELD[type(self.command)]
        return None if field is None else cast("UUID", getattr(self.command, field))


def decode_request(request: Message) -> Asked:
    """The command and its context. Raises Refused(INVALID) with every fault of shape of both."""
    faults: list[Violation] = []
    context = _part(_context_of(request), CommandContext, "context.", faults)
    command = _part(request, _BY_REQUEST[request.DESCRIPTOR.full_name], "", faults)
    if context is None or command is None:
        raise Refused(RefusalKind.INVALID, tuple(faults))
    # Every body holds its actor as named then: the register that could tell the name of an id is mutable.
    if unnamed := actor_faults(context.actor, "context.actor"):
        raise Refused(RefusalKind.INVALID, unnamed)
    return Asked(cast("Command", command), context)


def _context_of(request: Message) -> ContextMessage:
    return cast("ContextMessage", cast("Any", request).context)


def _part(message: Message, cls: type[T], prefix: str, faults: list[Violation]) -> T | None:
    try:
        return to_domain(message, cls)
    except Refused as error:
        faults += [Violation(prefix + each.field, each.rule, each.text) for each in error.violations]
        return None
