"""What a rule of a pack asks of a coded field of an entry: which field, which codes, and as of when they count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from ledger.domain.pack_layers import tables_by_id
from ledger.domain.state import Entry
from ledger.domain.values import EntryContent, Field

_KEYS = frozenset({"field", "codes", "at"})


@dataclass(frozen=True)
class CodedField:
    """A field that holds one of these codes."""

    field: str
    codes: frozenset[str]
    at: str = ""
    """The field of the same entry that says since when; empty = the entry's own time says it."""

    def held_by(self, content: EntryContent) -> bool:
        """Whether the field holds one of the codes."""
        coded = (each.coding for each in _fields(content) if each.code == self.field)
        return any(each is not None and each.code in self.codes for each in coded)

    def since(self, entry: Entry) -> datetime:
        """As of when what it says counts."""
        said = (each.time for each in _fields(entry.last.content) if self.at and each.code == self.at)
        return next((at for at in said if at is not None), entry.happened_at)

    def described(self) -> str:
        """In words."""
        return f"{' or '.join(sorted(self.codes))} in {self.field}"


def coded_field(where: str, data: Mapping[str, Any], name: str, faults: list[str], *, dated: bool) -> CodedField | None:
    """The condition of this name, None where there is none; what is wrong is added to the faults by path.

    `dated` = it may name the field that says since when. An empty text takes that of the pack below away.
    """
    if data.get(name, "") == "":
        return None
    place, table = f"{where}.{name}", data[name]
    if not isinstance(table, dict):
        faults.append(f"{place}: a table with field and codes is required")
        return None
    given = cast("Mapping[str, Any]", table)
    keys = _KEYS if dated else _KEYS - {"at"}
    faults += [f"{place}.{key}: no such key" for key in given if key not in keys]
    return CodedField(
        field=_code(place, "field", given.get("field"), faults),
        codes=_codes(place, given.get("codes"), faults),
        at=_code(place, "at", given["at"], faults) if "at" in given else "",
    )


def unsourced_conditions(own: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[str]:
    """Rules of which a layer says anew which entries count without saying from where."""
    given = tables_by_id(own.get("mandatory")) or {}
    for index, id_ in enumerate(tables_by_id(whole.get("mandatory")) or {}):
        table = given.get(id_, {})
        if table.keys() & {"about", "latest"} and "source" not in table:
            yield f"mandatory[{index}].source: a layer that says which entries count says where that is from"


def _fields(content: EntryContent) -> Iterator[Field]:
    return (each for section in content.sections for each in section.fields)


def _code(place: str, key: str, value: Any, faults: list[str]) -> str:
    if isinstance(value, str) and value:
        return value
    faults.append(f"{place}.{key}: the code of a field is required")
    return ""


def _codes(place: str, value: Any, faults: list[str]) -> frozenset[str]:
    listed = cast("list[Any]", value) if isinstance(value, list) else []
    if listed and all(isinstance(each, str) and each for each in listed):
        return frozenset(cast("list[str]", listed))
    faults.append(f"{place}.codes: a list of codes is required")
    return frozenset()
