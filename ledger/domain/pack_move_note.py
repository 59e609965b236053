"""The note that a rule pack demands before a patient goes to another department."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ledger.domain.values import VisitType

TABLE = "move_note"
_KEYS = frozenset({"visits", "templates", "source", "unconfirmed"})


@dataclass(frozen=True)
class MoveNoteRule:
    """In visits of these types a move names one of these notes, which stands already; who is in a hurry needs none."""

    visits: frozenset[VisitType]
    templates: frozenset[str]


def move_note_rule(data: Mapping[str, Any], faults: list[str]) -> MoveNoteRule | None:
    """The rule in this data, None where it asks for no note; what is wrong is added to the faults by path."""
    table: Mapping[str, Any] | None = data.get(TABLE)
    if table is None:
        return None
    faults += [f"{TABLE}.{name}: no such key" for name in table if name not in _KEYS]
    visits, templates = (_texts(table, name, faults) for name in ("visits", "templates"))
    faults += [f"{TABLE}.visits: no such visit type {each}" for each in visits if each not in VisitType.__members__]
    if not isinstance(table.get("source"), str) or not table["source"].strip():
        faults.append(f"{TABLE}.source: where the rule is from is required")
    if not isinstance(table.get("unconfirmed"), bool):
        faults.append(f"{TABLE}.unconfirmed: true or false is required")
    known = frozenset(VisitType(each) for each in visits if each in VisitType.__members__)
    return MoveNoteRule(known, frozenset(templates))


def _texts(table: Mapping[str, Any], name: str, faults: list[str]) -> list[str]:
    found = table.get(name)
    if isinstance(found, list) and all(isinstance(each, str) for each in cast("list[Any]", found)):
        return cast("list[str]", found)
    faults.append(f"{TABLE}.{name}: a list of {name} is required")
    return []


def unsourced_move_note(own: Mapping[str, Any]) -> Iterator[str]:
    """What a layer changes without saying from where."""
    table: Any = own.get(TABLE)
    if isinstance(table, dict):
        for key in ("source", "unconfirmed"):
            if key not in table:
                yield f"{TABLE}.{key}: a layer that asks for a note says where that is from"
