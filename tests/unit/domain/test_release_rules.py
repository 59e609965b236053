"""What comes with the release stands in the rulebook once, and a later release moves nothing of it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from ledger.domain.code_tables import CodeTable, CodeTables, read_table
from ledger.domain.decision import LEDGER
from ledger.domain.defaults import shipped_rules
from ledger.domain.evolve import evolve
from ledger.domain.hospital_rules import HospitalRules, ShippedRules
from ledger.domain.release_rules import LEDGER_ITSELF, REASON, release_rules, written_down
from ledger.domain.rulebook import PackText, RulebookState
from ledger.domain.rulebook_commands import ChooseRulePack
from ledger.domain.rulebook_events import (
    CodeTableNoted,
    RulebookEvent,
    RulePackAdded,
    RulePackChosen,
    TemplatesAdded,
)
from ledger.domain.template_text import TemplateTexts, parted, read_templates
from ledger.domain.templates import TemplateSet
from ledger.domain.values import EventMeta
from tests.unit.domain.given import NOW, RECORD
from tests.unit.domain.test_pack_text import NATIONAL
from tests.unit.domain.test_rulebook import Book

META = EventMeta(LEDGER_ITSELF, NOW, RECORD)
TABLES: CodeTables = {
    "urn:codes": read_table("A\tA title\nB\tAnother\n", "urn:codes", "7", "a source"),
    "urn:away": None,
}
MORE = (
    '\n[[template]]\nid = "tea_note"\nversion = 1\ntitle = "Tea"\n\n[[template.section]]\ncode = "tea"\ntitle = "Tea"\n'
)


def written(
    state: RulebookState | None = None, shipped: ShippedRules | None = None, tables: CodeTables | None = None
) -> tuple[list[RulebookEvent], HospitalRules]:
    """What is written over a rulebook, and the rules afterwards: nothing is missing then."""
    rules = HospitalRules(shipped or shipped_rules(), "cn-2010", state)
    events = list(release_rules(rules, tables or {}, META))
    for event in events:
        state = evolve(state, event, (state.version if state else 0) + 1, NOW)  # pyright: ignore[reportAssignmentType]  # its kind
    after = HospitalRules(rules.shipped, "cn-2010", state)
    assert written_down(after, tables or {})
    assert list(release_rules(after, tables or {}, META)) == []
    return events, after


def with_templates(text: str) -> ShippedRules:
    """A release with these templates."""
    return replace(shipped_rules(), templates=read_templates(text), template_texts=parted(text))


def whole_text() -> str:
    """All templates of the release."""
    return shipped_rules().template_texts.of(shipped_rules().templates.templates)


def test_a_rulebook_begins_with_the_pack_and_the_templates_of_the_release() -> None:
    """Their texts, their digests, who and why: each can be read without the release."""
    events, after = written()
    added, chosen, templates = events
    assert isinstance(added, RulePackAdded)
    assert (added.pack_id, added.version, added.text) == ("cn-2010", 1, NATIONAL)
    assert added.sha256 == sha256(NATIONAL.encode()).digest()
    assert isinstance(chosen, RulePackChosen)
    assert (chosen.pack_id, chosen.version, chosen.reason) == ("cn-2010", 1, REASON)
    assert isinstance(templates, TemplatesAdded)
    assert read_templates(templates.text) == shipped_rules().templates
    assert {(each.id, each.version) for each in templates.templates} == shipped_rules().templates.templates.keys()
    assert templates.sha256 == sha256(templates.text.encode()).digest()
    assert {each.meta.actor.role for each in events} == {"system"}
    alone = HospitalRules(ShippedRules({}, TemplateSet({})), "", after.book)
    assert alone.for_stream(None) == after.for_stream(None)
    assert alone.template(("course_note", 1)) == after.template(("course_note", 1)) is not None


def test_a_layer_is_written_with_what_it_lies_over() -> None:
    """A hospital of the release's other pack."""
    rules = HospitalRules(shipped_rules(), "core-2018", None)
    added = next(release_rules(rules, {}, META))
    assert isinstance(added, RulePackAdded)
    assert [(each.id, each.text) for each in added.layers] == [("cn-2010", NATIONAL)]


def test_who_chose_a_pack_before_is_not_moved() -> None:
    """A person's choice stands; the templates are written beside it."""
    book = Book()
    book.when(ChooseRulePack("us-generic", 1, "from the first day"))
    events, after = written(book.state)
    assert [type(each) for each in events] == [TemplatesAdded]
    assert after.in_force == ("us-generic", 1)


def test_a_release_that_brings_a_newer_pack_moves_no_hospital() -> None:
    """Only an event does: its calendar, too, stays that of the chosen version until a person chooses."""
    _, after = written()
    text = NATIONAL.replace("version = 1", "version = 2", 1)
    newer = PackText("cn-2010", 2, text, sha256(text.encode()).digest())
    later = replace(shipped_rules(), packs={**shipped_rules().packs, newer.name: newer})
    assert HospitalRules(later, "cn-2010", None).in_force == ("cn-2010", 2)
    events, moved = written(after.book, later)
    assert (events, moved.in_force) == ([], ("cn-2010", 1))
    chosen = Book(after.book).when(ChooseRulePack("cn-2010", 2, "from 2027"), shipped=later)
    assert (chosen.kind, [type(each) for each in chosen.events]) == (LEDGER, [RulePackAdded, RulePackChosen])


def test_templates_of_a_later_release_are_written_beside_those_that_are_there() -> None:
    """They alone, before an entry can name them."""
    _, before = written()
    events, after = written(before.book, with_templates(whole_text() + MORE))
    (templates,) = events
    assert isinstance(templates, TemplatesAdded)
    assert [(each.id, each.version) for each in templates.templates] == [("tea_note", 1)]
    assert list(read_templates(templates.text).templates) == [("tea_note", 1)]
    assert after.has_template(("tea_note", 1))


def test_a_release_that_says_otherwise_counts_for_nothing() -> None:
    """Entries are checked and shown by what the ledger holds; whoever runs it reads the name of what differs."""
    _, before = written()
    text = whole_text().replace('title = "Chief complaint"', 'title = "What it is about"')
    pack = replace(shipped_rules().packs["cn-2010", 1], sha256=bytes(32))
    later = replace(with_templates(text), packs={pack.name: pack})
    events, after = written(before.book, later)
    assert events == []
    assert after.template(("admission_note", 1)) == before.template(("admission_note", 1))
    assert after.pack_text(("cn-2010", 1)) == before.pack_text(("cn-2010", 1))
    assert after.otherwise == ("admission_note@1", "cn-2010@1")
    assert before.otherwise == ()


def test_a_text_that_cannot_be_read_is_replaced_by_no_other() -> None:
    """Its templates are refused by name, and the release's of the same name do not stand in for them."""
    _, before = written()
    broken = replace(before.book.templates[0], text="of another release")
    rules = HospitalRules(shipped_rules(), "cn-2010", replace(before.book, templates=(broken,)))
    assert rules.template(("course_note", 1)) is None
    assert rules.has_template(("course_note", 1))
    assert rules.templates_for(rules.for_stream(None)).barred["course_note", 1] == "UNREADABLE_TEMPLATE"


def test_a_table_of_codes_is_noted_once() -> None:
    """Which one, how many codes and from where; one that cannot be read is no table."""
    _, before = written()
    events, after = written(before.book, tables=TABLES)
    digest = sha256(b"A\tA title\nB\tAnother\n").digest()
    assert events == [CodeTableNoted(META, "urn:codes", "7", digest, 2, "a source")]
    assert after.as_noted(TABLES) == TABLES


def test_another_table_under_a_noted_version_is_marked() -> None:
    """A new version of it is another table."""
    _, after = written(tables=TABLES)
    other = read_table("A\tSomething else\n", "urn:codes", "7")
    newer = read_table("A\tSomething else\n", "urn:codes", "8")
    assert [_marked(after, each) for each in (other, newer)] == [True, False]
    assert [type(each) for each in release_rules(after, {"urn:codes": other}, META)] == []
    assert [type(each) for each in release_rules(after, {"urn:codes": newer}, META)] == [CodeTableNoted]


def _marked(rules: HospitalRules, table: CodeTable) -> bool:
    found = rules.as_noted({table.system: table})[table.system]
    assert found is not None
    return found.changed


def test_a_text_of_templates_can_be_handed_on_in_parts() -> None:
    """Of all names it is the text as it was; what stands at its top goes with every part."""
    text = '# words\npack = "house"\n' + MORE + MORE.replace("tea_note", "milk_note")
    texts = parted(text)
    assert texts.of(texts.by_name) == text
    part = texts.of({("milk_note", 1)})
    assert [(each.id, each.pack) for each in read_templates(part).templates.values()] == [("milk_note", "house")]
    assert TemplateTexts().of({("milk_note", 1)}) == ""


def test_what_the_release_writes_fits_into_an_event() -> None:
    """Far below the size of a body: a text that outgrows it would stop every hospital's first record."""
    assert len(whole_text().encode()) < 96 * 1024
