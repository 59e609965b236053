"""The note that a rule pack demands before a patient's record goes to another hospital with the patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ledger.domain.values import TransferKind

TABLE = "transfer_note"
_KEYS = frozenset({"kinds", "templates", "source", "unconfirmed"})


@dataclass(frozen=True)
class TransferNoteRule:
    """For transfers of these kinds the record holds one of these notes, signed finally; `final_signers` say by whom."""

    kinds: frozenset[TransferKind]
    templates: frozenset[str]
    source: str
    unconfirmed: bool = True
    """Nobody of the records office has compared it with its source yet."""


def transfer_note_rule(data: Mapping[str, Any], faults: list[str]) -> TransferNoteRule | None:
    """The rule in this data, None where it asks for no note; what is wrong is added to the faults by path."""
    table: Mapping[str, Any] | None = data.get(TABLE)
    if table is None:
        return None
    faults += [f"{TABLE}.{name}: no such key" for name in table if name not in _KEYS]
    kinds, templates = (_texts(table, name, faults) for name in ("kinds", "templates"))
    faults += [f"{TABLE}.kinds: no such kind {each}" for each in kinds if each not in TransferKind.__members__]
    source, unconfirmed = table.get("source"), table.get("unconfirmed")
    if not isinstance(source, str) or not source.strip():
        faults.append(f"{TABLE}.source: where the rule is from is required")
    if not isinstance(unconfirmed, bool):
        faults.append(f"{TABLE}.unconfirmed: true or false is required")
    known = frozenset(TransferKind(each) for each in kinds if each in TransferKind.__members__)
    return TransferNoteRule(known, frozenset(templates), str(source or ""), unconfirmed is not False)


def _texts(table: Mapping[str, Any], name: str, faults: list[str]) -> list[str]:
    found = table.get(name)
    if isinstance(found, list) and all(isinstance(each, str) for each in cast("list[Any]", found)):
        return cast("list[str]", found)
    faults.append(f"{TABLE}.{name}: a list of {name} is required")
    return []


def unsourced_transfer_note(own: Mapping[str, Any]) -> Iterator[str]:
    """What a layer changes without saying from where."""
    table: Any = own.get(TABLE)
    if isinstance(table, dict):
        for key in ("source", "unconfirmed"):
            if key not in table:
                yield f"{TABLE}.{key}: a layer that asks for a note says where that is from"
