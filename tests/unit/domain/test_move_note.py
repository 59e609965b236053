"""The note of the department that a patient leaves: written before the move, as the pack in force asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.domain.commands import TransferDepartment
from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.pack_text import TemplatesOf, read_pack
from ledger.domain.refusal import RefusalKind
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.values import VisitType
from tests.unit.domain.given import PHYSICIAN, RECORD, TRAINEE, active, narrative, note
from tests.unit.domain.test_pack_text import bases

OUT = narrative("transfer_out_note", "course", "reason")
LAYER = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n'
ASKED = (RefusalKind.STATE, [("note_entry_id", "NO_MOVE_NOTE")])


def house(text: str, templates: TemplatesOf | None = None) -> RulePack:
    """A layer over cn-2010."""
    return read_pack(LAYER + text, bases(), templates)[0]


def move(note_entry_id: Any = None) -> TransferDepartment:
    """To neurology."""
    return TransferDepartment(RECORD, "neurology", "2", note_entry_id, PHYSICIAN)


@pytest.mark.parametrize("visit", [VisitType.INPATIENT, VisitType.OBSERVATION])
def test_a_move_names_the_note_of_the_department_that_is_left(visit: VisitType) -> None:
    """Written before, a trainee's too, for care waits for no superior; no other note will do."""
    stream = active(visit)
    assert stream.refused(move(), purpose="TREAT") == ASKED
    assert stream.refused(move(stream.entry(note()))) == ASKED
    stream.when(move(stream.entry(OUT, signer=TRAINEE)))
    assert stream.record.departments == ("cardiology", "neurology")


@pytest.mark.parametrize("purpose", ["TREAT", "ETREAT"])
def test_a_note_goes_with_one_move(purpose: str) -> None:
    """The next one names a note of its own, in a hurry too; who has none to name goes in an emergency without."""
    stream = active()
    first = stream.entry(OUT)
    stream.when(move(first))
    there = [("note_entry_id", "NOTE_OF_ANOTHER_MOVE")]
    onward = replace(move(first), to_department="icu")
    assert stream.refused(onward, purpose=purpose) == (RefusalKind.STATE, there)
    stream.when(replace(onward, note_entry_id=None), purpose="ETREAT")
    second = stream.entry(OUT)
    stream.when(move(second), purpose=purpose)
    assert [each.note_entry_id for each in stream.record.moves] == [first, None, second]


def test_a_note_of_a_clinic_goes_with_one_move_too() -> None:
    """Where the pack asks for none, one that is named is named once."""
    stream = active(VisitType.OUTPATIENT)
    named = stream.entry(note())
    stream.when(move(named))
    again = replace(move(named), to_department="icu")
    assert stream.refused(again)[1] == [("note_entry_id", "NOTE_OF_ANOTHER_MOVE")]


def test_who_is_in_a_hurry_goes_without_it() -> None:
    """Care waits for no paper: the note is owed all the same, and missed a day later."""
    stream = active()
    stream.when(move(), purpose="ETREAT")
    assert stream.record.departments == ("cardiology", "neurology")


@pytest.mark.parametrize("visit", [VisitType.OUTPATIENT, VisitType.EMERGENCY])
def test_a_clinic_and_an_emergency_room_send_without_one(visit: VisitType) -> None:
    """They send to a visit of its own."""
    active(visit).when(move(), purpose="TREAT")


def test_a_layer_names_another_note_and_other_visits() -> None:
    """By its data; a pack that asks for none lets everybody go."""
    text = "[move_note]\nvisits = ['EMERGENCY']\ntemplates = ['handover_note']\nsource = 'house'\nunconfirmed = false\n"
    pack = house(text)
    active(pack=pack).when(move(), pack=pack, purpose="TREAT")
    stream = active(VisitType.EMERGENCY, pack=pack)
    assert stream.refused(move(), pack=pack, purpose="TREAT") == ASKED
    assert default_pack("us-generic").move_note is None


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("move_note = 3\n", ["line 4: move_note: a table is required"]),
        (
            "[move_note]\nvisits = ['MOON']\ntemplates = 'note'\ncolour = 1\n",
            [
                "line 4: move_note.source: a layer that asks for a note says where that is from",
                "line 4: move_note.unconfirmed: a layer that asks for a note says where that is from",
                "line 5: move_note.visits: no such visit type MOON",
                "line 6: move_note.templates: a list of templates is required",
                "line 7: move_note.colour: no such key",
            ],
        ),
        (
            "[move_note]\nsource = ''\nunconfirmed = 'no'\ntemplates = ['ticket']\n",
            [
                "line 5: move_note.source: where the rule is from is required",
                "line 6: move_note.unconfirmed: true or false is required",
                "line 7: move_note.templates: no such template ticket",
            ],
        ),
    ],
)
def test_a_layers_rule_is_refused_with_every_fault(text: str, faults: list[str]) -> None:
    """Each with its line; the note is of a template that is there, else nobody could ever write it."""
    with pytest.raises(BadRulePack) as caught:
        house(text, templates=lambda _: default_templates().by_id)
    assert sorted(caught.value.faults) == faults
