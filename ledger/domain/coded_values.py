"""Codes and units of an entry against code tables, LOINC's check digit and UCUM's grammar.

Only what is written here is checked: what an earlier system coded is taken over as that system said it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ledger.domain import loinc
from ledger.domain.code_tables import CodeTables
from ledger.domain.faults import Faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.ucum import is_ucum
from ledger.domain.values import Coding, EntryContent, Field


def check_coded(content: EntryContent, tables: CodeTables, faults: Faults, path: str = "content") -> None:
    """Notes every code that its system does not have, and every unit that is none."""
    for index, section in enumerate(content.sections):
        for number, field in enumerate(section.fields):
            where = f"{path}.sections[{index}].fields[{number}]"
            for name, coding in _codings(field):
                _check_coding(coding, tables, faults, f"{where}.{name}")
            if field.quantity is not None and field.quantity.unit and not is_ucum(field.quantity.unit):
                faults.add(f"{where}.quantity.unit", "UNKNOWN_UNIT", "a unit of UCUM is required, for example mmol/L")


def systems_of(content: EntryContent) -> frozenset[str]:
    """The code systems that the entry names."""
    fields = (field for section in content.sections for field in section.fields)
    return frozenset(coding.system for field in fields for _, coding in _codings(field))


def as_in_tables(content: EntryContent, tables: CodeTables) -> EntryContent:
    """The content, each code with the version of the table that it was found in, and with its title where the author
    gave it none: it can be read without the table."""
    if not systems_of(content) & tables.keys():
        return content
    sections = tuple(
        replace(section, fields=tuple(_as_in_tables(field, tables) for field in section.fields))
        for section in content.sections
    )
    return replace(content, sections=sections)


def _codings(field: Field) -> Iterator[tuple[str, Coding]]:
    if field.coding is not None:
        yield "coding", field.coding
    if field.topic is not None:
        yield "topic", field.topic


def _check_coding(coding: Coding, tables: CodeTables, faults: Faults, where: str) -> None:
    if coding.system == loinc.SYSTEM and not loinc.is_loinc(coding.code):
        faults.add(f"{where}.code", "MALFORMED_CODE", "no LOINC code: its check digit does not fit")
    if coding.system not in tables:
        return
    table = tables[coding.system]
    if table is None:
        # No code is taken unchecked; words with a reason will do meanwhile.
        text = "the pack's table of this system cannot be read"
        faults.add(f"{where}.system", "CODE_TABLE_UNREADABLE", text, RefusalKind.STATE)
    elif table.changed:
        # What codes of this version mean stands in entries already; a table that says otherwise has its own version.
        text = f"another table than the one that the ledger notes as version {table.version}"
        faults.add(f"{where}.system", "CODE_TABLE_CHANGED", text, RefusalKind.STATE)
    elif coding.version and coding.version != table.version:
        faults.add(f"{where}.version", "UNKNOWN_VERSION", f"the table of this system is version {table.version}")
    elif coding.code and coding.code not in table.codes:
        faults.add(f"{where}.code", "UNKNOWN_CODE", f"version {table.version} of the system has no such code")


def _as_in_tables(field: Field, tables: CodeTables) -> Field:
    return replace(field, **{name: _found(coding, tables) for name, coding in _codings(field)})


def _found(coding: Coding, tables: CodeTables) -> Coding:
    table = tables.get(coding.system)
    if table is None:
        return coding
    display = coding.display or table.codes.get(coding.code, "")
    return replace(coding, version=coding.version or table.version, display=display)
