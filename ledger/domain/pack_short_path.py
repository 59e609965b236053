"""Which visits a rule pack lets be archived at the doctor's confirmation, without being handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ledger.domain.values import VisitType

TABLE = "short_path"
SHORT_PATH = frozenset({VisitType.OUTPATIENT, VisitType.EMERGENCY})
"""Where a pack says nothing."""
_KEYS = frozenset({"visits", "source", "unconfirmed"})


def short_path(data: Mapping[str, Any], faults: list[str]) -> frozenset[VisitType]:
    """The types of visits in this data; what is wrong is added to the faults by path."""
    table: Mapping[str, Any] | None = data.get(TABLE)
    if table is None:
        return SHORT_PATH
    faults += [f"{TABLE}.{name}: no such key" for name in table if name not in _KEYS]
    if not isinstance(table.get("source"), str) or not table["source"].strip():
        faults.append(f"{TABLE}.source: where the rule is from is required")
    if not isinstance(table.get("unconfirmed"), bool):
        faults.append(f"{TABLE}.unconfirmed: true or false is required")
    return frozenset(_visits(table.get("visits"), faults))


def _visits(names: Any, faults: list[str]) -> Iterator[VisitType]:
    if not isinstance(names, list):
        faults.append(f"{TABLE}.visits: a list of visit types is required; it may be empty")
        return
    for each in cast("list[Any]", names):
        if isinstance(each, str) and each in VisitType.__members__:
            yield VisitType(each)
        else:
            faults.append(f"{TABLE}.visits: no such visit type {each}")


def unsourced_short_path(own: Mapping[str, Any]) -> Iterator[str]:
    """What a layer changes without saying from where."""
    table: Any = own.get(TABLE)
    if isinstance(table, dict):
        for key in ("source", "unconfirmed"):
            if key not in table:
                yield f"{TABLE}.{key}: a layer that names visits says where that is from"
