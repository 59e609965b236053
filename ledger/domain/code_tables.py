"""Code tables: which codes a code system has, in the version that a hospital goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, cast

TABLE_CHARACTERS_MAX = 16 * 1024 * 1024
FAULTS_MAX = 100
"""Faults of a table that are named; a file that is something else altogether has one a line."""
_COLUMNS = 2


class BadCodeTable(ValueError):
    """The code table cannot be used."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join((str(BadCodeTable.__doc__), *faults)))
        self.faults = faults


@dataclass(frozen=True)
class CodeTable:
    """The codes of one version of a code system."""

    system: str
    version: str
    codes: Mapping[str, str]
    """The title of each code, in every spelling that is taken."""
    listed: int
    """Codes, however many ways each may be spelled."""
    sha256: bytes
    """Of what the table was read from."""
    source: str
    """Where it is from."""
    changed: bool = False
    """The hospital's ledger notes another digest under this version."""


CodeTables = Mapping[str, CodeTable | None]
"""Tables by their system's id; None = the pack names one that cannot be read. Codes of a system without one are checked
by the templates alone.
"""


@dataclass(frozen=True)
class NamedTable:
    """A table that a rule pack names: a file of the hospital, fixed by its digest."""

    id: str
    system: str
    version: str
    file: str
    """Name of the file in the hospital's folder of code tables."""
    sha256: str
    """Of the file's bytes, 64 hexadecimal digits: the pack says which codes, not only where they lie."""
    source: str


def named_tables(data: object, faults: list[str]) -> tuple[NamedTable, ...]:
    """The tables in a pack's `code_table`; what is wrong is added to the faults by name."""
    if not isinstance(data, list):
        faults.append("code_table: a list of tables is required")
        return ()
    found = tuple(_named(index, each, faults) for index, each in enumerate(cast("list[Any]", data)))
    systems = [each.system for each in found]
    faults += [f"code_table: {each} has two tables" for each in sorted({s for s in systems if systems.count(s) > 1})]
    return found


def _named(index: int, table: object, faults: list[str]) -> NamedTable:
    where = f"code_table[{index}]"
    data = cast("Mapping[str, Any]", table if isinstance(table, dict) else {})
    texts = {each.name: data.get(each.name) for each in fields(NamedTable)}
    faults += [f"{where}.{name}: a text is required" for name, text in texts.items() if not _is_text(text)]
    faults += [f"{where}.{name}: no such key" for name in data if name not in texts]
    named = NamedTable(**{name: text if isinstance(text, str) else "" for name, text in texts.items()})
    # A pack comes from outside: it names a file in one folder, and reaches no other.
    if named.file and ("/" in named.file or "\\" in named.file or named.file.startswith(".")):
        faults.append(f"{where}.file: the name of a file, without a folder")
    if named.sha256 and not _is_digest(named.sha256):
        faults.append(f"{where}.sha256: 64 hexadecimal digits in lower case")
    return named


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_digest(text: str) -> bool:
    return len(text) == 2 * 32 and set(text) <= set("0123456789abcdef")


def read_table(text: str, system: str, version: str, source: str = "") -> CodeTable:
    """A table of two columns, code and title, parted by a tab. Raises BadCodeTable: faults as `line N: what`."""
    if len(text) > TABLE_CHARACTERS_MAX:
        raise BadCodeTable((f"line 1: at most {TABLE_CHARACTERS_MAX} characters",))
    faults: list[str] = []
    codes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        code = columns[0]
        if len(columns) != _COLUMNS or not all(each.strip() for each in columns):
            faults.append(f"line {number}: a code, a tab and a title are required")
        elif code != code.strip():
            faults.append(f"line {number}: a code has no spaces around it")
        elif code in codes:
            faults.append(f"line {number}: {code} stands twice")
        codes[code] = columns[-1].strip()
    if not codes:
        faults.append("line 1: at least one code is required")
    if faults:
        more = (f"and {len(faults) - FAULTS_MAX} more",) if len(faults) > FAULTS_MAX else ()
        raise BadCodeTable((*faults[:FAULTS_MAX], *more))
    return CodeTable(system, version, codes, len(codes), sha256(text.encode()).digest(), source)
