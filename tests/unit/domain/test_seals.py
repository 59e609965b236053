"""A seal is placed, extended and opened by two persons on two sides; the hospital alone brings two of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.commands import RetractEntry
from ledger.domain.course_commands import CountersignEntry
from ledger.domain.keeping_commands import ExtendSeal, SealRecord, UnsealRecord
from ledger.domain.keeping_events import RecordSealed, RecordUnsealed, SealAttended, SealExtended
from ledger.domain.keeping_values import EntryRef, SealedVersion, SealMode, SealParty, SealStep, UnsealGround
from ledger.domain.sealed_versions import came_since
from ledger.domain.values import Actor
from tests.unit.domain.given import (
    AFFAIRS,
    ARCHIVIST,
    CLOCK,
    LEGAL,
    NOTARY,
    NOW,
    PATIENTS_SIDE,
    RECORD,
    SUPERIOR,
    SUPERVISORS,
    TRAINEE,
    Stream,
    active,
    closed,
    signed,
)

LATE = NOW + timedelta(days=3 * 366)
LEAVES = (bytes(32),) * 20


def sealed(mode: SealMode = SealMode.COPY) -> tuple[Stream, UUID]:
    """A record under a seal that the patient's side attended."""
    stream = closed()
    stream.when(SealRecord(RECORD, mode, SealParty.PATIENT_SIDE, "", (), PATIENTS_SIDE), leaves=LEAVES)
    return stream, next(iter(stream.record.overlays.seals))


def test_a_countersignature_and_a_retraction_under_a_seal_are_seen_by_it() -> None:
    """Both came since, until the seal is extended over their own leaves; then nothing is left to add."""
    stream = active()
    waits, wrong = stream.entry(signer=TRAINEE), stream.entry()
    leaves = tuple(bytes([each]) * 32 for each in range(40))
    sealing = SealRecord(RECORD, SealMode.COPY, SealParty.PATIENT_SIDE, "", (), PATIENTS_SIDE)
    stream.when(sealing, leaves=leaves)
    (seal_id,) = stream.record.overlays.seals
    stream.when(CountersignEntry(RECORD, waits, 1, signed(SUPERIOR)))
    countersigned = leaves[stream.record.version - 1]
    stream.when(RetractEntry(RECORD, wrong, "wrong patient"))
    retracted = leaves[stream.record.version - 1]
    came = came_since(stream.record, stream.record.overlays.seals[seal_id])
    assert came == [EntryRef(waits, 1), EntryRef(wrong, 1)]
    extension = ExtendSeal(RECORD, seal_id, PATIENTS_SIDE)
    event, _ = stream.when(extension, leaves=leaves).events
    assert isinstance(event, SealExtended)
    assert event.versions == (SealedVersion(waits, 1, countersigned), SealedVersion(wrong, 1, retracted))
    assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == []
    assert stream.refused(extension, leaves=leaves)[1] == [("seal_id", "NOTHING_TO_SEAL")]


@pytest.mark.parametrize("mode", list(SealMode))
def test_every_step_of_a_seal_names_both_sides(mode: SealMode) -> None:
    """The hospital's person is the actor of the event, the other side stands in it; the seal shows who was there."""
    stream, seal_id = sealed(mode)
    placed = stream.events[-2]
    assert isinstance(placed, RecordSealed)
    assert placed.party_name == PATIENTS_SIDE.name
    stream.entry()
    stream.when(ExtendSeal(RECORD, seal_id, NOTARY), leaves=LEAVES)
    assert stream.record.overlays.seals[seal_id].second_persons == (PATIENTS_SIDE, NOTARY)
    stream.when(UnsealRecord(RECORD, seal_id, UnsealGround.BOTH_PRESENT, "", PATIENTS_SIDE))
    attended = [each for each in stream.events if isinstance(each, SealAttended)]
    assert [(each.step, each.meta.actor, each.second_person) for each in attended] == [
        (SealStep.PLACED, ARCHIVIST, PATIENTS_SIDE),
        (SealStep.EXTENDED, ARCHIVIST, NOTARY),
        (SealStep.OPENED, ARCHIVIST, PATIENTS_SIDE),
    ]
    assert not stream.record.overlays.seals


@pytest.mark.parametrize(
    ("ground", "second", "late", "refused"),
    [
        (UnsealGround.BOTH_PRESENT, PATIENTS_SIDE, False, None),
        (UnsealGround.BOTH_PRESENT, NOTARY, False, None),
        (UnsealGround.BOTH_PRESENT, ARCHIVIST, False, "WRONG_SIDE"),
        (UnsealGround.BOTH_PRESENT, None, False, "REQUIRED"),
        (UnsealGround.DISPUTE_SETTLED, ARCHIVIST, False, None),
        (UnsealGround.DISPUTE_SETTLED, PATIENTS_SIDE, False, "WRONG_SIDE"),
        (UnsealGround.DISPUTE_SETTLED, AFFAIRS, False, "SAME_PERSON"),
        (UnsealGround.DISPUTE_SETTLED, CLOCK, False, "NOT_A_PERSON"),
        (UnsealGround.DISPUTE_SETTLED, None, False, "REQUIRED"),
        (UnsealGround.NO_CLAIM, ARCHIVIST, False, "TERM_NOT_OVER"),
        (UnsealGround.NO_CLAIM, ARCHIVIST, True, None),
        (UnsealGround.NO_CLAIM, None, True, "REQUIRED"),
    ],
)
def test_the_opening_rule(ground: UnsealGround, second: Actor | None, *, late: bool, refused: str | None) -> None:
    """Both present; or two of the hospital, once the dispute is settled or nobody claimed for the pack's term."""
    stream, seal_id = sealed()
    command = UnsealRecord(RECORD, seal_id, ground, "", second)
    now = LATE if late else NOW
    if refused is not None:
        assert [rule for _, rule in stream.refused(command, now=now, actor=AFFAIRS)[1]] == [refused]
        return
    stream.when(command, now=now, actor=AFFAIRS)
    opened = stream.events[-1 if ground is UnsealGround.BOTH_PRESENT else -2]
    assert isinstance(opened, RecordUnsealed)
    assert bool(opened.party_name) is (ground is UnsealGround.BOTH_PRESENT)


def test_that_a_dispute_is_settled_says_who_answers_for_it() -> None:
    """One of the two is of a role that the pack names for it; two of the records office open nothing for it."""
    stream, seal_id = sealed()
    command = UnsealRecord(RECORD, seal_id, UnsealGround.DISPUTE_SETTLED, "", SUPERVISORS[0])
    assert stream.refused(command, actor=ARCHIVIST)[1] == [("second_person.role", "ROLE_NOT_ALLOWED")]
    stream.when(replace(command, second_person=LEGAL), actor=ARCHIVIST)
    assert not stream.record.overlays.seals


def test_the_party_is_the_one_that_stands_there() -> None:
    """A notary stands for nobody's side but as a notary, and a person without a name for none."""
    stream = closed()
    command = SealRecord(RECORD, SealMode.COPY, SealParty.PATIENT_SIDE, "", (), NOTARY)
    assert stream.refused(command, leaves=LEAVES)[1] == [("second_person.role", "WRONG_SIDE")]
    nameless = replace(command, second_person=replace(PATIENTS_SIDE, name=" "))
    assert stream.refused(nameless, leaves=LEAVES)[1] == [("second_person.name", "REQUIRED")]
