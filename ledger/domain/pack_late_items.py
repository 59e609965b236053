"""What a rule pack lets be filed into a record that is handed in or archived, without reopening it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

TABLE = "late_items"
_KEYS = frozenset({"templates", "beside", "source", "unconfirmed"})
_RESULTS = frozenset({"result"})
"""Where a pack says nothing: a result is taken at any time, whatever became of the record."""


def late_item_templates(data: Mapping[str, Any], faults: list[str]) -> frozenset[str]:
    """The templates in this data; what is wrong is added to the faults by path."""
    table: Mapping[str, Any] | None = data.get(TABLE)
    if table is None:
        return _RESULTS
    faults += [f"{TABLE}.{name}: no such key" for name in table if name not in _KEYS]
    named = _templates(table.get("templates"), "templates", faults)
    if not isinstance(table.get("source"), str) or not table["source"].strip():
        faults.append(f"{TABLE}.source: where the rule is from is required")
    if not isinstance(table.get("unconfirmed"), bool):
        faults.append(f"{TABLE}.unconfirmed: true or false is required")
    return named


def late_beside_templates(data: Mapping[str, Any], faults: list[str]) -> frozenset[str]:
    """Those of notes that may lie beside a hold or seal, confirmed by a second person; none where it names none."""
    return _templates(data.get(TABLE, {}).get("beside", []), "beside", faults)


def _templates(names: Any, key: str, faults: list[str]) -> frozenset[str]:
    if not isinstance(names, list) or not all(isinstance(each, str) for each in cast("list[Any]", names)):
        faults.append(f"{TABLE}.{key}: a list of templates is required")
        return frozenset()
    return frozenset(cast("list[str]", names))


def unsourced_late_items(own: Mapping[str, Any]) -> Iterator[str]:
    """What a layer changes without saying from where."""
    table: Any = own.get(TABLE)
    if isinstance(table, dict):
        for key in ("source", "unconfirmed"):
            if key not in table:
                yield f"{TABLE}.{key}: a layer that names late items says where that is from"
