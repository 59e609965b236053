"""Templates: what a document must hold, checked before anything is appended, every fault at once."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.domain.code_pattern import check_pattern, has_form
from ledger.domain.faults import Faults
from ledger.domain.template_shape import FIELD_TYPES
from ledger.domain.values import EntryContent, Field, Section, VisitType

SECTIONS_MAX = 100
FIELDS_MAX = 2000
ATTACHMENTS_MAX = 100
SHA256_BYTES = 32
_DECIMAL = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?")

OTHER_PACK = "TEMPLATE_OF_OTHER_PACK"
UNREADABLE = "UNREADABLE_TEMPLATE"

_BARRED = {
    OTHER_PACK: "the template belongs to another rule pack than the record's",
    UNREADABLE: "this release cannot read the template",
}


class BadTemplates(ValueError):
    """The templates cannot be used."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join((str(BadTemplates.__doc__), *faults)))
        self.faults = faults


@dataclass(frozen=True)
class FieldRule:
    """One structured field of a section."""

    code: str
    type: str
    """text, coding, quantity, time or flag."""
    title: str = ""
    title_zh: str = ""
    required: bool = False
    repeated: bool = False
    units: frozenset[str] = frozenset()
    """Units in UCUM that fit; empty = any."""
    systems: frozenset[str] = frozenset()
    """Code systems that fit; empty = any."""
    codes: frozenset[str] = frozenset()
    """A closed set of codes; empty = any code of the systems."""
    source: str = ""
    """Where the closed set is from; empty = it is the template's own."""
    pattern: str = ""
    """What a code of the systems looks like, a regular expression; empty = anything."""
    coded: bool = False
    """A code must be there: free text with a reason will not do."""


@dataclass(frozen=True)
class SectionRule:
    """One section of a template."""

    code: str
    title: str
    title_zh: str = ""
    required: bool = False
    fields: Mapping[str, FieldRule] | None = None
    """The fields that it may hold; None = any field."""


@dataclass(frozen=True)
class Template:
    """One version of a template."""

    id: str
    version: int
    title: str
    sections: Mapping[str, SectionRule]
    title_zh: str = ""
    """The title in Chinese."""
    open: bool = False
    """Takes sections that it does not name."""
    visits: frozenset[VisitType] = frozenset()
    """Visits in which it is written; empty = in all."""
    pack: str = ""
    """The pack whose records alone may use it, and those of layers over it; empty = every record."""

    def fits(self, visit: VisitType) -> bool:
        """Whether it is written in visits of this type."""
        return not self.visits or visit in self.visits

    def check(self, content: EntryContent, faults: Faults, path: str = "content") -> None:
        """Notes every fault of an entry against this template."""
        seen: set[str] = set()
        for index, section in enumerate(content.sections):
            where = f"{path}.sections[{index}]"
            rule = self.sections.get(section.code)
            if section.code in seen:
                faults.add(f"{where}.code", "REPEATED_SECTION", "a section stands once in an entry")
            seen.add(section.code)
            if rule is not None:
                _check_section(section, rule, faults, where)
            elif not self.open:
                faults.add(f"{where}.code", "UNKNOWN_SECTION", "the template has no such section")
        for code, rule in self.sections.items():
            if rule.required and code not in seen:
                faults.add(f"{path}.sections", "MISSING_SECTION", f"section {code} is required")


@dataclass(frozen=True)
class TemplateSet:
    """The templates that a record may use, by id and version."""

    templates: Mapping[tuple[str, int], Template]
    barred: Mapping[tuple[str, int], str] = dataclasses.field(default_factory=dict[tuple[str, int], str])
    """Those of the hospital that it may not use, each with the rule of the refusal."""

    @classmethod
    def from_data(cls, data: Mapping[str, Any], pack: str = "") -> TemplateSet:
        """The templates in this data, all of one pack: `template` is a list of tables.

        Raises BadTemplates with every fault.
        """
        made: dict[tuple[str, int], Template] = {}
        faults: list[str] = []
        for index, table in enumerate(data.get("template", ())):
            try:
                template = _template(table, pack)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                faults.append(f"template[{index}]: {type(error).__name__}: {error}")
                continue
            if (template.id, template.version) in made:
                faults.append(f"template[{index}]: {template.id} version {template.version} stands twice")
            made[template.id, template.version] = template
        if not made and not faults:
            faults.append("template: at least one is required")
        if faults:
            raise BadTemplates(tuple(faults))
        return cls(made)

    def check(
        self, content: EntryContent, faults: Faults, path: str = "content", visit: VisitType | None = None
    ) -> None:
        """Notes every fault of an entry; `visit` is that of the record, None = whatever visit."""
        _check_shape(content, faults, path)
        template = self.templates.get((content.template, content.template_version))
        if template is not None:
            if visit is not None and not template.fits(visit):
                text = f"written in visits of type {', '.join(sorted(template.visits))}"
                faults.add(f"{path}.template", "VISIT_NOT_ALLOWED", text)
            template.check(content, faults, path)
        elif not self._bars(content, faults, path):
            if self.knows(content.template):
                faults.add(f"{path}.template_version", "UNKNOWN_TEMPLATE_VERSION", "no such version of the template")
            else:
                faults.add(f"{path}.template", "UNKNOWN_TEMPLATE", "no such template")

    def check_draft(self, content: EntryContent, faults: Faults, path: str = "content") -> None:
        """Notes what is wrong with the type and size of a draft; what is required is asked at the signature."""
        _check_shape(content, faults, path, empty=True)
        known = (content.template, content.template_version) in self.templates
        if not known and not self._bars(content, faults, path):
            faults.add(f"{path}.template", "UNKNOWN_TEMPLATE", "no such template and version")

    @property
    def by_id(self) -> Mapping[str, tuple[Template, ...]]:
        """The versions of each template."""
        found: dict[str, tuple[Template, ...]] = {}
        for (id_, _), each in self.templates.items():
            found[id_] = (*found.get(id_, ()), each)
        return found

    def knows(self, template: str) -> bool:
        """Whether there is a version of this template."""
        return any(known == template for known, _ in self.templates)

    def _bars(self, content: EntryContent, faults: Faults, path: str) -> bool:
        rule = self.barred.get((content.template, content.template_version))
        if rule is not None:
            faults.add(f"{path}.template", rule, _BARRED[rule])
        return rule is not None


def _check_shape(content: EntryContent, faults: Faults, path: str, *, empty: bool = False) -> None:
    if not empty and not content.sections and not content.attachments:
        faults.add(f"{path}.sections", "EMPTY_ENTRY", "an entry says something or holds an attachment")
    if len(content.sections) > SECTIONS_MAX:
        faults.add(f"{path}.sections", "TOO_MANY", f"at most {SECTIONS_MAX} sections")
    if sum(len(section.fields) for section in content.sections) > FIELDS_MAX:
        faults.add(f"{path}.sections", "TOO_MANY", f"at most {FIELDS_MAX} fields")
    if len(content.attachments) > ATTACHMENTS_MAX:
        faults.add(f"{path}.attachments", "TOO_MANY", f"at most {ATTACHMENTS_MAX} attachments")
    for index, attachment in enumerate(content.attachments):
        if len(attachment.sha256) != SHA256_BYTES:
            faults.add(f"{path}.attachments[{index}].sha256", "MALFORMED_DIGEST", "32 bytes are required")
    for index, section in enumerate(content.sections):
        for number, field in enumerate(section.fields):
            _check_value(field, faults, f"{path}.sections[{index}].fields[{number}]")


def _check_value(field: Field, faults: Faults, where: str) -> None:
    if not field.code:
        faults.add(f"{where}.code", "REQUIRED", "a field code is required")
    if len(_types_of(field)) != 1:
        faults.add(where, "REQUIRED", "exactly one value is required")
    if field.text is not None and not field.text.strip():
        faults.add(f"{where}.text", "REQUIRED", "a text is required")
    if field.quantity is not None and not _DECIMAL.fullmatch(field.quantity.value):
        faults.add(f"{where}.quantity.value", "MALFORMED_NUMBER", "a decimal number as text is required")
    if field.coding is not None and not (field.coding.system and field.coding.code):
        faults.add(f"{where}.coding", "REQUIRED", "a code and its system are required")


def _check_section(section: Section, rule: SectionRule, faults: Faults, where: str) -> None:
    if rule.required and not section.text.strip() and not section.fields:
        faults.add(where, "EMPTY_SECTION", "a required section may not be empty")
    if rule.fields is None:
        return
    seen: set[str] = set()
    for index, field in enumerate(section.fields):
        field_rule = rule.fields.get(field.code)
        place = f"{where}.fields[{index}]"
        if field_rule is None:
            faults.add(f"{place}.code", "UNKNOWN_FIELD", "the section has no such field")
            continue
        if field.code in seen and not field_rule.repeated:
            faults.add(f"{place}.code", "TOO_MANY", "the field stands once")
        seen.add(field.code)
        _check_field(field, field_rule, faults, place)
    for code, field_rule in rule.fields.items():
        if field_rule.required and code not in seen:
            faults.add(f"{where}.fields", "MISSING_FIELD", f"field {code} is required")


def _check_field(field: Field, rule: FieldRule, faults: Faults, where: str) -> None:
    # Free text with a reason will do where a code is asked for, unless the archive cannot do without the code.
    if rule.type == "coding" and not rule.coded and field.uncoded_reason and field.text:
        return
    if _types_of(field) not in ([], [rule.type]):
        faults.add(where, "WRONG_TYPE", f"a value of type {rule.type} is required")
        return
    if field.quantity is not None and rule.units and field.quantity.unit not in rule.units:
        faults.add(f"{where}.quantity.unit", "UNIT_NOT_ALLOWED", f"one of {', '.join(sorted(rule.units))}")
    if field.coding is not None:
        _check_code(field.coding.system, field.coding.code, rule, faults, f"{where}.coding")


def _check_code(system: str, code: str, rule: FieldRule, faults: Faults, where: str) -> None:
    if rule.systems and system not in rule.systems:
        faults.add(f"{where}.system", "SYSTEM_NOT_ALLOWED", f"one of {', '.join(sorted(rule.systems))}")
    if rule.codes and code not in rule.codes:
        faults.add(f"{where}.code", "CODE_NOT_IN_SET", f"one of {', '.join(sorted(rule.codes))}")
    elif rule.pattern and not has_form(code, rule.pattern):
        faults.add(f"{where}.code", "CODE_NOT_IN_SET", "the code systems have no code of this form")


def _types_of(field: Field) -> list[str]:
    values = {
        "text": field.text,
        "coding": field.coding,
        "quantity": field.quantity,
        "time": field.time,
        "flag": field.flag,
    }
    return [name for name, value in values.items() if value is not None]


def _template(data: Mapping[str, Any], pack: str) -> Template:
    sections = {each["code"]: _section(each) for each in data.get("section", ())}
    return Template(
        id=data["id"],
        version=data["version"],
        title=data["title"],
        sections=sections,
        title_zh=data.get("title_zh", ""),
        open=data.get("open", False),
        visits=frozenset(VisitType(each) for each in data.get("visits", ())),
        pack=pack,
    )


def _section(data: Mapping[str, Any]) -> SectionRule:
    fields = data.get("field")
    rules = None if fields is None else {each["code"]: _field(each) for each in fields}
    return SectionRule(data["code"], data["title"], data.get("title_zh", ""), data.get("required", False), rules)


def _field(data: Mapping[str, Any]) -> FieldRule:
    if data["type"] not in FIELD_TYPES:
        raise ValueError(f"field {data['code']}: one of {', '.join(sorted(FIELD_TYPES))}")
    check_pattern(data.get("pattern", ""))
    return FieldRule(
        code=data["code"],
        type=data["type"],
        title=data.get("title", ""),
        title_zh=data.get("title_zh", ""),
        required=data.get("required", False),
        repeated=data.get("repeated", False),
        units=frozenset(data.get("units", ())),
        systems=frozenset(data.get("systems", ())),
        codes=frozenset(data.get("codes", ())),
        source=data.get("source", ""),
        pattern=data.get("pattern", ""),
        coded=data.get("coded", False),
    )
