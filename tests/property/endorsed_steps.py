"""What holds of every step that takes two persons of the hospital, without the declaration's guards."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from ledger.domain.command_guards import TRAINEE, is_person
from ledger.domain.content_digest import content_digest
from ledger.domain.course_commands import DeclareEnteredInError, EndorseAct, FileLateItem, IdentifyPatient
from ledger.domain.identity_commands import WithdrawIdentification
from ledger.domain.keeping_commands import UnsealRecord
from ledger.domain.keeping_values import EndorsedAct, UnsealGround
from ledger.domain.values import Actor, Phase
from tests.property.walks import Step

_HOURS = timedelta(hours=24)
Named = tuple[EndorsedAct, UUID | None, bytes]


def check_endorsed(step: Step) -> None:
    """Of what two of the hospital do the second said so before, of that very thing and not too long ago; only once.

    Nothing else uses a word up, but that somebody is named, of who it is, and the end of the record.
    """
    said, left = step.before.overlays.endorsements, step.after.overlays.endorsements
    actor, by_two = step.facts.context.actor, _by_two(step)
    if isinstance(step.command, EndorseAct):
        (new,) = left.keys() - said.keys()
        assert left[new].endorsed_by == actor
        assert is_person(actor)
        assert actor.role != TRAINEE
    elif by_two is None:
        identified = isinstance(step.command, IdentifyPatient | WithdrawIdentification)
        gone = [said[each].act for each in said.keys() - left.keys()]
        assert step.after.phase is Phase.DESTROYED or not gone or (identified and set(gone) <= _WHO)
    else:
        named, second = by_two
        of_it = [each for each in said.values() if (each.act, each.subject_id, each.content_sha256) == named]
        own = [each for each in of_it if (each.endorsed_by.id, each.endorsed_by.role) == (second.id, second.role)]
        assert [each for each in own if each.endorsed_at <= step.facts.now <= each.endorsed_at + _HOURS]
        assert second.id != actor.id
        assert not {each.endorsement_id for each in of_it} & left.keys()


_WHO = {EndorsedAct.IDENTIFICATION_CORRECTED, EndorsedAct.IDENTIFICATION_WITHDRAWN}


def _by_two(step: Step) -> tuple[Named, Actor] | None:
    """The act that took two persons of the hospital, and the second; None where the step took one."""
    match step.command:
        case DeclareEnteredInError(correct_record_id=right, confirmed_by=Actor() as second):
            return (EndorsedAct.RECORD_IN_ERROR, right, b""), second
        case WithdrawIdentification(confirmed_by=Actor() as second):
            return (EndorsedAct.IDENTIFICATION_WITHDRAWN, None, b""), second
        case IdentifyPatient(patient_id=to, confirmed_by=Actor() as second) if step.before.established:
            return (EndorsedAct.IDENTIFICATION_CORRECTED, to, b""), second
        case FileLateItem(content=content, confirmed_by=Actor() as second):
            return (EndorsedAct.LATE_ITEM, None, content_digest(content)), second
        case UnsealRecord(seal_id=seal_id, ground=UnsealGround.DISPUTE_SETTLED, second_person=Actor() as second):
            return (EndorsedAct.UNSEALING_SETTLED, seal_id, b""), second
        case UnsealRecord(seal_id=seal_id, ground=UnsealGround.NO_CLAIM, second_person=Actor() as second):
            return (EndorsedAct.UNSEALING_UNCLAIMED, seal_id, b""), second
        case _:
            return None
