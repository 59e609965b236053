"""What a command names that facts are gathered about."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from ledger.application.command_table import Asked
from ledger.application.stream_cache import Loaded
from ledger.domain.commands import AmendEntry, Command, EndCare, RecordEntry, RegisterRecord, StartCare
from ledger.domain.course_commands import ReportMissedDeadline, WithdrawMissedDeadline
from ledger.domain.decision import LEDGER, MAP
from ledger.domain.identity_commands import WithdrawRecognition
from ledger.domain.keeping_commands import RequestReopen
from ledger.domain.lifecycle import RULES
from ledger.domain.map_commands import PublishMap
from ledger.domain.rulebook_commands import RulebookCommand
from ledger.domain.state import RecordState
from ledger.domain.transfer_commands import ReceivePackage
from ledger.domain.values import EntryContent

RULEBOOK = get_args(RulebookCommand)
BY_NEWEST_RULES = (RegisterRecord, RequestReopen, ReportMissedDeadline, WithdrawMissedDeadline, *RULEBOOK)
"""Commands that choose among the rules there are, name a template without its version, or go by today's calendar."""

_OF_THE_RECORD = frozenset({StartCare, RecordEntry, AmendEntry, EndCare})


def stands_alone(asked: Asked) -> bool:
    """Whether nothing is asked but the command's record, its source item and the rules: not what items state, and not
    who has a role by the newest pack."""
    command = asked.command
    stated = asked.context.fact_sha256 or getattr(command, "also", ())
    return type(command) in _OF_THE_RECORD and not stated and not asks_roles(command)


def templates_of(command: Command) -> tuple[tuple[str, int], ...]:
    """The template against which the entry of a command is checked."""
    content = getattr(command, "content", None)
    return ((content.template, content.template_version),) if isinstance(content, EntryContent) else ()


def asks_roles(command: Command) -> bool:
    """Whether it is left to roles that the pack in force names."""
    rule = RULES.get(type(command))
    return rule is not None and rule.asks_roles


def goes_by_rules(command: Command) -> bool:
    """Whether it goes by the pack in force or names a template; who changes the rules says by that what they are."""
    newest = isinstance(command, BY_NEWEST_RULES) and not isinstance(command, RULEBOOK)
    return newest or asks_roles(command) or bool(templates_of(command))


def patients_of(loaded: Loaded) -> set[UUID]:
    """The patient of a record."""
    return {loaded.state.patient_id} if isinstance(loaded.state, RecordState) else set()


def patient_of(command: Command, loaded: Loaded | None) -> UUID | None:
    """The patient whose facts a command states."""
    if isinstance(command, RegisterRecord):
        return command.patient_id
    return loaded.state.patient_id if loaded and isinstance(loaded.state, RecordState) else None


def claim_of(asked: Asked) -> tuple[str, tuple[str, ...]] | None:
    """Kind and parts of the claim on the source item, the package or the one stream of its kind that it names."""
    if isinstance(asked.command, ReceivePackage):
        return "package", (asked.command.sender, str(asked.command.transfer_id))
    if isinstance(asked.command, PublishMap):
        return MAP, ()
    if isinstance(asked.command, RULEBOOK):
        return LEDGER, ()
    if isinstance(asked.command, WithdrawRecognition):
        return "source", (asked.command.system, asked.command.type, asked.command.id)
    source = asked.context.source
    return None if source is None else ("source", (source.system, source.type, source.id))
