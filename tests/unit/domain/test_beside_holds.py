"""What lies beside a hold or seal: notes of the course, filed by two persons, while nobody may reopen the case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain.defaults import default_pack
from ledger.domain.values import Actor
from tests.unit.domain.care_acts import NO_CARE, OTHER_NOTES, TEMPLATES, written
from tests.unit.domain.given import (
    AFFAIRS,
    MANDATORY,
    PHYSICIAN,
    SUPERIOR,
    TRAINEE,
    Stream,
    archived,
    due,
    narrative,
    note,
    permanent,
    reopened,
    signed,
)
from tests.unit.domain.refusals import hold
from tests.unit.domain.test_late_items import FILE, LABORATORY, LATER, seal


@pytest.mark.parametrize("lay", [hold, seal])
@pytest.mark.parametrize("make", [archived, due, permanent, reopened])
def test_what_nobody_may_reopen_the_case_for_lies_beside(
    make: Callable[[], Stream], lay: Callable[[Stream], UUID]
) -> None:
    """Under a hold or the seal of the whole original two persons file a note late, and it corrects nothing."""
    stream = make()
    beside = replace(FILE, content=note("Told by the family."), confirmed_by=AFFAIRS)
    assert stream.refused(beside, now=LATER)[1] == [("content.template", "NOT_A_LATE_ITEM")]
    lay(stream)
    corrected = replace(beside, corrects_entry_id=next(iter(stream.record.entries)))
    assert ("content.template", "NOT_A_LATE_ITEM") in stream.refused(corrected, now=LATER)[1]
    assert stream.refused(replace(beside, attestation=signed(TRAINEE)), now=LATER)[1] == [
        ("attestation.signer.role", "NOT_QUALIFIED"),
        ("context.actor.role", "ROLE_NOT_ALLOWED"),
    ]
    filed = stream.when(beside, now=LATER).result["entry_id"]
    assert isinstance(filed, UUID)
    assert stream.last_events == ["LateItemFiled", "LateItemConfirmed", "EndorsementUsed"]
    assert stream.record.entries[filed].confirmed_by == AFFAIRS


@pytest.mark.parametrize("pack_id", ["cn-2010", "us-generic"])
@pytest.mark.parametrize("lay", [hold, seal])
def test_beside_a_hold_or_seal_lies_whatever_care_writes(lay: Callable[[Stream], UUID], pack_id: str) -> None:
    """Every template of the release but the cover of the case and the note of a transfer; results need no second."""
    stream, pack = archived(), default_pack(pack_id)
    lay(stream)
    for content in (MANDATORY[3], narrative("hospital_transfer_note", "course", "reason")):
        other = replace(FILE, content=content, confirmed_by=AFFAIRS)
        assert ("content.template", "NOT_A_LATE_ITEM") in stream.refused(other, pack=pack)[1]
    for template in ("course_note", *OTHER_NOTES):
        stream.when(replace(FILE, content=written(template), confirmed_by=AFFAIRS), pack=pack)
    named = pack.late_beside | pack.late_items
    assert named == {each.id for each in TEMPLATES.values()} - NO_CARE


def test_a_pack_says_what_lies_beside() -> None:
    """One that names nothing lets nothing."""
    stream = archived()
    hold(stream)
    silent = replace(default_pack(), late_beside=frozenset())
    beside = replace(FILE, content=note(), confirmed_by=AFFAIRS)
    assert stream.refused(beside, pack=silent)[1] == [("content.template", "NOT_A_LATE_ITEM")]


RESCUE = narrative("rescue_record", "course", "participants")
SAME, ROLE = ("confirmed_by", "SAME_PERSON"), ("confirmed_by.role", "ROLE_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("second", "faults"),
    [
        (None, [SAME]),
        (replace(PHYSICIAN, role="medical_affairs"), [SAME]),
        (replace(LABORATORY, role="interface"), [SAME, ROLE]),
        (SUPERIOR, [ROLE]),
        (TRAINEE, [ROLE]),
        (replace(AFFAIRS, name=""), [("confirmed_by.name", "REQUIRED")]),
    ],
)
def test_what_lies_beside_a_hold_a_second_person_confirms(second: Actor | None, faults: list[tuple[str, str]]) -> None:
    """Another than who files it, no program, in a role that could have approved the reopening; a result needs none."""
    stream = archived()
    hold(stream)
    beside = replace(FILE, content=note(), confirmed_by=second)
    assert stream.refused(beside)[1] == faults
    stream.when(FILE)
    stream.when(replace(beside, confirmed_by=AFFAIRS))


def test_who_signed_does_not_confirm_what_another_or_a_program_files() -> None:
    """Two persons stand behind it: the one who signed, and another one, whatever else is wrong with the signature."""
    stream = archived()
    hold(stream)
    head = replace(AFFAIRS, role="chief")
    beside = replace(FILE, content=note(), attestation=signed(head), confirmed_by=AFFAIRS)
    for actor in (PHYSICIAN, LABORATORY):
        assert SAME in stream.refused(beside, actor=actor)[1]
    own = replace(beside, attestation=signed(SUPERIOR))
    assert SAME not in stream.refused(own, actor=LABORATORY)[1]


def test_a_program_files_nothing_beside_a_hold_with_one_person() -> None:
    """Also where a hospital's own pack has it sign finally: nobody but who confirms it would stand behind it."""
    stream = archived()
    hold(stream)
    own = replace(default_pack(), final_signers={"*": frozenset({"interface"})})
    beside = replace(FILE, content=note(), attestation=signed(LABORATORY), confirmed_by=AFFAIRS)
    assert stream.refused(beside, pack=own)[1] == [SAME]


def test_a_second_person_who_is_named_for_a_report_is_kept() -> None:
    """Nobody asks for one; who was there is not forgotten, and is held to the same."""
    stream = archived()
    assert stream.refused(replace(FILE, confirmed_by=PHYSICIAN))[1] == [SAME, ROLE]
    stream.when(replace(FILE, confirmed_by=AFFAIRS))
    assert stream.last_events == ["LateItemFiled", "LateItemConfirmed", "EndorsementUsed"]
