"""Who may do what, as the packs name it, each with its source; and what no pack lets a program do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.commands import PassQuality, RecordEntry, ReturnRecord, SubmitRecord
from ledger.domain.defaults import default_pack
from ledger.domain.pack_roles import ROLES_OF
from ledger.domain.values import Actor, Defect, EntryContent, EntryState
from tests.unit.domain.given import CLOCK, QUALITY, RECORD, active, narrative, note, signed, submitted
from tests.unit.domain.test_pack_text import faults_of

NURSE = Actor(UUID(int=44), "Ms. Fu", "nurse", "cardiology")
HEAD = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n[roles]\n'


@pytest.mark.parametrize("pack_id", ["cn-2010", "core-2018", "us-generic"])
def test_every_shipped_pack_names_who_may_do_what_with_its_source(pack_id: str) -> None:
    """All that a pack may limit is limited; nobody has confirmed it yet, and no program is named but for retention."""
    roles = default_pack(pack_id).roles
    assert roles.keys() == ROLES_OF
    assert all(each.roles and each.source and each.unconfirmed for each in roles.values())
    assert [name for name, each in roles.items() if each.roles & {"system", "interface"}] == ["extend_retention"]


@pytest.mark.parametrize("role", ["system", "interface"])
@pytest.mark.parametrize("command", [PassQuality(RECORD), ReturnRecord(RECORD, (Defect("LANGUAGE"),))])
def test_no_program_judges_quality_whatever_a_pack_says(role: str, command: Any) -> None:
    """Also where a hospital's layer names its role, or no roles at all."""
    pack = default_pack()
    stream, program = submitted(), replace(CLOCK, role=role)
    for roles in ({}, {name: replace(each, roles=each.roles | {role}) for name, each in pack.roles.items()}):
        refused = stream.refused(command, actor=program, pack=replace(pack, roles=roles))
        assert refused[1] == [("context.actor", "NOT_A_PERSON")]
    stream.when(command, actor=QUALITY)


@pytest.mark.parametrize("pack_id", ["cn-2010", "us-generic"])
@pytest.mark.parametrize(
    ("content", "state"),
    [
        (narrative("nursing_record", "observations", "measures"), EntryState.SIGNED),
        (narrative("temperature_chart", "vital_signs"), EntryState.SIGNED),
        (narrative("surgical_count_record", "counts", "nurses"), EntryState.SIGNED),
        (note(), EntryState.AUTHORED),
    ],
    ids=["nursing_record", "temperature_chart", "surgical_count_record", "course_note"],
)
def test_a_nurse_signs_finally_what_is_named_for_nurses(pack_id: str, content: EntryContent, state: EntryState) -> None:
    """Anything else that a nurse signs waits for a physician, as a trainee's does."""
    stream = active()
    entry_id = stream.entry(content, signer=NURSE, pack=default_pack(pack_id))
    assert stream.record.entries[entry_id].state is state


def test_what_a_nurse_wrote_beside_the_own_field_stops_the_submission() -> None:
    """Until a physician has countersigned it."""
    stream = submitted()
    stream.when(ReturnRecord(RECORD, (Defect("LANGUAGE"),)))
    stream.when(RecordEntry(RECORD, note(), signed(NURSE)))
    assert [rule for _, rule in stream.refused(SubmitRecord(RECORD))[1]] == ["NOT_SIGNED"]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (
            "pass_quality = ['a']",
            ["line 5: roles.pass_quality: a table with roles, source and unconfirmed is required"],
        ),
        (
            "pass_quality = { roles = ['a'] }",
            [
                "line 5: roles.pass_quality.source: a layer that names roles says where that is from",
                "line 5: roles.pass_quality.unconfirmed: a layer that names roles says where that is from",
            ],
        ),
        (
            "pass_quality = { roles = 'a', source = ' ', unconfirmed = 3, colour = 1 }",
            [
                "line 5: roles.pass_quality.colour: no such key",
                "line 5: roles.pass_quality.roles: a list of roles is required",
                "line 5: roles.pass_quality.source: where the rule is from is required",
                "line 5: roles.pass_quality.unconfirmed: true or false is required",
            ],
        ),
        (
            "close_door = { roles = ['a'], source = 'x', unconfirmed = true }",
            ["line 5: roles.close_door: no such key"],
        ),
    ],
)
def test_roles_of_a_layer_are_refused_with_every_fault(text: str, faults: list[str]) -> None:
    """What has not its shape, names nothing, or does not say where it is from."""
    assert faults_of(HEAD + text + "\n") == faults
