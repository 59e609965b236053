"""An entry that is wrong in every way is refused once: each fault with the path of its field and its rule."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import ledger.domain
from ledger.domain.code_tables import CodeTables, read_table
from ledger.domain.commands import RecordEntry
from ledger.domain.refusal import RefusalKind
from ledger.domain.templates import TemplateSet
from ledger.domain.values import (
    Actor,
    Attachment,
    Attestation,
    Coding,
    EntryContent,
    Field,
    Quantity,
    Section,
    VisitType,
)
from tests.unit.domain.given import NOW, PHYSICIAN, RECORD, active

ICD10 = "http://hl7.org/fhir/sid/icd-10"
LOINC = "http://loinc.org"
SECTION = {"title": "S", "title_zh": "节"}
TEMPLATES = TemplateSet.from_data(
    {
        "template": [
            {
                "id": "everything",
                "version": 1,
                "title": "Everything",
                "visits": ["INPATIENT"],
                "section": [
                    {**SECTION, "code": "missing", "required": True},
                    {**SECTION, "code": "empty", "required": True},
                    {
                        **SECTION,
                        "code": "coded",
                        "field": [
                            {"code": "once", "type": "text"},
                            {"code": "must", "type": "text", "required": True},
                            {"code": "dose", "type": "quantity", "units": ["mg"]},
                            {"code": "route", "type": "coding", "systems": ["urn:route"], "codes": ["oral"]},
                            {"code": "form", "type": "coding", "pattern": "[A-Z]+"},
                            {"code": "illness", "type": "coding", "systems": [ICD10], "repeated": True},
                        ],
                    },
                    {**SECTION, "code": "free"},
                ],
            }
        ]
    }
)
CHANGED = replace(read_table("A\tA title\n", "urn:changed", "1"), changed=True)
TABLES: CodeTables = {
    ICD10: read_table("I21.0\tOf anterior wall\n", ICD10, "2019"),
    "urn:away": None,
    "urn:changed": CHANGED,
}
CODED = Section(
    "coded",
    fields=(
        Field("once", text="a"),
        Field("once", text="b"),
        Field("dose", quantity=Quantity("5", "kg")),
        Field("route", coding=Coding("urn:other", "iv")),
        Field("form", coding=Coding("urn:form", "pill")),
        Field("illness", coding=Coding(ICD10, "I99.99")),
        Field("illness", coding=Coding(ICD10, "I21.0", version="2016")),
        Field("illness", text="words without a reason"),
        Field("nobody_knows", text="x"),
    ),
)
FREE = Section(
    "free",
    fields=(
        Field("", text="x"),
        Field("two", text="x", flag=True),
        Field("blank", text=" "),
        Field("number", quantity=Quantity("five", "mg")),
        Field("unit", quantity=Quantity("5", "mcg")),
        Field("half", coding=Coding("urn:x", "")),
        Field("away", coding=Coding("urn:away", "A")),
        Field("changed", coding=Coding("urn:changed", "A")),
        Field("glucose", text="high", topic=Coding(LOINC, "2345-8")),
    ),
)
CONTENT = EntryContent(
    "everything",
    1,
    sections=(Section("empty"), CODED, FREE, Section("free", "again"), Section("mood", "fine")),
    attachments=(Attachment(b"short", 1, "image/png"),),
)
ATTESTATION = Attestation("stamp", Actor(PHYSICIAN.id), NOW + timedelta(days=1), b"short")
C, F = "content.sections[1].fields", "content.sections[2].fields"
EXPECTED = {
    ("context.occurred_at", "TIME_IN_FUTURE"),
    ("content.attachments[0].sha256", "MALFORMED_DIGEST"),
    ("content.template", "VISIT_NOT_ALLOWED"),
    ("content.sections[0]", "EMPTY_SECTION"),
    ("content.sections", "MISSING_SECTION"),
    ("content.sections[3].code", "REPEATED_SECTION"),
    ("content.sections[4].code", "UNKNOWN_SECTION"),
    (f"{C}[1].code", "TOO_MANY"),
    ("content.sections[1].fields", "MISSING_FIELD"),
    (f"{C}[2].quantity.unit", "UNIT_NOT_ALLOWED"),
    (f"{C}[3].coding.system", "SYSTEM_NOT_ALLOWED"),
    (f"{C}[3].coding.code", "CODE_NOT_IN_SET"),
    (f"{C}[4].coding.code", "CODE_NOT_IN_SET"),
    (f"{C}[5].coding.code", "UNKNOWN_CODE"),
    (f"{C}[6].coding.version", "UNKNOWN_VERSION"),
    (f"{C}[7]", "WRONG_TYPE"),
    (f"{C}[8].code", "UNKNOWN_FIELD"),
    (f"{F}[0].code", "REQUIRED"),
    (f"{F}[1]", "REQUIRED"),
    (f"{F}[2].text", "REQUIRED"),
    (f"{F}[3].quantity.value", "MALFORMED_NUMBER"),
    (f"{F}[4].quantity.unit", "UNKNOWN_UNIT"),
    (f"{F}[5].coding", "REQUIRED"),
    (f"{F}[6].coding.system", "CODE_TABLE_UNREADABLE"),
    (f"{F}[7].coding.system", "CODE_TABLE_CHANGED"),
    (f"{F}[8].topic.code", "MALFORMED_CODE"),
    ("attestation.method", "UNKNOWN_VALUE"),
    ("attestation.signer.name", "REQUIRED"),
    ("attestation.signer", "SIGNER_NOT_ACTOR"),
    ("attestation.view_sha256", "MALFORMED_DIGEST"),
    ("attestation.signed_at", "TIME_IN_FUTURE"),
}


def test_one_answer_names_every_fault_of_an_entry() -> None:
    """One fault of each kind, all in one refusal, and the record is as it was."""
    stream = active(VisitType.OUTPATIENT)
    kind, faults = stream.refused(
        RecordEntry(RECORD, CONTENT, ATTESTATION),
        templates=TEMPLATES,
        code_tables=TABLES,
        occurred_at=NOW + timedelta(days=1),
    )
    assert kind is RefusalKind.INVALID
    assert set(faults) == EXPECTED
    assert len(faults) == len(EXPECTED)


def test_no_rule_on_the_content_of_an_entry_is_left_out_above() -> None:
    """A rule that is added to the checks of templates or codes needs its fault in this entry, or a place of its own."""
    elsewhere = {"EMPTY_ENTRY", "UNKNOWN_TEMPLATE", "UNKNOWN_TEMPLATE_VERSION"}
    folder = Path(ledger.domain.__file__).parent
    text = "".join((folder / name).read_text(encoding="utf-8") for name in ("templates.py", "coded_values.py"))
    rules = set(re.findall(r'faults\.add\([^"]*f?"[^"]*", "([A-Z_]+)"', text)) | set(
        re.findall(r'faults\.add\(where, "([A-Z_]+)"', text)
    )
    assert len(rules) > len(elsewhere)
    assert rules - elsewhere <= {rule for _, rule in EXPECTED}
