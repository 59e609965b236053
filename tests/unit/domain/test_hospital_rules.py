"""Which pack and which templates count: a record's own for what follows, the one in force for what is new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.commands import AmendEntry, RecordEntry, RetractEntry, StartCare
from ledger.domain.course_commands import DraftEntry
from ledger.domain.defaults import shipped_rules
from ledger.domain.hospital_rules import HospitalRules
from ledger.domain.keeping_commands import ExtendRetention, PlaceHold
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.rulebook import AddedPack, AddedTemplates, PackText, RulebookState
from ledger.domain.rulebook_commands import ChooseRulePack
from ledger.domain.rulebook_values import TemplateName
from ledger.domain.values import AmendmentKind, Coding, EntryContent, Field, Section
from tests.unit.domain.given import (
    ARCHIVIST,
    CLOCK,
    LEGAL,
    NOW,
    PHYSICIAN,
    QUALITY,
    RECORD,
    active,
    archived,
    note,
    patient,
    registered,
    signed,
)
from tests.unit.domain.test_rulebook import HOUSE, Book, added_house, with_house

LEVEL = Field("level", coding=Coding("local:triage", "2"))
TRIAGED = EntryContent(
    "triage_note", 1, sections=(Section("complaint", "Chest pain."), Section("level", fields=(LEVEL,)))
)


def rules(book: RulebookState | None, hospitals_pack: str = "cn-2010") -> HospitalRules:
    """The hospital's rules over those of the release."""
    return HospitalRules(shipped_rules(), hospitals_pack, book)


def rule_of(known: HospitalRules, record: object) -> list[tuple[str, str]]:
    """Why a stream gets no pack."""
    with pytest.raises(Refused) as refused:
        known.for_stream(record)  # pyright: ignore[reportArgumentType]  # any stream
    return [(each.field, each.rule) for each in refused.value.violations]


def test_a_record_keeps_the_version_that_it_was_registered_with() -> None:
    """A pack that the hospital chooses later counts for new records only; both are found."""
    book = with_house()
    book.when(ChooseRulePack("house", 1, "from 2027"))
    known, old = rules(book.state), registered().record
    assert known.for_stream(None).id == "house"
    assert known.for_stream(patient()).id == "house"
    assert (known.for_stream(old).id, known.for_stream(old).version) == ("cn-2010", 1)
    assert known.for_stream(replace(old, rule_pack="house")).lineage == {"house", "cn-2010"}


def test_what_was_added_counts_for_nothing_before_it_is_chosen() -> None:
    """A newer version of the hospital's own pack neither: rules never change by themselves."""
    book = with_house()
    newer = HOUSE.replace('"house"', '"cn-2010"').replace("version = 1", "version = 2")
    other = PackText("cn-2010", 2, newer, b"", added_house().layers)
    assert book.state is not None
    state = replace(book.state, packs={**book.state.packs, other.name: AddedPack(other, ARCHIVIST, NOW)})
    assert rules(state).in_force == ("cn-2010", 1)


def test_an_unknown_pack_or_version_is_refused_by_name() -> None:
    """Neither a record nor a hospital of a later release is judged by other rules than its own."""
    record = registered().record
    assert rule_of(rules(None), replace(record, rule_pack_version=7)) == [("record_id", "UNKNOWN_RULE_PACK")]
    assert rule_of(rules(None), replace(record, rule_pack="mars-2199")) == [("record_id", "UNKNOWN_RULE_PACK")]
    assert rule_of(rules(None, "mars-2199"), None) == [("context.hospital", "UNKNOWN_RULE_PACK")]


def test_the_rulebook_counts_before_the_release() -> None:
    """A later release that ships another text under the same name changes no rule of a record."""
    known = rules(with_house().state)
    later = replace(shipped_rules(), packs={**shipped_rules().packs, ("house", 1): PackText("house", 1, "other", b"")})
    assert HospitalRules(later, "cn-2010", known.book).pack_text(("house", 1)) == known.pack_text(("house", 1))


def test_what_this_release_cannot_read_stops_nothing_else() -> None:
    """A pack and a template of a later release: their records and entries are refused by name, the others go on."""
    strange = PackText("later", 1, "id = 'later'\nshape = 'round'\n", b"")
    book = RulebookState(
        2,
        {strange.name: AddedPack(strange, ARCHIVIST, NOW)},
        (AddedTemplates("", (TemplateName("later_note", 1),), "[[template]]\nshape = 1\n"),),
    )
    known, record = rules(book), registered().record
    assert rule_of(known, replace(record, rule_pack="later")) == [("record_id", "UNREADABLE_RULE_PACK")]
    usable = known.templates_for(known.for_stream(record))
    stream = active()
    faults = stream.refused(RecordEntry(RECORD, replace(TRIAGED, template="later_note"), signed()), templates=usable)
    assert faults[1] == [("content.template", "UNREADABLE_TEMPLATE")]


def _unreadable_in_force() -> tuple[HospitalRules, RulebookState]:
    """A hospital that chose a pack of a later release."""
    strange = PackText("later", 1, "id = 'later'\nshape = 'round'\n", b"")
    book = RulebookState(2, {strange.name: AddedPack(strange, ARCHIVIST, NOW)}, chosen=strange.name)
    return rules(book), book


def test_a_pack_in_force_that_nobody_can_read_does_not_stop_care() -> None:
    """Care begins, entries are written, and authors amend their own; what is left to roles says why it is refused."""
    known, _ = _unreadable_in_force()
    roles = known.roles_in_force()
    stream = registered()
    stream.when(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""), roles_by=roles)
    entry_id = stream.entry(roles_by=roles)
    mend = AmendEntry(RECORD, entry_id, AmendmentKind.CORRECTION, "typing", note("Mended."), signed())
    stream.when(mend, roles_by=roles)
    by_office = stream.refused(RetractEntry(RECORD, entry_id, "wrong patient"), actor=QUALITY, roles_by=roles)
    assert by_office == (
        RefusalKind.STATE,
        [("context.hospital", "UNREADABLE_RULE_PACK"), ("context.actor", "NOT_AUTHOR")],
    )
    hold = stream.refused(PlaceHold(RECORD, "order", "court", ()), roles_by=roles)[1]
    assert hold == [("context.hospital", "UNREADABLE_RULE_PACK"), ("context.actor.role", "ROLE_NOT_ALLOWED")]


def test_the_clock_extends_terms_whatever_can_be_read() -> None:
    """No pack shuts it out, and none that is unreadable does."""
    known, _ = _unreadable_in_force()
    extend = ExtendRetention(RECORD, "2090-01-01", "readmission", None)
    archived().when(extend, actor=CLOCK, roles_by=known.roles_in_force())
    assert archived().refused(extend, actor=LEGAL, roles_by=known.roles_in_force())[0] is RefusalKind.STATE


def test_a_pack_that_nobody_can_read_is_replaced_by_the_keepers_of_the_release() -> None:
    """Else it would be in force for ever; whoever is no keeper of the release's pack is refused."""
    known, book = _unreadable_in_force()
    assert rule_of(known, None) == [("context.hospital", "UNREADABLE_RULE_PACK")]
    pack = known.of_keepers()
    assert pack.id == "cn-2010"
    stream, choose = Book(book), ChooseRulePack("cn-2010", 1, "the other cannot be read")
    assert stream.refused(choose, pack=pack, actor=PHYSICIAN)[0][1] == "ROLE_NOT_ALLOWED"
    stream.when(choose, pack=pack)
    assert rules(stream.state).for_stream(None).id == "cn-2010"
    assert rules(None, "cn-2010").of_keepers() == rules(None, "cn-2010").for_stream(None)


@pytest.mark.parametrize("command", [RecordEntry(RECORD, TRIAGED, signed()), DraftEntry(RECORD, None, TRIAGED)])
def test_a_template_of_another_pack_is_refused_by_name(command: RecordEntry | DraftEntry) -> None:
    """At the field that names it; a record of that pack, or of a layer over it, may use it."""
    known = rules(with_house().state)
    own, other = (known.for_stream(replace(registered().record, rule_pack=each)) for each in ("house", "us-generic"))
    faults = active().refused(command, templates=known.templates_for(other))
    assert faults[1] == [("content.template", "TEMPLATE_OF_OTHER_PACK")]
    active().when(command, templates=known.templates_for(own))
