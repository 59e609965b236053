"""Roles and visits that a pack names so that nobody could act, or the wrong ones: refused with their lines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.domain.defaults import default_packs, default_templates
from ledger.domain.pack_roles import ANY, ROLES_OF
from ledger.domain.pack_text import read_pack
from ledger.domain.role_kinds import FINAL_SIGNERS, ROLE_LISTS, RULE_KEEPERS, SIGNERS_OF
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.rulebook_commands import AddRulePack
from tests.unit.domain.test_pack_text import NATIONAL, bases
from tests.unit.domain.test_rulebook import Book

HEAD = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n'
NOBODY = "a role of a person of the hospital is required, else nobody could ever do it"
NO_PERSON = {"system": "system is no person", "interface": "interface is no person"}
OTHER_SIDE = {each: f"{each} does not act for the hospital" for each in ("patient", "representative", "notary")}
NO_TEXT = dict.fromkeys(("", " ", "r" * 65), "a role is a text of 1 to 64 characters")
NOBODYS = {**NO_PERSON, **OTHER_SIDE, **NO_TEXT}
"""Roles that act in no list, with what is said of them."""
CARE = {"continue_draft", "file_late_item", "register_newborn_late"}
"""What a trainee may be left with, as with other care: nothing is settled by it."""
PROGRAMS = {"extend_retention": "system", "file_late_item": "interface", "register_newborn_late": "interface"}


BELOW = bases()
"""The national pack, read once."""


def read(text: str) -> RulePack:
    """The house's layer, as one that is added."""
    return read_pack(text, BELOW, lambda _: default_templates().by_id)[0]


def faults_of(text: str) -> list[str]:
    """The faults of the house's layer."""
    with pytest.raises(BadRulePack) as caught:
        read(text)
    return list(caught.value.faults)


def acts(names: Sequence[str], roles: list[str]) -> str:
    """A layer that leaves each of the acts to these roles, from line 5 on."""
    lines = (f"{name} = {{ roles = {roles}, source = 'house', unconfirmed = false }}\n" for name in names)
    return f"{HEAD}[roles]\n{''.join(lines)}"


def told(path: str, *what: str, line: int = 5) -> list[str]:
    """The faults of one list, in the order in which they are told."""
    return sorted({f"line {line}: {path}: {each}" for each in what})


def told_of_each(names: Sequence[str], *what: str) -> list[str]:
    """The faults of each act."""
    return [each for line, name in enumerate(names, 5) for each in told(f"roles.{name}.roles", *what, line=line)]


OF_PERSONS = sorted(ROLES_OF - PROGRAMS.keys())


def test_an_act_is_left_to_nobody_who_cannot_do_it() -> None:
    """No program, nobody of the patient's side, nobody without a name, alone or beside somebody who can."""
    alone, beside = list(NOBODYS), [*NOBODYS, "archive"]
    assert faults_of(acts(OF_PERSONS, alone)) == told_of_each(OF_PERSONS, *NOBODYS.values(), NOBODY)
    assert faults_of(acts(OF_PERSONS, beside)) == told_of_each(OF_PERSONS, *NOBODYS.values())


def test_an_act_is_left_to_somebody() -> None:
    """An empty list would lock it for good; any role of a house's own will do."""
    names = sorted(ROLES_OF - {"extend_retention"})
    assert faults_of(acts(names, [])) == told_of_each(names, NOBODY)
    roles = read(acts(names, ["office of the house"])).roles
    assert {roles[name].roles for name in names} == {frozenset({"office of the house"})}


def test_a_trainee_goes_on_with_care_and_settles_nothing() -> None:
    """Neither quality, archive, holds, seals, disposal and approvals nor anything else that an office does."""
    settling = sorted(ROLES_OF - CARE)
    assert faults_of(acts(settling, ["trainee", "chief"])) == told_of_each(settling, "a trainee may not")
    pack = read(acts(sorted(CARE), ["trainee"]))
    assert all(pack.may(name, "trainee") for name in CARE)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_programs_do_beside_persons_what_is_left_to_them(name: str) -> None:
    """The clock moves retention dates on alone; what an interface brings a person can bring too."""
    own = PROGRAMS[name]
    (other,) = NO_PERSON.keys() - {own}
    path = f"roles.{name}.roles"
    assert read(acts([name], [own, "chief"])).may(name, own)
    assert faults_of(acts([name], [other, "chief"])) == told(path, NO_PERSON[other])
    if name == "extend_retention":
        assert read(acts([name], [own])).roles[name].roles == {own}
        assert faults_of(acts([name], [])) == told(path, "a role is required, else nobody could ever do it")
    else:
        assert faults_of(acts([name], [own])) == told(path, NOBODY)


def test_rules_are_kept_by_persons_of_the_hospital() -> None:
    """Else nobody could ever change them again."""
    what = [*NOBODYS.values(), "a trainee may not"]
    keepers = [*NOBODYS, "trainee"]
    assert faults_of(f"{HEAD}rule_keepers = {keepers}\n") == told("rule_keepers", *what, NOBODY, line=4)
    assert faults_of(f"{HEAD}rule_keepers = {[*keepers, 'archive']}\n") == told("rule_keepers", *what, line=4)


@pytest.mark.parametrize("template", ['"*"', "course_note", "informed_consent"])
def test_a_final_signature_is_a_qualified_person_s(template: str) -> None:
    """Whatever the template; a list of nobody makes every entry wait for ever."""
    path, head = f"final_signers.{template.strip(chr(34))}", f"{HEAD}[final_signers]\n{template} = "
    signers, what = [*NOBODYS, "trainee"], [*NOBODYS.values(), "a trainee may not"]
    assert faults_of(f"{head}{signers}\n") == told(path, *what, NOBODY)
    assert faults_of(f"{head}{[*signers, 'physician']}\n") == told(path, *what)
    assert faults_of(f"{head}[]\n") == told(path, NOBODY)


def test_a_laboratory_s_system_confirms_its_results_beside_persons() -> None:
    """And nothing else; who corrects a result is somebody."""
    head = f"{HEAD}[final_signers]\nresult = "
    assert read(f"{head}['interface', 'pathologist']\n").signs_finally("result", "interface")
    assert faults_of(f"{head}['interface']\n") == told("final_signers.result", NOBODY)
    assert faults_of(f"{head}['system', 'trainee', 'pathologist']\n") == told(
        "final_signers.result", "a trainee may not", "system is no person"
    )


def test_a_pack_says_whose_signature_is_final_where_it_names_no_template() -> None:
    """A pack that stands alone has the line for every other template; a layer has that of its base."""
    alone = NATIONAL.replace('"*" = ["physician", "attending", "chief", "pathologist"]\n', "")
    with pytest.raises(BadRulePack) as caught:
        read_pack(alone, {}, lambda _: default_templates().by_id)
    (fault,) = caught.value.faults
    line = alone.split("\n").index("[final_signers]") + 1
    assert fault == (
        f"line {line}: final_signers.*: roles are required, else what is not named could be signed by nobody"
    )
    assert read(f"{HEAD}[final_signers]\ncourse_note = ['chief']\n").signs_finally("general", "chief")


_EVERY = f"""{HEAD}rule_keepers = ["system"]
[final_signers]
"*" = ["trainee", "interface", "physician"]
front_page = []
[roles]
lift_hold = {{ roles = [], source = "house", unconfirmed = false }}
destroy_record = {{ roles = ["system"], source = "house", unconfirmed = false }}
pass_quality = {{ roles = ["trainee"], source = "house", unconfirmed = false }}
seal_record = {{ roles = ["patient"], source = "house", unconfirmed = false }}
[[mandatory]]
id = "page"
visits = ["INPATIENT", "EMERGENCY", "OUTPATIENT"]
all_of = ["course_note", "front_page"]
source = "house"
[[deadline]]
id = "filing"
visits = []
[move_note]
visits = []
templates = []
source = "house"
unconfirmed = false
"""


def test_every_such_fault_is_told_at_once_when_a_pack_is_added() -> None:
    """Roles, templates that no such visit has, lists of no visits: each with its line, and nothing is added."""
    faults = Book().refused(AddRulePack(_EVERY))
    assert {(field, rule) for field, rule, _ in faults} == {("text", "BAD_RULE_PACK")}
    assert [text for _, _, text in faults] == [
        f"line 4: rule_keepers: {NOBODY}",
        "line 4: rule_keepers: system is no person",
        "line 6: final_signers.*: a trainee may not",
        "line 6: final_signers.*: interface is no person",
        f"line 7: final_signers.front_page: {NOBODY}",
        f"line 9: roles.lift_hold.roles: {NOBODY}",
        f"line 10: roles.destroy_record.roles: {NOBODY}",
        "line 10: roles.destroy_record.roles: system is no person",
        f"line 11: roles.pass_quality.roles: {NOBODY}",
        "line 11: roles.pass_quality.roles: a trainee may not",
        f"line 12: roles.seal_record.roles: {NOBODY}",
        "line 12: roles.seal_record.roles: patient does not act for the hospital",
        "line 16: mandatory[16].all_of: front_page is not written in visits of type EMERGENCY",
        "line 16: mandatory[16].all_of: front_page is not written in visits of type OUTPATIENT",
        "line 20: deadline[24].visits: visit types are required",
        "line 22: move_note.visits: at least one is required",
        "line 23: move_note.templates: at least one is required",
    ]


def test_an_alternative_fits_every_visit_of_its_rule_too() -> None:
    """One that nobody writes there is none; two rules say what two kinds of visits owe."""
    rule = "[[mandatory]]\nid = 'x'\nvisits = [{}]\none_of = [['course_note'], ['front_page']]\nsource = 'x'\n"

    def with_visits(visits: str) -> None:
        read_pack(HEAD + rule.format(visits), BELOW, lambda _: default_templates().by_id)

    with_visits("'INPATIENT', 'OBSERVATION'")
    with pytest.raises(BadRulePack) as caught:
        with_visits("'INPATIENT', 'OUTPATIENT'")
    assert caught.value.faults == (
        "line 7: mandatory[16].one_of: front_page is not written in visits of type OUTPATIENT",
    )


def test_what_is_shipped_names_who_may() -> None:
    """Every list of both packs and of the layer, by the declaration that layers are held to."""
    for pack in default_packs().by_version.values():
        assert not list(RULE_KEEPERS.faults("", pack.rule_keepers))
        assert ANY in pack.final_signers
        for name, roles in pack.final_signers.items():
            assert not list(SIGNERS_OF.get(name, FINAL_SIGNERS).faults("", roles))
        for name, rule in pack.roles.items():
            assert not list(ROLE_LISTS[name].faults("", rule.roles))


def test_what_stands_in_a_rulebook_is_read_as_it_was_taken() -> None:
    """A pack that an earlier release took keeps giving its records their rules: what is added is held to more."""
    text = _EVERY.replace('rule_keepers = ["system"]', 'rule_keepers = ["system", "archive"]')
    pack = read_pack(text, BELOW)[0]
    assert pack.roles["pass_quality"].roles == {"trainee"}
    assert pack.signs_finally("general", "trainee")


def test_a_head_of_department_takes_charge() -> None:
    """Who signs the note with which a patient goes to another hospital, though not every other note."""
    pack = default_packs().by_version["cn-2010", 1]
    assert not pack.signs_finally("general", "department_head")
    assert pack.takes_charge("department_head")
    assert not pack.takes_charge("nurse")
