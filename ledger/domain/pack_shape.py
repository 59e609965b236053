"""The shape of a rule pack's data: what is a table, a list, a text. Figures are checked where they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

_TABLES = ("retention", "keeping", "final_signers", "roles", "late_items", "transfer_note", "calendar", "quality")
_DEADLINE: Mapping[str, type] = {
    "id": str,
    "start": str,
    "stop": str,
    "unit": str,
    "source": str,
    "start_template": str,
    "start_field": str,
    "condition": str,
    "repeats": bool,
    "unconfirmed": bool,
    "figure": int,
    "templates": list,
    "visits": list,
}
_CALENDAR: Mapping[str, type] = {"zone": str, "holidays": list, "make_up_days": list}
_NAMES: Mapping[type, str] = {str: "a text", bool: "true or false", int: "a whole number", list: "a list"}


def shape_faults(data: Mapping[str, Any]) -> list[str]:
    """Every value that is not of its kind, and every key of a rule or of the calendar that nobody reads."""
    faults = [f"{name}: a table is required" for name in _TABLES if not isinstance(data.get(name, {}), dict)]
    return faults or [*_retention(data), *_states(data), *_signers(data), *_deadlines(data), *_calendar(data)]


def _retention(data: Mapping[str, Any]) -> Iterator[str]:
    for name, figures in data.get("retention", {}).items():
        if not isinstance(figures, dict):
            yield f"retention.{name}: a table is required"


def _states(data: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(data.get("retention_state", ""), str):
        yield "retention_state: a text is required"
    faults: list[str] = []
    for index, table in _tables(data, "state_retention", faults):
        if not isinstance(table.get("id"), str):
            faults.append(f"state_retention[{index}].id: a text is required")
    yield from faults


def _signers(data: Mapping[str, Any]) -> Iterator[str]:
    for name, roles in data.get("final_signers", {}).items():
        if not _texts(roles):
            yield f"final_signers.{name}: a list of roles is required"
    for name, table in data.get("roles", {}).items():
        if not isinstance(table, dict):
            yield f"roles.{name}: a table with roles, source and unconfirmed is required"


def _tables(data: Mapping[str, Any], name: str, faults: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The tables of a list, each with its place; what is none is added to the faults."""
    tables = data.get(name, [])
    if not isinstance(tables, list):
        faults.append(f"{name}: a list of tables is required")
        return
    for index, table in enumerate(cast("list[Any]", tables)):
        if isinstance(table, dict):
            yield index, cast("Mapping[str, Any]", table)
        else:
            faults.append(f"{name}[{index}]: a table is required")


def _deadlines(data: Mapping[str, Any]) -> Iterator[str]:
    faults: list[str] = []
    for index, rule in _tables(data, "deadline", faults):
        yield from _of_kinds(f"deadline[{index}]", rule, _DEADLINE)
        for name in ("templates", "visits"):
            if isinstance(rule.get(name, []), list) and not _texts(rule.get(name, [])):
                yield f"deadline[{index}].{name}: a list of texts is required"
    yield from faults


def _calendar(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _of_kinds("calendar", data.get("calendar", {}), _CALENDAR)


def _of_kinds(where: str, table: Mapping[str, Any], kinds: Mapping[str, type]) -> Iterator[str]:
    for name, value in table.items():
        kind = kinds.get(name)
        if kind is None:
            yield f"{where}.{name}: no such key"
        elif not isinstance(value, kind):
            yield f"{where}.{name}: {_NAMES[kind]} is required"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in cast("list[Any]", value))
