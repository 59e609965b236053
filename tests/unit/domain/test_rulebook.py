"""The rulebook: packs and templates are added, never changed; whom the pack in force names chooses another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from ledger.domain import decide_rulebook
from ledger.domain.decide import decide
from ledger.domain.decision import LEDGER, Claim, ClaimedItem, Decision
from ledger.domain.defaults import shipped_rules
from ledger.domain.evolve import evolve
from ledger.domain.hospital_rules import HospitalRules
from ledger.domain.pack_reading import LAYERS_MAX, PACK_BYTES_MAX
from ledger.domain.refusal import Refused
from ledger.domain.rulebook import RulebookState
from ledger.domain.rulebook_commands import AddRulePack, AddTemplates, ChooseRulePack
from ledger.domain.rulebook_events import RulePackAdded
from tests.unit.domain.given import ARCHIVIST, CLOCK, NOW, PHYSICIAN, facts
from tests.unit.domain.test_pack_text import NATIONAL
from tests.unit.domain.test_template_text import TRIAGE

HOUSE = """\
id = "house"
version = 1
extends = "cn-2010@1"

[[mandatory]]
id = "triage"
visits = ["EMERGENCY"]
all_of = ["triage_note"]
source = "rule of the house"
"""
BOOK = UUID(int=900)
CHOOSE = ChooseRulePack("house", 1, "in force from 2027")


@dataclass
class Book:
    """A rulebook, command by command."""

    state: RulebookState | None = None
    decisions: list[Decision] = field(default_factory=list[Decision])

    def when(self, command: Any, **changes: Any) -> Decision:
        """Decides, and goes on with what came of it."""
        claimed = ClaimedItem(BOOK, None, b"") if self.state else None
        of_all: dict[str, Any] = {"actor": ARCHIVIST, "shipped": shipped_rules(), "claimed": claimed}
        known = facts(**(of_all | changes))
        decision = decide(command, self.state, known)
        for event in decision.events:
            version = (self.state.version if self.state else 0) + 1
            self.state = evolve(self.state, event, version, NOW)  # pyright: ignore[reportAttributeAccessIssue]  # its kind
        self.decisions.append(decision)
        return decision

    def refused(self, command: Any, **changes: Any) -> list[tuple[str, str, str]]:
        """Field, rule and text of every fault; the book is as it was."""
        before = self.state
        with pytest.raises(Refused) as refused:
            self.when(command, **changes)
        assert self.state is before
        return [(each.field, each.rule, each.text) for each in refused.value.violations]


def with_house() -> Book:
    """The house's templates and its pack."""
    book = Book()
    book.when(AddTemplates(TRIAGE))
    book.when(AddRulePack(HOUSE))
    return book


def added_house() -> RulePackAdded:
    """The event of the house's pack."""
    (event,) = with_house().decisions[1].events
    assert isinstance(event, RulePackAdded)
    return event


def test_the_first_command_opens_the_only_rulebook() -> None:
    """It claims the name; whoever comes later goes on in the same stream."""
    book = with_house()
    first, second = book.decisions
    assert (first.kind, first.reservations) == (LEDGER, (Claim(LEDGER, ()),))
    assert (second.stream_id, second.reservations) == (BOOK, ())


def test_a_pack_is_kept_with_everything_below_it() -> None:
    """The event alone tells what records went by, whatever a later release ships under the same name."""
    event = added_house()
    assert (event.pack_id, event.version, event.text) == ("house", 1, HOUSE)
    assert [(each.id, each.version, each.text) for each in event.layers] == [("cn-2010", 1, NATIONAL)]
    assert event.sha256 == sha256(HOUSE.encode()).digest()


def test_the_same_again_adds_nothing() -> None:
    """Packs, templates and choices alike."""
    book = with_house()
    book.when(CHOOSE)
    for command in (AddTemplates(TRIAGE), AddRulePack(HOUSE), CHOOSE):
        assert book.when(command).events == ()


def test_other_content_under_a_known_name_is_refused() -> None:
    """Of the rulebook and of the release: records go by what the name meant when they were registered."""
    book = with_house()
    other = HOUSE.replace("rule of the house", "another source")
    assert book.refused(AddRulePack(other)) == [("text", "PACK_EXISTS", "house@1 says something else")]
    assert [each[1] for each in book.refused(AddRulePack(NATIONAL + "\n# more\n"))] == ["PACK_EXISTS"]
    longer = TRIAGE.replace('title = "Level"', 'title = "Level of urgency"')
    assert [each[1] for each in book.refused(AddTemplates(longer))] == ["TEMPLATE_EXISTS"]
    taken = TRIAGE.replace("triage_note", "course_note").removeprefix('pack = "house"\n')
    assert [each[1] for each in book.refused(AddTemplates(taken))] == ["TEMPLATE_EXISTS"]


def test_a_new_version_stands_beside_the_old_one() -> None:
    """Nothing is replaced."""
    book = with_house()
    book.when(AddRulePack(HOUSE.replace("version = 1", "version = 2")))
    book.when(AddTemplates(TRIAGE.replace("version = 1", "version = 2")))
    rules = HospitalRules(shipped_rules(), "cn-2010", book.state)
    assert {each.name for each in rules.all_packs() if each.id == "house"} == {("house", 1), ("house", 2)}
    assert rules.template(("triage_note", 1)) is not None
    assert rules.template(("triage_note", 2)) is not None


def test_a_pack_that_names_unknown_templates_is_refused_at_its_lines() -> None:
    """Mandatory entries, signers, stop and start of deadlines: what nobody can write is demanded of nobody."""
    text = HOUSE + (
        "\n[final_signers]\ncolour_note = ['physician']\n\n[[deadline]]\nid = 'dusk'\nstart = 'entry'\nstop = 'entry'\n"
        "figure = 1\nunit = 'days'\nsource = 'x'\nunconfirmed = true\ntemplates = ['dusk_note']\n"
        "start_template = 'dawn_note'\nvisits = ['INPATIENT']\n"
    )
    assert [each[2] for each in Book().refused(AddRulePack(text))] == [
        "line 8: mandatory[16].all_of: no such template triage_note",
        "line 12: final_signers.colour_note: no such template colour_note",
        "line 22: deadline[26].templates: no such template dusk_note",
        "line 23: deadline[26].start_template: no such template dawn_note",
    ]


def test_a_pack_does_not_name_a_template_of_another() -> None:
    """A template of one pack is nobody else's; a layer over that pack has it too."""
    book = with_house()
    other = HOUSE.replace('"house"', '"villa"')
    assert [each[2] for each in book.refused(AddRulePack(other))] == [
        "line 8: mandatory[16].all_of: no such template triage_note"
    ]
    book.when(AddRulePack(HOUSE.replace('"house"', '"ward"').replace("cn-2010@1", "house@1")))


def test_every_fault_of_a_pack_is_told_beside_those_of_the_actor() -> None:
    """One refusal: who may not do it learns what is wrong with it too."""
    faults = Book().refused(AddRulePack('id = "a"\nversion = 0\nextends = "mars-2199@1"\n'), actor=PHYSICIAN)
    assert (
        "context.actor.role",
        "ROLE_NOT_ALLOWED",
        "one of medical_affairs, quality_office, records_office",
    ) in faults
    told = [text for field, rule, text in faults if (field, rule) == ("text", "BAD_RULE_PACK")]
    assert "line 3: extends: id@version of a pack that is there is required" in told
    assert "line 2: version: a whole number from 1 to 999999 is required" in told


@pytest.mark.parametrize("command", [AddTemplates(TRIAGE), AddRulePack(HOUSE), CHOOSE])
def test_only_a_keeper_of_rules_acts(command: Any) -> None:
    """A person, in a role that the pack in force names."""
    book = with_house()
    assert "NOT_A_PERSON" in {each[1] for each in book.refused(command, actor=CLOCK)}
    assert "ROLE_NOT_ALLOWED" in {each[1] for each in book.refused(command, actor=PHYSICIAN)}
    quality = replace(ARCHIVIST, role="quality_office")
    book.when(command, actor=quality)


def test_an_unknown_pack_is_not_chosen() -> None:
    """By id and by version, and never without a reason."""
    book = with_house()
    assert book.refused(ChooseRulePack("mars-2199", 1, "why")) == [
        ("pack_id", "UNKNOWN_RULE_PACK", "there is no such rule pack")
    ]
    assert book.refused(ChooseRulePack("house", 7, "")) == [
        ("reason", "REQUIRED", "a value is required"),
        ("version", "UNKNOWN_RULE_PACK", "there are [1]"),
    ]


def test_a_pack_of_the_release_is_written_down_when_it_is_chosen() -> None:
    """So that the ledger itself holds what its records go by; chosen again it is there."""
    book = Book()
    first = book.when(ChooseRulePack("core-2018", 1, "rules of 2018"))
    assert [type(each).__name__ for each in first.events] == ["RulePackAdded", "RulePackChosen"]
    book.when(ChooseRulePack("us-generic", 1, "moved"))
    back = book.when(ChooseRulePack("core-2018", 1, "moved back"))
    assert [type(each).__name__ for each in back.events] == ["RulePackChosen"]


def test_a_text_and_a_rulebook_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size, layers below each other, packs, texts of templates."""
    book = with_house()
    comment = "#" * (PACK_BYTES_MAX - len(HOUSE.encode()) + 1)
    assert [each[1] for each in book.refused(AddRulePack(HOUSE + comment))] == ["BAD_RULE_PACK"]
    assert [each[1] for each in book.refused(AddTemplates(TRIAGE + comment))] == ["TOO_LONG"]
    below = "house@1"
    for depth in range(2, LAYERS_MAX):
        book.when(AddRulePack(f'id = "l{depth}"\nversion = 1\nextends = "{below}"\n'))
        below = f"l{depth}@1"
    book.when(AddRulePack(f'id = "last"\nversion = 1\nextends = "{below}"\n'))
    faults = book.refused(AddRulePack('id = "over"\nversion = 1\nextends = "last@1"\ncolour = 1\n'))
    assert [each[2] for each in faults] == [
        f"line 3: extends: at most {LAYERS_MAX} packs below each other",
        "line 4: colour: no such key",
    ]
    monkeypatch.setattr(decide_rulebook, "PACKS_MAX", 1)
    monkeypatch.setattr(decide_rulebook, "TEMPLATE_TEXTS_MAX", 1)
    assert [each[1] for each in book.refused(AddRulePack('id = "x"\nversion = 1\nextends = "house@1"\n'))] == [
        "TOO_MANY"
    ]
    assert [each[1] for each in book.refused(AddTemplates(TRIAGE.replace("triage", "second")))] == ["TOO_MANY"]
