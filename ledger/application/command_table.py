"""Which command a request is, and which stream it acts on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1.common_pb2 import CommandContext as ContextMessage
from ledger.application.message_codec import to_domain
from ledger.domain import commands
from ledger.domain.actor_faults import actor_faults
from ledger.domain.commands import Command, CommandContext
from ledger.domain.disposal_commands import DisposalCommand, DrawUpDisposalList
from ledger.domain.identity_commands import (
    IdentityCommand,
    LinkPatients,
    MergePatients,
    UnlinkPatients,
    UnmergePatients,
    WithdrawIdentification,
)
from ledger.domain.map_commands import PublishMap
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.domain.rulebook_commands import RulebookCommand
from ledger.domain.transfer_commands import (
    AnswerPackage,
    ClearPackageFork,
    MarkPackageOutdated,
    MarkPackageSinceFork,
    ReceivePackage,
)

T = TypeVar("T")

_OPENING = frozenset({commands.RegisterPatient, commands.RegisterRecord, ReceivePackage, DrawUpDisposalList})
_ON_MAPS = frozenset({PublishMap})
_ON_RULEBOOK = frozenset(get_args(RulebookCommand))
_BY_PACKAGE = frozenset({AnswerPackage, MarkPackageOutdated, MarkPackageSinceFork, ClearPackageFork})
_BY_LIST = frozenset(get_args(DisposalCommand)) - {DrawUpDisposalList}
_BY_PATIENT = frozenset({commands.AmendPatient, *get_args(IdentityCommand)}) - {WithdrawIdentification}


def _stream_field(command: type[Any]) -> str | None:
    if command in _OPENING | _ON_RULEBOOK | _ON_MAPS:
        return None
    if command in _BY_PATIENT:
        return "patient_id"
    if command in _BY_LIST:
        return "list_id"
    return "package_id" if command in _BY_PACKAGE else "record_id"


STREAM_FIELD: dict[type[Any], str | None] = {each: _stream_field(each) for each in get_args(Command)}
"""The field that names the stream of a command; None where it opens a new stream, or goes to the one of its kind."""

BESIDE_FIELD: dict[type[Any], str] = {
    LinkPatients: "other_id",
    UnlinkPatients: "other_id",
    MergePatients: "survivor_id",
    UnmergePatients: "survivor_id",
}
"""The field that names the second stream of a command that acts on two."""

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

    @property
    def beside_id(self) -> UUID | None:
        """The second stream that the command names."""
        field = BESIDE_FIELD.get(type(self.command))
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
