"""The line on which a fault of a rule pack stands, although the pack is a layer over others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ledger.domain.pack_layers import tables_by_id
from ledger.domain.toml_lines import key_lines, line_of

_INDEX = re.compile(r"^([a-z_]+)\[(\d+)\]")


class PackLines:
    """Finds the line of a fault. Paths of faults count the tables of the whole pack, lines those of this layer."""

    def __init__(self, text: str, own: Mapping[str, Any], whole: Mapping[str, Any]) -> None:
        self._lines = key_lines(text)
        self._own = own
        self._whole = whole

    def line(self, path: str) -> int:
        """The line of the key, else of the table that lacks it, else 1."""
        wanted = self._in_this_layer(path)
        return line_of(wanted, self._lines)

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
