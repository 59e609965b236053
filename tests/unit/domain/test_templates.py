"""Templates: every fault of an entry is named with its field path."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.domain.commands import RecordEntry
from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.faults import Faults
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.templates import SECTIONS_MAX, BadTemplates, TemplateSet
from ledger.domain.values import Attachment, Coding, EntryContent, Field, Quantity, Section, VisitType
from tests.unit.domain.given import MANDATORY, RECORD, RESULT, active, narrative, note, signed

ICD10 = "http://hl7.org/fhir/sid/icd-10"


def faults_of(content: EntryContent) -> list[tuple[str, str]]:
    """(field, rule) of every fault."""
    faults = Faults()
    default_templates().check(content, faults)
    try:
        faults.refuse_if_any()
    except Refused as refused:
        return [(each.field, each.rule) for each in refused.violations]
    return []


def front_page(*fields: Field, administrative: tuple[Field, ...] = ()) -> EntryContent:
    sections = [Section("diagnoses", fields=fields)]
    sections += [Section("administrative", fields=administrative)] if administrative else []
    return EntryContent("front_page", 1, sections=tuple(sections))


PRINCIPAL = Field("principal_diagnosis", coding=Coding(ICD10, "I21.0"))


@pytest.mark.parametrize(
    "content",
    [
        *MANDATORY,
        RESULT,
        narrative("operation_record", "procedure", "findings", "course"),
        narrative("consultation", "question", "opinion"),
        narrative("general", "whatever_the_source_calls_it"),
        front_page(PRINCIPAL, Field("other_diagnosis", coding=Coding(ICD10, "E11")), administrative=()),
    ],
    ids=lambda content: content.template,
)
def test_every_template_takes_what_it_is_for(content: EntryContent) -> None:
    """The eight templates of version 1 take a proper entry."""
    assert faults_of(content) == []


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (note(template="horoscope"), [("content.template", "UNKNOWN_TEMPLATE")]),
        (replace(note(), template_version=9), [("content.template_version", "UNKNOWN_TEMPLATE_VERSION")]),
        (
            note(section="mood"),
            [("content.sections[0].code", "UNKNOWN_SECTION"), ("content.sections", "MISSING_SECTION")],
        ),
        (note(text=" \n"), [("content.sections[0]", "EMPTY_SECTION")]),
        (EntryContent("general", 1), [("content.sections", "EMPTY_ENTRY")]),
        (
            EntryContent("course_note", 1, sections=(Section("note", "a"), Section("note", "b"))),
            [("content.sections[1].code", "REPEATED_SECTION")],
        ),
        (
            front_page(PRINCIPAL, Field("favourite_colour", text="red")),
            [("content.sections[0].fields[1].code", "UNKNOWN_FIELD")],
        ),
        (
            front_page(Field("other_diagnosis", coding=Coding(ICD10, "E11"))),
            [("content.sections[0].fields", "MISSING_FIELD")],
        ),
        (front_page(PRINCIPAL, PRINCIPAL), [("content.sections[0].fields[1].code", "TOO_MANY")]),
        (
            front_page(Field("principal_diagnosis", coding=Coding("http://snomed.info/sct", "22298006"))),
            [
                ("content.sections[0].fields[0].coding.system", "SYSTEM_NOT_ALLOWED"),
                ("content.sections[0].fields[0].coding.code", "CODE_NOT_IN_SET"),
            ],
        ),
        (
            front_page(Field("principal_diagnosis", coding=Coding(ICD10, "heart attack"))),
            [("content.sections[0].fields[0].coding.code", "CODE_NOT_IN_SET")],
        ),
        (
            front_page(Field("principal_diagnosis", text="heart attack")),
            [("content.sections[0].fields[0]", "WRONG_TYPE")],
        ),
        (
            front_page(Field("principal_diagnosis", text="heart attack", uncoded_reason="in a hurry")),
            [("content.sections[0].fields[0]", "WRONG_TYPE")],
        ),
        (
            front_page(PRINCIPAL, administrative=(Field("length_of_stay", quantity=Quantity("3", "kg")),)),
            [("content.sections[1].fields[0].quantity.unit", "UNIT_NOT_ALLOWED")],
        ),
        (
            front_page(PRINCIPAL, administrative=(Field("length_of_stay", quantity=Quantity("three", "d")),)),
            [("content.sections[1].fields[0].quantity.value", "MALFORMED_NUMBER")],
        ),
        (
            front_page(
                PRINCIPAL, administrative=(Field("admission_route", coding=Coding("urn:ledger:admission-route", "x")),)
            ),
            [("content.sections[1].fields[0].coding.code", "CODE_NOT_IN_SET")],
        ),
        (
            front_page(PRINCIPAL, administrative=(Field("remark", time=datetime(2026, 1, 1, tzinfo=UTC)),)),
            [("content.sections[1].fields[0]", "WRONG_TYPE")],
        ),
        (
            EntryContent("result", 1, sections=(Section("results", fields=(Field("result"),)),)),
            [("content.sections[0].fields[0]", "REQUIRED")],
        ),
        (
            replace(note(), attachments=(Attachment(b"short", 1, "image/png"),)),
            [("content.attachments[0].sha256", "MALFORMED_DIGEST")],
        ),
        (
            EntryContent("general", 1, sections=tuple(Section(f"s{n}", "x") for n in range(SECTIONS_MAX + 1))),
            [("content.sections", "TOO_MANY")],
        ),
    ],
)
def test_every_fault_has_its_path(content: EntryContent, faults: list[tuple[str, str]]) -> None:
    """Each kind of fault is named by a stable rule at the path of its field."""
    assert faults_of(content) == faults


def test_all_faults_come_at_once() -> None:
    """One refusal names everything that is missing, so that nobody has to try again and again."""
    faults = faults_of(EntryContent("admission_note", 1, sections=(Section("plan", "Rest."),)))
    assert faults == [("content.sections", "MISSING_SECTION")] * 4


def test_free_text_will_do_where_the_archive_does_not_need_the_code() -> None:
    """A coded field takes text with a reason, but for the diagnoses of the front page."""
    uncoded = Field("admission_route", text="by helicopter", uncoded_reason="not in the list")
    assert faults_of(front_page(PRINCIPAL, administrative=(uncoded,))) == []
    assert faults_of(front_page(PRINCIPAL, administrative=(replace(uncoded, uncoded_reason=""),))) == [
        ("content.sections[1].fields[0]", "WRONG_TYPE")
    ]


def test_a_bad_entry_leaves_the_record_as_it_was() -> None:
    """Validation happens before anything is appended."""
    stream = active()
    before = stream.record.version
    stream.refused(RecordEntry(RECORD, note(section="mood"), signed()))
    assert stream.record.version == before


def test_templates_that_cannot_be_used_are_refused_at_load() -> None:
    """Every faulty template is named: an unknown field type, a bad pattern, a visit that is none, one twice."""
    section = {"code": "s", "title": "S"}
    good = {"id": "a", "version": 1, "title": "A", "section": [section]}
    odd = {**good, "id": "b", "section": [{**section, "field": [{"code": "f", "type": "colour"}]}]}
    bad = {**good, "id": "c", "section": [{**section, "field": [{"code": "f", "type": "text", "pattern": "("}]}]}
    spa = {**good, "id": "e", "visits": ["SPA"]}
    with pytest.raises(BadTemplates) as caught:
        TemplateSet.from_data({"template": [good, odd, bad, {"id": "d"}, good, spa]})
    assert [fault.split(":")[0] for fault in caught.value.faults] == [f"template[{index}]" for index in range(1, 6)]
    with pytest.raises(BadTemplates):
        TemplateSet.from_data({})


def test_everything_that_comes_with_the_ledger_has_a_name_in_both_languages() -> None:
    """Every template, section and field: a title in English and one in Chinese."""
    nameless: list[str] = []
    for template in default_templates().templates.values():
        nameless += _nameless(template.id, template.title, template.title_zh)
        for section in template.sections.values():
            nameless += _nameless(f"{template.id}.{section.code}", section.title, section.title_zh)
            for field in (section.fields or {}).values():
                nameless += _nameless(f"{template.id}.{section.code}.{field.code}", field.title, field.title_zh)
    assert nameless == []


def _nameless(what: str, title: str, title_zh: str) -> list[str]:
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in title_zh)
    return [] if title.isascii() and title and chinese else [what]


@pytest.mark.parametrize("pack_id", ["cn-2010", "core-2018", "us-generic"])
def test_every_document_that_a_pack_names_can_be_written(pack_id: str) -> None:
    """Mandatory entries, entries that start or keep a deadline, and those with signers of their own."""
    pack = default_pack(pack_id)
    rules = pack.deadlines.rules
    named = {template for each in pack.mandatory for template in each.templates}
    named |= {template for each in rules for template in (*each.templates, each.start_template) if template}
    named |= set(pack.final_signers) - {"*"}
    assert named - {template for template, _ in default_templates().templates} == set()


def test_a_field_stands_as_often_as_its_template_says() -> None:
    """One principal diagnosis, any number of others, none without the principal one."""
    others = [Field("other_diagnosis", coding=Coding(ICD10, code)) for code in ("E11", "I10")]
    assert faults_of(front_page(PRINCIPAL, *others)) == []
    assert faults_of(front_page(PRINCIPAL, PRINCIPAL)) == [("content.sections[0].fields[1].code", "TOO_MANY")]
    assert faults_of(front_page(*others)) == [("content.sections[0].fields", "MISSING_FIELD")]


@pytest.mark.parametrize("visit", list(VisitType))
def test_a_document_belongs_to_its_visits(visit: VisitType) -> None:
    """A front page is written of a stay, a note in any visit; what an earlier system wrote is taken over."""
    stream, command = active(visit), RecordEntry(RECORD, front_page(PRINCIPAL), signed())
    if visit in (VisitType.OUTPATIENT, VisitType.EMERGENCY):
        assert stream.refused(command) == (RefusalKind.INVALID, [("content.template", "VISIT_NOT_ALLOWED")])
        stream.when(command, historical=True)
    else:
        stream.when(command)
    stream.when(RecordEntry(RECORD, note(), signed()))
