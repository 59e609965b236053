"""A patient goes to another hospital with a note that is signed by whom the pack names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain.commands import RetractEntry
from ledger.domain.course_commands import CountersignEntry
from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.pack_text import read_pack
from ledger.domain.refusal import RefusalKind
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.transfer_commands import OfferTransfer
from ledger.domain.values import Actor, EntryState, TransferKind
from tests.unit.domain.given import (
    PACKAGE,
    PHYSICIAN,
    RECORD,
    SUPERIOR,
    Stream,
    active,
    archived,
    imported,
    narrative,
    signed,
)
from tests.unit.domain.test_pack_text import bases, faults_of

NOTE = narrative("hospital_transfer_note", "course", "condition", "reason")
HEAD = Actor(UUID(int=61), "Dr. Tao", "department_head", "cardiology")
LAYER = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n'
REFUSED = (RefusalKind.STATE, [("record_id", "NO_TRANSFER_NOTE")])


def offer(kind: TransferKind = TransferKind.TRANSFER) -> OfferTransfer:
    """An offer of this kind."""
    return OfferTransfer(RECORD, "south", kind, None)


def refused(stream: Stream, **changes: object) -> tuple[RefusalKind, list[tuple[str, str]]]:
    """The refusal of a transfer."""
    return stream.refused(offer(), counterpart_known=True, package=PACKAGE, **changes)


def goes(stream: Stream, kind: TransferKind = TransferKind.TRANSFER, **changes: object) -> bool:
    """Offers it; whether it was offered."""
    stream.when(offer(kind), counterpart_known=True, package=PACKAGE, **changes)
    return "TransferOffered" in stream.last_events


def test_a_patient_is_transferred_with_a_note_that_the_head_of_the_department_signed() -> None:
    """A physician's note waits for the head, who countersigns it; what was retracted is none."""
    stream = active()
    assert refused(stream) == REFUSED
    note = stream.entry(NOTE, signer=PHYSICIAN)
    assert stream.record.entries[note].state is EntryState.AUTHORED
    assert refused(stream) == REFUSED
    assert stream.refused(CountersignEntry(RECORD, note, 1, signed(SUPERIOR)))[1] == [
        ("attestation.signer.role", "NOT_QUALIFIED")
    ]
    stream.when(CountersignEntry(RECORD, note, 1, signed(HEAD)))
    assert goes(stream)
    stream.when(RetractEntry(RECORD, note, "wrong patient"), actor=PHYSICIAN)
    assert refused(stream) == REFUSED
    stream.entry(NOTE, signer=HEAD)
    assert goes(stream)


@pytest.mark.parametrize("make", [active, archived])
@pytest.mark.parametrize("kind", [each for each in TransferKind if each is not TransferKind.TRANSFER])
def test_a_record_that_goes_by_itself_needs_no_note(make: Callable[[], Stream], kind: TransferKind) -> None:
    """A referral, a discharge, a summary: nobody is carried there."""
    assert goes(make(), kind)


def test_an_emergency_waits_for_no_note() -> None:
    """The purpose says so, and stays in the events."""
    stream = active()
    assert goes(stream, purpose="ETREAT")
    assert {each.meta.purpose for each in stream.events[-3:]} == {"ETREAT"}


def test_of_care_that_an_earlier_system_gave_no_note_is_asked_for() -> None:
    """Nobody can write it now; where care began here it is asked for."""
    assert goes(imported())
    stream = imported()
    stream.state = replace(stream.record, care_historical=False)
    assert refused(stream) == REFUSED


def test_a_hospital_names_other_signers_kinds_and_notes() -> None:
    """Its layer widens who signs, or asks for the note of other transfers; the American pack takes a physician's."""
    widened = read_pack(LAYER + "[final_signers]\nhospital_transfer_note = ['physician']\n", bases())[0]
    stream = active(pack=widened)
    stream.entry(NOTE, pack=widened)
    assert goes(stream, pack=widened)
    text = "[transfer_note]\nkinds = ['REFERRAL']\ntemplates = ['course_note']\nsource = 'house'\nunconfirmed = false\n"
    other = read_pack(LAYER + text, bases())[0]
    stream = active()
    assert goes(stream, pack=other)
    asked = stream.refused(offer(TransferKind.REFERRAL), counterpart_known=True, package=PACKAGE, pack=other)
    assert asked == REFUSED
    american = default_pack("us-generic")
    stream = active()
    stream.entry(NOTE, pack=american)
    assert goes(stream, pack=american)
    assert goes(active(), pack=replace(american, transfer_note=None))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("transfer_note = 3\n", ["line 4: transfer_note: a table is required"]),
        (
            "[transfer_note]\nkinds = ['MOON']\ntemplates = 'note'\ncolour = 1\n",
            [
                "line 4: transfer_note.source: a layer that asks for a note says where that is from",
                "line 4: transfer_note.unconfirmed: a layer that asks for a note says where that is from",
                "line 5: transfer_note.kinds: no such kind MOON",
                "line 6: transfer_note.templates: a list of templates is required",
                "line 7: transfer_note.colour: no such key",
            ],
        ),
        (
            "[transfer_note]\nsource = ''\nunconfirmed = 'no'\n",
            [
                "line 5: transfer_note.source: where the rule is from is required",
                "line 6: transfer_note.unconfirmed: true or false is required",
            ],
        ),
    ],
)
def test_a_layers_rule_is_refused_with_every_fault(text: str, faults: list[str]) -> None:
    """Each with its line."""
    assert sorted(faults_of(LAYER + text)) == faults


def test_the_note_is_of_a_template_that_is_there() -> None:
    """Else nobody could ever write it."""
    text = LAYER + "[transfer_note]\ntemplates = ['ticket']\nsource = 'house'\nunconfirmed = false\n"
    with pytest.raises(BadRulePack) as caught:
        read_pack(text, bases(), lambda _: default_templates().by_id)
    assert list(caught.value.faults) == ["line 5: transfer_note.templates: no such template ticket"]
