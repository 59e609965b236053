"""Codes, units and code tables: a slip is found before anything is appended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.domain import loinc
from ledger.domain.code_tables import (
    FAULTS_MAX,
    TABLE_CHARACTERS_MAX,
    BadCodeTable,
    CodeTables,
    NamedTable,
    named_tables,
    read_table,
)
from ledger.domain.commands import RecordEntry
from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.ucum import is_ucum
from ledger.domain.values import Coding, EntryContent, Field, Quantity, Section
from tests.unit.domain.given import RECORD, Stream, active, signed

ICD10 = "http://hl7.org/fhir/sid/icd-10"
NATIONAL = "urn:cn:icd-10"
TABLES: CodeTables = {
    ICD10: read_table("I21\tAcute myocardial infarction\nI21.0\tOf anterior wall\n", ICD10, "2019"),
    NATIONAL: read_table("I21.000x001\t急性前壁心肌梗死\n", NATIONAL, "2.0"),
}


def front_page(coding: Coding) -> EntryContent:
    """A front page with this principal diagnosis."""
    return EntryContent(
        "front_page", 1, sections=(Section("diagnoses", fields=(Field("principal_diagnosis", coding=coding),)),)
    )


def result(*fields: Field) -> EntryContent:
    """A result."""
    return EntryContent("result", 1, sections=(Section("results", fields=fields),))


def written(stream: Stream, content: EntryContent, **facts: Any) -> Coding:
    """The principal diagnosis as it is kept."""
    stream.when(RecordEntry(RECORD, content, signed()), code_tables=TABLES, **facts)
    (entry,) = stream.record.entries.values()
    coding = entry.last.content.sections[0].fields[0].coding
    assert coding is not None
    return coding


@pytest.mark.parametrize(
    ("coding", "faults"),
    [
        (Coding(ICD10, "I21.4"), [("code", "UNKNOWN_CODE")]),
        (Coding(ICD10, "I21.0", version="2016"), [("version", "UNKNOWN_VERSION")]),
        (Coding(NATIONAL, "I21.000x002"), [("code", "CODE_NOT_IN_SET"), ("code", "UNKNOWN_CODE")]),
        (Coding("urn:other", "I21.0"), [("system", "SYSTEM_NOT_ALLOWED")]),
    ],
)
def test_a_diagnosis_is_looked_up_in_the_table_of_its_system(coding: Coding, faults: list[tuple[str, str]]) -> None:
    """A code that the table does not have, another version than the table's, a system that the field does not take."""
    where = "content.sections[0].fields[0].coding"
    refused = active().refused(RecordEntry(RECORD, front_page(coding), signed()), code_tables=TABLES)
    assert refused == (RefusalKind.INVALID, [(f"{where}.{name}", rule) for name, rule in faults])


def test_a_code_is_kept_with_the_version_of_its_table() -> None:
    """Thirty years on it is known by which edition the ward coded."""
    assert written(active(), front_page(Coding(ICD10, "I21.0"))).version == "2019"
    assert written(active(), front_page(Coding(ICD10, "I21", version="2019"))).version == "2019"


def test_a_code_is_kept_with_its_title() -> None:
    """It can be read without any table; what the author called it stands as it is."""
    assert written(active(), front_page(Coding(ICD10, "I21.0"))).display == "Of anterior wall"
    assert written(active(), front_page(Coding(ICD10, "I21.0", display="infarction"))).display == "infarction"


def test_a_table_that_is_not_the_noted_one_lets_no_code_through() -> None:
    """What a version's codes mean stands in entries already; the refusal says so."""
    table = TABLES[ICD10]
    assert table is not None
    where = "content.sections[0].fields[0].coding.system"
    refused = active().refused(
        RecordEntry(RECORD, front_page(Coding(ICD10, "I21.0")), signed()),
        code_tables={ICD10: replace(table, changed=True)},
    )
    assert refused == (RefusalKind.STATE, [(where, "CODE_TABLE_CHANGED")])


def test_what_an_earlier_system_coded_is_taken_over() -> None:
    """Its codes are what it said, whether or not today's tables have them; nothing is added."""
    coding = written(active(), front_page(Coding(ICD10, "I21.4")), historical=True)
    assert (coding.code, coding.version) == ("I21.4", "")


def test_a_table_that_cannot_be_read_lets_no_code_through() -> None:
    """The refusal says so; words with a reason are taken meanwhile, since care goes on."""
    tables: CodeTables = {ICD10: None}
    diagnosis = Field("assessment", coding=Coding(ICD10, "I21.0"))
    note = EntryContent("general", 1, sections=(Section("assessment", fields=(diagnosis,)),))
    refused = active().refused(RecordEntry(RECORD, note, signed()), code_tables=tables)
    where = "content.sections[0].fields[0].coding.system"
    assert refused == (RefusalKind.STATE, [(where, "CODE_TABLE_UNREADABLE")])
    words = Field("assessment", text="anterior infarction", uncoded_reason="the table is away")
    uncoded = EntryContent("general", 1, sections=(Section("assessment", fields=(words,)),))
    active().when(RecordEntry(RECORD, uncoded, signed()), code_tables=tables)


def test_a_slip_in_a_loinc_code_or_a_unit_is_found() -> None:
    """The check digit of what was measured, and the unit of the value."""
    wrong = Field("result", quantity=Quantity("5.1", "mmol/l/"), topic=Coding(loinc.SYSTEM, "2345-8"))
    right = Field("result", quantity=Quantity("5.1", "mmol/L"), topic=Coding(loinc.SYSTEM, "2345-7"))
    where = "content.sections[0].fields[0]"
    assert active().refused(RecordEntry(RECORD, result(wrong), signed()))[1] == [
        (f"{where}.topic.code", "MALFORMED_CODE"),
        (f"{where}.quantity.unit", "UNKNOWN_UNIT"),
    ]
    active().when(RecordEntry(RECORD, result(right), signed()))


@pytest.mark.parametrize("code", ["2345-7", "718-7", "8867-4", "107117-4", "LP29684-5", "LA6576-8"])
def test_loinc_codes(code: str) -> None:
    """Real codes of observations, and of answers and parts."""
    assert loinc.is_loinc(code)


@pytest.mark.parametrize("code", ["", "2345", "2345-8", "2354-7", "Lipase", "2345-77", "LX1-1", "2345-7 "])
def test_what_is_no_loinc_code(code: str) -> None:
    """A wrong check digit, two digits that changed places, a name, something beside it."""
    assert not loinc.is_loinc(code)


@pytest.mark.parametrize(
    "unit",
    [
        *("mg/dL", "10*3/uL", "mm[Hg]", "[pH]", "{INR}", "%", "/min", "kg/m2", "m[IU]/L", "meq/h", "1", "cm[H2O]"),
        *("mL/min/{1.73_m2}", "mg{creat}", "mol/(L.s)", "kg.m/s2", "U/kg/h", "fL", "umol/L", "[degF]", "10*-3", "Cel"),
    ],
)
def test_units(unit: str) -> None:
    """Units of laboratory, ward and pharmacy."""
    assert is_ucum(unit)


@pytest.mark.parametrize(
    "unit",
    [
        *("", "bpm", "mmHg", "mcg", "IU", "x10^3", "°C", "mL/min/1.73m²", "mg/", "mg//dL", "//L", "(mg", "mg)", "()"),
        *("kg m", "mg/dl{", "{a", "a}", "m-", "2 mg", ".", "mg" * 40, "(" * 64, "[mmol]"),
    ],
)
def test_what_is_no_unit(unit: str) -> None:
    """Names from everyday speech, broken brackets and operators, spaces, far too long."""
    assert not is_ucum(unit)


def test_a_table_of_the_hospital_is_two_columns() -> None:
    """Code, tab, title; comments and empty lines are left out."""
    table = read_table("# national edition\nA00.000\t霍乱\n\nA00.100x001\t古典生物型霍乱\n", NATIONAL, "2.0")
    assert (table.system, table.version) == (NATIONAL, "2.0")
    assert table.codes == {"A00.000": "霍乱", "A00.100x001": "古典生物型霍乱"}


def test_every_fault_of_a_table_has_its_line() -> None:
    """No tab, a column too many, no title, spaces, a code twice: all at once."""
    with pytest.raises(BadCodeTable) as caught:
        read_table("A00\ttitle\nA01 title\nA02\ta\tb\nA03\t \n A04\ttitle\nA00\tagain\n", NATIONAL, "2.0")
    assert [each.partition(":")[0] for each in caught.value.faults] == [f"line {line}" for line in (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("text", ["", "# nothing\n", "x" * (TABLE_CHARACTERS_MAX + 1)])
def test_what_is_no_table(text: str) -> None:
    """Nothing in it, or more than any classification has."""
    with pytest.raises(BadCodeTable, match="line 1"):
        read_table(text, NATIONAL, "2.0")


def test_a_file_that_is_something_else_is_not_listed_line_by_line() -> None:
    """The faults that are named have a limit, and the rest is counted."""
    with pytest.raises(BadCodeTable) as caught:
        read_table("x\n" * (FAULTS_MAX + 5), NATIONAL, "2.0")
    assert (len(caught.value.faults), caught.value.faults[-1]) == (FAULTS_MAX + 1, "and 5 more")


def test_a_pack_names_its_tables_by_file_and_digest() -> None:
    """What is missing, unknown, a path, no digest, or a second table of one system is named."""
    good = {"id": "a", "system": NATIONAL, "version": "2.0", "file": "a.tsv", "sha256": "0" * 64, "source": "ministry"}
    faults: list[str] = []
    assert named_tables([good], faults) == (NamedTable(**good),)
    assert faults == []
    named_tables([good, {**good, "file": "../a.tsv", "sha256": "0", "colour": "red"}, 7], faults)
    named = {each.partition(":")[0] for each in faults}
    assert {"code_table[1].file", "code_table[1].sha256", "code_table[1].colour", "code_table"} <= named
    assert {f"code_table[2].{name}" for name in good} <= named


def study(code: str, system: str = loinc.SYSTEM) -> EntryContent:
    """A result of version 2 that says of which study it is."""
    kind = Section("study", fields=(Field("study", coding=Coding(system, code)),))
    return EntryContent("result", 2, sections=(kind, Section("results", "Sinus rhythm.")))


@pytest.mark.parametrize("pack_id", ["cn-2010", "us-generic"])
def test_a_result_says_its_study_out_of_a_list_of_loinc(pack_id: str) -> None:
    """Any code of the list is taken; one of LOINC that is not in it is refused by name, and not repeated."""
    pack = default_pack(pack_id)
    field = (default_templates().templates["result", 2].sections["study"].fields or {})["study"]
    for code in field.codes:
        active(pack=pack).when(RecordEntry(RECORD, study(code), signed()), pack=pack)
    assert loinc.is_loinc("2345-7")
    with pytest.raises(Refused) as caught:
        active(pack=pack).when(RecordEntry(RECORD, study("2345-7"), signed()), pack=pack)
    (fault,) = caught.value.violations
    assert (fault.field, fault.rule) == ("content.sections[0].fields[0].coding.code", "CODE_NOT_IN_SET")
    assert "2345-7" not in fault.text


def test_a_slip_in_the_study_of_a_result_is_named_twice() -> None:
    """Neither in the list nor a code at all; and words with a reason are no code."""
    where = "content.sections[0].fields[0]"
    assert active().refused(RecordEntry(RECORD, study("18726-1"), signed())) == (
        RefusalKind.INVALID,
        [(f"{where}.coding.code", "CODE_NOT_IN_SET"), (f"{where}.coding.code", "MALFORMED_CODE")],
    )
    words = Section("study", fields=(Field("study", text="an X-ray", uncoded_reason="in a hurry"),))
    content = EntryContent("result", 2, sections=(words, Section("results", "No fracture.")))
    assert active().refused(RecordEntry(RECORD, content, signed())) == (RefusalKind.INVALID, [(where, "WRONG_TYPE")])


def test_every_list_of_another_systems_codes_says_where_it_is_from() -> None:
    """Of what comes with the ledger: its own sets are its own, LOINC's are somebody's choice."""
    lists = [
        field
        for template in default_templates().templates.values()
        for section in template.sections.values()
        for field in (section.fields or {}).values()
        if field.codes and not all(system.startswith("urn:ledger:") for system in field.systems)
    ]
    assert [each.code for each in lists if loinc.SYSTEM in each.systems] == ["study"]
    assert all(each.source for each in lists)
