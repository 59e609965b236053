"""A command for every kind that may name a patient, made from whoever a town holds; most could be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

from ledger.domain.commands import AmendPatient, Command, RegisterPatient, RegisterRecord, StartCare
from ledger.domain.course_commands import DeclareEnteredInError, EndorseAct, IdentifyPatient
from ledger.domain.endorsed_acts import act_done, second_of
from ledger.domain.identity_commands import (
    MergePatients,
    UnlinkPatients,
    UnmergePatients,
    WithdrawIdentification,
    WithdrawRecognition,
)
from ledger.domain.newborn_commands import LinkNewborn, RegisterNewborn, RestoreNewborn, WithdrawNewborn
from ledger.domain.state import PatientState, RecordState
from ledger.domain.values import IdentityStatus, PatientDetails, PatientIdentifier, Phase, SourceItem, VisitType
from tests.property.patient_town import OF_TWO, Asked, Town
from tests.unit.domain.given import ARCHIVIST, CLOCK, PHYSICIAN, STEWARD, SUPERIOR

PATIENTS_MAX, RECORDS_MAX, _FIRST_PATIENTS = 5, 2, 3
_LIKELY = 0.8
_NOBODY = UUID(int=9)
_VALUES = tuple(f"E{number}" for number in range(3))
_NAMES = ("A. A.", "B. B.", "C. C.")


Make = Callable[[Random, Town], Asked]


def settle(dice: Random, town: Town) -> Iterator[Asked]:
    """Three patients, one of whom nobody knows, and a mother with two newborns: where most can happen."""
    for identity in (IdentityStatus.MATCHED, IdentityStatus.UNVERIFIED, IdentityStatus.MATCHED):
        yield Asked(RegisterPatient(f"MRN-{town.commands}", identity, PatientDetails(name="D. D.")), ARCHIVIST)
    mother = dice.choice(list(town.patients))
    yield Asked(RegisterRecord(mother, VisitType.INPATIENT, 1, "obstetrics"), ARCHIVIST)
    yield _start(dice, town)
    for _ in range(2):
        yield _birth(dice, town)


def drawn(dice: Random, town: Town) -> Asked:
    """One command: mostly one that the town asks for, now and then of somebody who may not send it."""
    if len(town.patients) < _FIRST_PATIENTS:
        return _register(dice, town)
    if not town.records:
        return _stay(dice, town)
    fitting = [each for each in COMMANDS if _fits(each, town)]
    kind = dice.choice(
        [*fitting, *(each for each in fitting if each in _OF_KIN)] if dice.random() < _LIKELY else list(COMMANDS)
    )
    asked = COMMANDS[kind](dice, town)
    return asked if dice.random() < _LIKELY else replace(asked, actor=dice.choice([CLOCK, PHYSICIAN, ARCHIVIST]))


def beforehand(asked: Asked, town: Town) -> Asked | None:
    """The word of the second person for an act that takes two; None for any other."""
    command: Any = asked.command
    record = town.records.get(getattr(command, "record_id", _NOBODY))
    act = None if record is None else act_done(command, record)
    second = None if act is None else second_of(command)
    if act is None or second is None:
        return None
    return Asked(EndorseAct(command.record_id, act.act, act.subject_id, None, "looked at both"), second)


def _patient(dice: Random, town: Town) -> UUID:
    return dice.choice([*town.patients] * 10 + [_NOBODY])


def _record(dice: Random, town: Town) -> tuple[UUID, RecordState]:
    return dice.choice(list(town.records.items()))


def _born(dice: Random, record: RecordState) -> UUID:
    return dice.choice([*record.newborns] or [_NOBODY])


def _details(dice: Random) -> PatientDetails:
    borne = dice.sample(_VALUES, dice.randrange(3))
    identifiers = tuple(PatientIdentifier("passport", each) for each in borne)
    died = dice.choice(["", "", "", "2026-02-01"])
    return PatientDetails(identifiers, dice.choice(_NAMES), "1980-01-01", "female", died)


def _register(dice: Random, town: Town) -> Asked:
    """By the desk or by a source's item, new or again; in a full town only who is known already."""
    identity = dice.choice([IdentityStatus.MATCHED, IdentityStatus.MATCHED, IdentityStatus.UNVERIFIED])
    full = len(town.patients) >= PATIENTS_MAX
    details = replace(_details(dice), **({"identifiers": _first_known(town)} if full else {}))
    item = None
    if full or dice.random() < _LIKELY:
        digest = sha256(str(town.commands).encode()).digest()
        item = SourceItem(dice.choice(("lab", "pacs")), "Patient", f"p-{dice.randrange(4)}", digest)
    return Asked(RegisterPatient(f"MRN-{town.commands}", identity, details), ARCHIVIST, item)


def _stay(dice: Random, town: Town) -> Asked:
    number = town.commands + 1
    return Asked(RegisterRecord(_patient(dice, town), VisitType.INPATIENT, number, "obstetrics"), ARCHIVIST)


def _start(dice: Random, town: Town) -> Asked:
    return Asked(StartCare(_record(dice, town)[0], "obstetrics", "1", PHYSICIAN, ""), PHYSICIAN)


def _in_error(dice: Random, town: Town) -> Asked:
    return Asked(DeclareEnteredInError(_record(dice, town)[0], "a duplicate", SUPERIOR, None), ARCHIVIST)


def _amend(dice: Random, town: Town) -> Asked:
    command = AmendPatient(_patient(dice, town), _details(dice), "said so")
    known = town.patients.get(command.patient_id)
    seen = known.version if known and dice.random() < _LIKELY else None
    item = SourceItem("lab", "Patient", "p-9", bytes(32)) if dice.random() > _LIKELY else None
    return Asked(command, ARCHIVIST, item, seen)


def _identify(dice: Random, town: Town) -> Asked:
    record_id, record = _record(dice, town)
    reason, second = ("a namesake", STEWARD) if record.identified else ("", None)
    return Asked(IdentifyPatient(record_id, _patient(dice, town), 0, reason, second), ARCHIVIST)


def _nobody_known(dice: Random, town: Town) -> Asked:
    return Asked(WithdrawIdentification(_record(dice, town)[0], "his brother's papers", STEWARD), ARCHIVIST)


def _misled(dice: Random, town: Town) -> Asked:
    items = [(each, item) for each, state in town.patients.items() for item in state.stated if item is not None]
    patient_id, item = dice.choice([*items, (_patient(dice, town), ("lab", "Patient", "p-9"))])
    return Asked(WithdrawRecognition(patient_id, *item, "a slip in the passport"), ARCHIVIST)


def _birth(dice: Random, town: Town) -> Asked:
    record_id, record = _record(dice, town)
    return Asked(RegisterNewborn(record_id, len(record.newborns) + 1, town.now), ARCHIVIST)


def _whose_newborn(dice: Random, town: Town) -> Asked:
    record_id, record = _record(dice, town)
    patient_id = dice.choice([_patient(dice, town), _patient(dice, town), None])
    return Asked(LinkNewborn(record_id, _born(dice, record), patient_id, "the bracelet"), ARCHIVIST)


def _not_born(dice: Random, town: Town) -> Asked:
    record_id, record = _record(dice, town)
    same_as = dice.choice([_born(dice, record), None])
    return Asked(WithdrawNewborn(record_id, _born(dice, record), same_as, "registered twice"), ARCHIVIST)


def _born_after_all(dice: Random, town: Town) -> Asked:
    record_id, record = _record(dice, town)
    return Asked(RestoreNewborn(record_id, _born(dice, record), "two were born"), ARCHIVIST)


def _of_two(kind: Any) -> Make:
    """A link or merge of any two, or mostly the end of one that there is."""

    def make(dice: Random, town: Town) -> Asked:
        pair = (_patient(dice, town), _patient(dice, town))
        there = [(each, other) for each, state in town.patients.items() for other in _said(kind, state)]
        if there and dice.random() < _LIKELY:
            pair = dice.choice(there)
        return Asked(kind(*pair, "one person"), ARCHIVIST)

    return make


def _first_known(town: Town) -> tuple[PatientIdentifier, ...]:
    """An identifier that leads to somebody, so that no further patient is registered."""
    found = {each: town.bearer(("passport", each)) for each in _VALUES}
    borne = (each for each, bearer in found.items() if bearer is not None and bearer.patient_id is not None)
    return tuple(PatientIdentifier("passport", each) for each in borne)[:1]


def _said(kind: Any, state: PatientState) -> frozenset[UUID]:
    if kind is UnlinkPatients:
        return state.linked
    return frozenset({state.merged_into} if kind is UnmergePatients and state.merged_into else ())


COMMANDS: dict[type[Command], Make] = {
    RegisterPatient: _register,
    AmendPatient: _amend,
    WithdrawRecognition: _misled,
    RegisterRecord: _stay,
    StartCare: _start,
    DeclareEnteredInError: _in_error,
    IdentifyPatient: _identify,
    WithdrawIdentification: _nobody_known,
    RegisterNewborn: _birth,
    LinkNewborn: _whose_newborn,
    WithdrawNewborn: _not_born,
    RestoreNewborn: _born_after_all,
    **{kind: _of_two(kind) for kind in OF_TWO},
}
"""Every command of the declaration of patients, and those by which a record gets to where it matters."""


_OF_KIN: set[type[Command]] = {LinkNewborn, WithdrawNewborn, RestoreNewborn, IdentifyPatient, MergePatients}
"""What may make a mother and her child one, drawn twice as often."""


def _fits(kind: type[Command], town: Town) -> bool:
    """Whether the town has what the command is about."""
    records = town.records.values()
    wanted: dict[type[Command], bool] = {
        RegisterPatient: len(town.patients) < PATIENTS_MAX or bool(_first_known(town)),
        RegisterRecord: len(town.records) <= RECORDS_MAX,
        WithdrawIdentification: any(each.identified for each in records),
        DeclareEnteredInError: len([each for each in records if not each.archiving.in_error]) >= RECORDS_MAX,
        StartCare: any(each.phase is Phase.REGISTERED for each in records),
        UnlinkPatients: any(each.linked for each in town.patients.values()),
        UnmergePatients: any(each.merged_into for each in town.patients.values()),
        LinkNewborn: any(each.newborns for each in records),
        WithdrawNewborn: any(not born.withdrawn for each in records for born in each.newborns.values()),
        RestoreNewborn: any(born.withdrawn for each in records for born in each.newborns.values()),
    }
    return wanted.get(kind, True)
