"""Refusals by the declaration: what nobody may endorse, and what was not endorsed, or too long ago."""

# ruff: noqa: E501 - one line a case, so that the table can be read down
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import Command
from ledger.domain.course_commands import EndorseAct
from ledger.domain.keeping_values import EndorsedAct, SealMode, UnsealGround
from ledger.domain.values import EntryContent, IdentityStatus
from tests.unit.domain.given import (
    AFFAIRS,
    CLOCK,
    ENDORSED_FOR,
    LEGAL,
    NOTARY,
    NOW,
    NURSE,
    PATIENT,
    PATIENTS_SIDE,
    RECORD,
    STEWARD,
    SUPERIOR,
    TRAINEE,
    Stream,
    active,
    archived,
    closed,
    note,
    patient,
    registered,
    signed,
)
from tests.unit.domain.refusals import NOBODY, OTHER, Case, hold, nobody_known, seal

JUST_OVER = NOW + ENDORSED_FOR + timedelta(seconds=1)


def endorse(act: EndorsedAct, subject_id: UUID | None = None, content: EntryContent | None = None) -> EndorseAct:
    """Somebody's word for an act."""
    return EndorseAct(RECORD, act, subject_id, content, "looked at it")


def said_to_be() -> Stream:
    """A provisional person who was taken for somebody."""
    stream = active(identity=IdentityStatus.UNVERIFIED)
    stream.when(course.IdentifyPatient(RECORD, PATIENT), patient=patient())
    return stream


def in_error() -> tuple[Stream, Command]:
    """A record that somebody gives up, and who else."""
    return active(), course.DeclareEnteredInError(RECORD, "duplicate", SUPERIOR, None)


def corrected() -> tuple[Stream, Command]:
    """Somebody else than who was named."""
    return said_to_be(), course.IdentifyPatient(RECORD, OTHER, 0, "a namesake", STEWARD)


def taken_back() -> tuple[Stream, Command]:
    """Nobody known."""
    return said_to_be(), nobody_known()


def opened_alone() -> tuple[Stream, Command]:
    """A seal that the hospital opens, the dispute being settled."""
    stream = closed()
    return stream, keeping.UnsealRecord(RECORD, seal(stream), UnsealGround.DISPUTE_SETTLED, "", LEGAL)


def beside_a_hold() -> tuple[Stream, Command]:
    """A note that only two may file."""
    stream = archived()
    hold(stream)
    return stream, course.FileLateItem(RECORD, note(), signed(), "told late", None, confirmed_by=AFFAIRS)


ACTS: dict[type[Command], Callable[[], tuple[Stream, Command]]] = {
    course.DeclareEnteredInError: in_error,
    keeping.UnsealRecord: opened_alone,
    course.FileLateItem: beside_a_hold,
    course.IdentifyPatient: corrected,
    nobody_known().__class__: taken_back,
}
"""Every act that takes two persons of the hospital, not endorsed by anybody."""


def _lapsed(build: Callable[[], tuple[Stream, Command]]) -> tuple[Stream, Command]:
    stream, command = build()
    stream.endorse(command)
    return stream, command


def _sealed() -> tuple[Stream, UUID]:
    stream = closed()
    return stream, seal(stream, SealMode.COPY)


def _of_seal() -> tuple[Stream, Command]:
    stream, seal_id = _sealed()
    return stream, endorse(EndorsedAct.UNSEALING_SETTLED, seal_id)


_IN_ERROR = endorse(EndorsedAct.RECORD_IN_ERROR)

OF_ENDORSEMENT: list[Case] = [
    *(Case("NOT_ENDORSED", build, {"patient": patient()}) for build in ACTS.values()),
    *(Case("ENDORSEMENT_LAPSED", lambda build=build: _lapsed(build), {"patient": patient(), "now": JUST_OVER}) for build in ACTS.values()),
    Case("ACT_UNCLEAR", lambda: (_sealed()[0], endorse(EndorsedAct.UNSEALING_SETTLED))),
    Case("ACT_UNCLEAR", lambda: (said_to_be(), endorse(EndorsedAct.IDENTIFICATION_WITHDRAWN, OTHER))),
    Case("ACT_UNCLEAR", lambda: (archived(), endorse(EndorsedAct.LATE_ITEM)), {"actor": AFFAIRS}),
    Case("ACT_UNCLEAR", lambda: (active(), endorse(EndorsedAct.RECORD_IN_ERROR, None, note()))),
    Case("UNKNOWN_SEAL", lambda: (_sealed()[0], endorse(EndorsedAct.UNSEALING_SETTLED, NOBODY))),
    Case("NOTHING_TO_ENDORSE", lambda: (archived(), _IN_ERROR)),
    Case("NOTHING_TO_ENDORSE", lambda: (active(), endorse(EndorsedAct.LATE_ITEM, None, note())), {"actor": AFFAIRS}),
    Case("NOTHING_TO_ENDORSE", lambda: (registered(), endorse(EndorsedAct.IDENTIFICATION_CORRECTED, OTHER)), {"actor": AFFAIRS}),
    Case("NOTHING_TO_ENDORSE", lambda: (registered(), endorse(EndorsedAct.IDENTIFICATION_WITHDRAWN)), {"actor": AFFAIRS}),
    Case("NOT_A_PERSON", lambda: (active(), _IN_ERROR), {"actor": CLOCK}),
    Case("TRAINEE", _of_seal, {"actor": TRAINEE}),
    Case("ROLE_NOT_ALLOWED", lambda: (active(), _IN_ERROR), {"actor": NURSE}),
    Case("WRONG_SIDE", _of_seal, {"actor": NOTARY}),
    Case("WRONG_SIDE", _of_seal, {"actor": PATIENTS_SIDE}),
]  # fmt: skip
