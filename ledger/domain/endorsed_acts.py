"""The acts of two persons of the hospital of which the second endorses one beforehand, and what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.domain.content_digest import content_digest
from ledger.domain.course_commands import DeclareEnteredInError, EndorseAct, FileLateItem, IdentifyPatient
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.keeping_commands import UnsealRecord
from ledger.domain.keeping_state import Endorsement
from ledger.domain.keeping_values import EndorsedAct, UnsealGround
from ledger.domain.state import RecordState
from ledger.domain.values import Actor, Phase

IN_ERROR_FROM = frozenset({Phase.REGISTERED, Phase.ACTIVE, Phase.CLOSED, Phase.RETURNED})
"""Phases in which a record may be declared entered in error; also once it was returned, for with nothing left in it, it
cannot be handed in again to be recalled."""
LATE_INTO = frozenset({Phase.SUBMITTED, Phase.ARCHIVED, Phase.DUE, Phase.PERMANENT, Phase.REOPENED})
"""Phases into which a late item is filed."""

UNSEALINGS = frozenset({EndorsedAct.UNSEALING_SETTLED, EndorsedAct.UNSEALING_UNCLAIMED})
"""Openings of a seal by the hospital alone. Where both sides are present the other one has no login, and signs the
paper list."""
IDENTIFICATIONS = frozenset({EndorsedAct.IDENTIFICATION_CORRECTED, EndorsedAct.IDENTIFICATION_WITHDRAWN})
LEFT_TO: Mapping[EndorsedAct, str] = {
    EndorsedAct.RECORD_IN_ERROR: "declare_in_error",
    EndorsedAct.LATE_ITEM: "approve_reopen",
    EndorsedAct.IDENTIFICATION_CORRECTED: "merge_patients",
    EndorsedAct.IDENTIFICATION_WITHDRAWN: "merge_patients",
}
"""What a pack's `[roles]` must let the second person do; of an unsealing it names nobody but who settles a dispute."""

_GROUNDS = {
    UnsealGround.DISPUTE_SETTLED: EndorsedAct.UNSEALING_SETTLED,
    UnsealGround.NO_CLAIM: EndorsedAct.UNSEALING_UNCLAIMED,
}


@dataclass(frozen=True)
class NamedAct:
    """One act: of another subject, or with other content, it is another one."""

    act: EndorsedAct
    subject_id: UUID | None = None
    template: str = ""
    content_sha256: bytes = b""


def act_endorsed(command: EndorseAct) -> NamedAct:
    """The act that somebody endorses."""
    content = command.content
    if content is None:
        return NamedAct(command.act, command.subject_id)
    return NamedAct(command.act, command.subject_id, content.template, content_digest(content))


def act_waiting(endorsed: Endorsement) -> NamedAct:
    """The act that somebody endorsed."""
    return NamedAct(endorsed.act, endorsed.subject_id, endorsed.template, endorsed.content_sha256)


def act_done(command: Any, record: RecordState) -> NamedAct | None:
    """The act that a command does, where it takes two persons of the hospital; None where it takes one."""
    match command:
        case DeclareEnteredInError(correct_record_id=right):
            return NamedAct(EndorsedAct.RECORD_IN_ERROR, right)
        case UnsealRecord(seal_id=seal_id, ground=ground) if ground in _GROUNDS:
            return NamedAct(_GROUNDS[ground], seal_id)
        case FileLateItem(content=content, confirmed_by=Actor()):
            return NamedAct(EndorsedAct.LATE_ITEM, None, content.template, content_digest(content))
        case IdentifyPatient(patient_id=patient_id) if record.established:
            return NamedAct(EndorsedAct.IDENTIFICATION_CORRECTED, patient_id)
        case WithdrawIdentification():
            return NamedAct(EndorsedAct.IDENTIFICATION_WITHDRAWN)
        case _:
            return None


def second_of(command: Any) -> Actor | None:
    """The second person whom a command names."""
    return command.second_person if isinstance(command, UnsealRecord) else command.confirmed_by
