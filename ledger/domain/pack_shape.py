"""The shape of a rule pack's data: what is a table, a list, a text. Figures are checked where they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

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
    "ends_with_stay": bool,
    "opens_after": int,
    "unconfirmed": bool,
    "figure": int,
    "templates": list,
    "visits": list,
}
_CALENDAR: Mapping[str, type] = {"zone": str, "holidays": list, "make_up_days": list}
_NAMES: Mapping[type, str] = {str: "a text", bool: "true or false", int: "a whole number", list: "a list"}
_GOES_BY = (
    (re.compile(r"state_retention.*"), re.compile(r"retention_state:")),
    (re.compile(r"deadline(\[\d+\](\.(id|start))?)?"), re.compile(r"mandatory\[\d+\]\.only_if_past:")),
)
"""What a list lost, and the fault of a key that names one of its tables: what is gone is not missed there."""

Faults = list[tuple[str, str]]
"""Path and what is wrong there."""
_Reader = Callable[[str, Any, Faults], Any]
"""What of a value has its shape, None = nothing of it."""


@dataclass(frozen=True)
class Shaped:
    """A pack's data without what lacks its shape: the rest can be read, and its faults told in the same answer."""

    data: Mapping[str, Any]
    misshapen: tuple[tuple[str, str], ...]

    @property
    def faults(self) -> list[str]:
        """Each as `path: what`."""
        return [f"{path}: {what}" for path, what in self.misshapen]

    def beside(self, faults: Iterable[str]) -> list[str]:
        """Faults of what was left, without those of what is gone: it is not missing, it is misshapen."""
        gone = [path for path, _ in self.misshapen]
        under = tuple(path + end for path in gone for end in (":", ".", "["))
        missed = [fault for lost, fault in _GOES_BY if any(map(lost.fullmatch, gone))]
        return [each for each in faults if not each.startswith(under) and not any(by.match(each) for by in missed)]


def shaped(data: Mapping[str, Any]) -> Shaped:
    """What of the data has its shape, and a fault for every value that has not and for every key that nobody reads."""
    faults: Faults = []
    read = {name: _READERS[name](name, value, faults) for name, value in data.items() if name in _READERS}
    return Shaped({name: read.get(name, value) for name, value in data.items() if _is_left(name, read)}, tuple(faults))


def _is_left(name: str, read: Mapping[str, Any]) -> bool:
    return read.get(name, name) is not None


def _table(where: str, value: Any, faults: Faults, what: str = "a table") -> Any:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    faults.append((where, f"{what} is required"))
    return None


def _text(where: str, value: Any, faults: Faults) -> Any:
    if isinstance(value, str):
        return value
    faults.append((where, "a text is required"))
    return None


def _texts(where: str, value: Any, faults: Faults, what: str = "texts") -> Any:
    if isinstance(value, list) and all(isinstance(each, str) for each in cast("list[Any]", value)):
        return cast("list[Any]", value)
    faults.append((where, f"a list of {what} is required"))
    return None


def _table_of(each_one: _Reader, where: str, value: Any, faults: Faults) -> Any:
    if (table := _table(where, value, faults)) is None:
        return None
    read = {name: each_one(f"{where}.{name}", each, faults) for name, each in table.items()}
    return {name: each for name, each in read.items() if each is not None}


def _list_of(each_one: _Reader, where: str, value: Any, faults: Faults) -> Any:
    if not isinstance(value, list):
        faults.append((where, "a list of tables is required"))
        return None
    # An empty table keeps the place of what is none: paths of faults count the tables.
    tables = enumerate(cast("list[Any]", value))
    return [each_one(f"{where}[{index}]", each, faults) or {} for index, each in tables]


def _of_kinds(kinds: Mapping[str, type], where: str, value: Any, faults: Faults) -> Any:
    if (table := _table(where, value, faults)) is None:
        return None
    for name, each in table.items():
        kind = kinds.get(name)
        if kind is None:
            faults.append((f"{where}.{name}", "no such key"))
        elif not isinstance(each, kind):
            faults.append((f"{where}.{name}", f"{_NAMES[kind]} is required"))
    return {name: each for name, each in table.items() if isinstance(each, kinds.get(name, ()))}


def _deadline(where: str, value: Any, faults: Faults) -> Any:
    table: Mapping[str, Any] = _of_kinds(_DEADLINE, where, value, faults) or {}
    lists = {name: _texts(f"{where}.{name}", table[name], faults) for name in ("templates", "visits") if name in table}
    return {name: lists.get(name, each) for name, each in table.items() if _is_left(name, lists)}


def _state(where: str, value: Any, faults: Faults) -> Any:
    if (table := _table(where, value, faults)) is None:
        return None
    id_ = _text(f"{where}.id", table.get("id"), faults)
    return {**table, "id": id_} if id_ is not None else {name: each for name, each in table.items() if name != "id"}


_READERS: Mapping[str, _Reader] = {
    "retention": partial(_table_of, _table),
    "retention_state": _text,
    "state_retention": partial(_list_of, _state),
    "keeping": _table,
    "final_signers": partial(_table_of, partial(_texts, what="roles")),
    "roles": partial(_table_of, partial(_table, what="a table with roles, source and unconfirmed")),
    "late_items": _table,
    "transfer_note": _table,
    "move_note": _table,
    "short_path": _table,
    "sampling": _table,
    "calendar": partial(_of_kinds, _CALENDAR),
    "quality": _table,
    "deadline": partial(_list_of, _deadline),
}
