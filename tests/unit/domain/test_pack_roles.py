"""Who may do what, as the packs name it, each with its source; and what no pack lets a program do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.commands import PassQuality, RecordEntry, RetractEntry, ReturnRecord, SubmitRecord
from ledger.domain.defaults import default_pack
from ledger.domain.keeping_commands import (
    AppraiseDisposal,
    ApproveDisposal,
    DestroyRecord,
    ExtendRetention,
    LendRecord,
)
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.pack_roles import ROLES_OF
from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import RulePack
from ledger.domain.values import Actor, Defect, EntryContent, EntryState, Phase
from tests.unit.domain.given import (
    APPROVER,
    ARCHIVIST,
    CLOCK,
    HEAD_OF_HOSPITAL,
    LIST,
    NOW,
    PHYSICIAN,
    QUALITY,
    RECORD,
    SUPERIOR,
    SUPERVISORS,
    TERM,
    active,
    archived,
    due,
    narrative,
    note,
    signed,
    submitted,
)
from tests.unit.domain.test_pack_text import bases, faults_of

NURSE = Actor(UUID(int=44), "Ms. Fu", "nurse", "cardiology")
HEAD = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n[roles]\n'


@pytest.mark.parametrize("pack_id", ["cn-2010", "core-2018", "us-generic"])
def test_every_shipped_pack_names_who_may_do_what_with_its_source(pack_id: str) -> None:
    """All that a pack may limit is limited; nobody has confirmed it; of programs the clock, and what only adds."""
    roles = default_pack(pack_id).roles
    assert roles.keys() == ROLES_OF
    assert all(each.roles and each.source and each.unconfirmed for each in roles.values())
    programs = {name: each.roles & {"system", "interface"} for name, each in roles.items()}
    named = {name: each for name, each in programs.items() if each}
    assert named == {
        "extend_retention": {"system"},
        "file_late_item": {"interface"},
        "register_newborn_late": {"interface"},
    }


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


def _with_roles(**roles: str) -> RulePack:
    pack = default_pack()
    changed = {name: replace(pack.roles[name], roles=frozenset({role})) for name, role in roles.items()}
    return replace(pack, roles={**pack.roles, **changed})


def test_offices_count_as_the_pack_in_force_names_them() -> None:
    """An old record is destroyed by who holds the office today, by the people who approve lists today."""
    renamed = _with_roles(appraise_disposal="archive", approve_disposal="board", destroy_record="archive")
    stream, late = due(), {"now": NOW + TERM, "roles_by": renamed}
    appraise = AppraiseDisposal(RECORD, DisposalOpinion.DESTROY, "term over", "")
    destroy = DestroyRecord(RECORD, LIST, HEAD_OF_HOSPITAL, SUPERVISORS, ())
    fault = [("context.actor.role", "ROLE_NOT_ALLOWED")]
    assert stream.refused(appraise, actor=ARCHIVIST, **late)[1] == fault
    stream.when(appraise, actor=replace(ARCHIVIST, role="archive"), **late)
    assert stream.refused(ApproveDisposal(RECORD, LIST), actor=APPROVER, **late)[1] == fault
    stream.when(ApproveDisposal(RECORD, LIST), actor=replace(APPROVER, role="board"), **late)
    assert stream.refused(destroy, actor=ARCHIVIST, **late)[1] == fault
    stream.when(destroy, actor=replace(ARCHIVIST, role="archive"), **late)
    assert stream.record.phase is Phase.DESTROYED


def test_a_retraction_by_an_office_goes_by_the_pack_in_force_too() -> None:
    """Its author retracts an entry whatever the packs name."""
    known = {"roles_by": _with_roles(retract_entry="quality_chief")}
    for actor, allowed in ((QUALITY, False), (replace(QUALITY, role="quality_chief"), True), (PHYSICIAN, True)):
        stream = active()
        retract = RetractEntry(RECORD, stream.entry(), "wrong patient")
        if allowed:
            stream.when(retract, actor=actor, **known)
        else:
            assert stream.refused(retract, actor=actor, **known)[1] == [("context.actor", "NOT_AUTHOR")]


def test_figures_stay_those_of_the_record_s_own_pack() -> None:
    """Also where the command is left to a role of the pack in force: a window is no longer than the own pack's."""
    in_force = replace(default_pack(), keeping=replace(default_pack().keeping, loan_months=0, loan_days=1))
    lend = LendRecord(RECORD, SUPERIOR, "", out_of_house=False)
    lent: dict[str, Any] = {}
    for known in ({}, {"roles_by": in_force}):
        stream = archived()
        stream.when(lend, **known)
        (loan,) = stream.record.overlays.loans.values()
        lent[str(known)] = loan.due_on
    assert len(set(lent.values())) == 1


def test_no_layer_shuts_the_clock_out_of_extensions() -> None:
    """It names its own roles, and the clock beside them still moves the date; nobody else gains anything."""
    text = HEAD + "extend_retention = { roles = ['archive'], source = 'house', unconfirmed = false }\n"
    pack = read_pack(text, bases())[0]
    assert pack.roles["extend_retention"].roles == {"archive", "system"}
    extend = ExtendRetention(RECORD, "2090-01-01", "readmission", None)
    assert archived().refused(extend, actor=ARCHIVIST, pack=pack)[1] == [("context.actor.role", "ROLE_NOT_ALLOWED")]
    stream = archived()
    stream.when(extend, actor=CLOCK, pack=pack)
    assert stream.record.retain_until == "2090-01-01"


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
