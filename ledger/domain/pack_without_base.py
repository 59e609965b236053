"""What can be said of a layer whose base is missing: of what it gives itself, never of what the base would give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

_BY_THE_REST = re.compile(r"retention_state|quality\.pass_from|quality_grade|mandatory\[\d+\]\.only_if_past")
"""Paths of values that are right or wrong by other parts of the whole pack."""
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def of_its_own(own: Mapping[str, Any], faults: Iterable[str]) -> Iterator[str]:
    """Those of the faults, each `path: what`, that stay whatever the base gives."""
    for fault in faults:
        path = fault.partition(":")[0]
        # A fault of a table in a list is that it lacks something, which the base's table of the same id may have.
        if not path.endswith("]") and not _BY_THE_REST.fullmatch(path) and _gives(own, path):
            yield fault


def _gives(own: Mapping[str, Any], path: str) -> bool:
    found: Any = own
    for name, index in _STEP.findall(path):
        found = _below(found, name, index)
        if found is None:
            return False
    return True


def _below(found: Any, name: str, index: str) -> Any:
    if isinstance(found, dict):
        return cast("dict[str, Any]", found).get(name)
    if not isinstance(found, list):
        return None
    listed = cast("list[Any]", found)
    if index:
        return listed[int(index)] if int(index) < len(listed) else None
    return next((each for each in listed if isinstance(each, dict) and cast("Any", each).get("id") == name), None)
