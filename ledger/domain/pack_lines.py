"""The line on which a key of a rule pack stands: tomllib reads values and forgets where they were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ledger.domain.pack_layers import tables_by_id

_NAME = r'(?:[A-Za-z0-9_-]+|"[^"]*")'
_TABLE = re.compile(rf"\s*\[({_NAME}(?:\.{_NAME})*)\]\s*(?:#.*)?")
_TABLES = re.compile(rf"\s*\[\[({_NAME}(?:\.{_NAME})*)\]\]\s*(?:#.*)?")
_KEY = re.compile(rf"\s*({_NAME}(?:\.{_NAME})*)\s*=")
_INDEX = re.compile(r"^([a-z_]+)\[(\d+)\]")


def key_lines(text: str) -> dict[str, int]:
    """Lines, from 1, by path: `keeping.loan_days`, `deadline[2].figure`, and the head of each table."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLES.fullmatch(line):
            name = _plain(found.group(1))
            table = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
            lines.setdefault(table, number)
        elif found := _TABLE.fullmatch(line):
            table = _plain(found.group(1))
            lines.setdefault(table, number)
        elif found := _KEY.match(line):
            name = _plain(found.group(1))
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def _plain(name: str) -> str:
    return name.replace('"', "")


class PackLines:
    """Finds the line of a fault. Paths of faults count the tables of the whole pack, lines those of this layer."""

    def __init__(self, text: str, own: Mapping[str, Any], whole: Mapping[str, Any]) -> None:
        self._lines = key_lines(text)
        self._own = own
        self._whole = whole

    def line(self, path: str) -> int:
        """The line of the key, else of the table that lacks it, else 1."""
        wanted = self._in_this_layer(path)
        while wanted and wanted not in self._lines:
            wanted = wanted.rpartition(".")[0] or (wanted.partition("[")[0] if "[" in wanted else "")
        return self._lines.get(wanted, 1)

    def _in_this_layer(self, path: str) -> str:
        found = _INDEX.match(path)
        if found is None:
            return path
        name, index = found.group(1), int(found.group(2))
        whole, own = tables_by_id(self._whole.get(name)), tables_by_id(self._own.get(name))
        if whole is None or own is None or index >= len(whole):
            return path
        id_ = list(whole)[index]
        return f"{name}[{list(own).index(id_)}]{path[found.end() :]}" if id_ in own else ""
