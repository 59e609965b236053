"""A JSON object read strictly: every field once, of its type, none unknown; all faults are gathered."""

from __future__ import annotations

import re
from typing import Any, cast

_ANY_TEXT = r"[^\x00-\x1f]+"


class StrictObject:
    """One object; what is missing or of another type reads as 0, "" or nothing, and stands among the faults."""

    def __init__(self, row: object, place: str, faults: list[str] | None = None) -> None:
        """`faults` is shared with the objects inside."""
        self._place = place
        self._faults = [] if faults is None else faults
        self._inner: list[StrictObject] = []
        if not isinstance(row, dict):
            self._faults.append(f"{place}: not an object")
        self._left = dict(cast("dict[str, Any]", row)) if isinstance(row, dict) else {}

    def text(self, name: str, pattern: str = _ANY_TEXT) -> str:
        """A text that the pattern matches whole."""
        found = self._left.pop(name, None)
        if isinstance(found, str) and re.fullmatch(pattern, found):
            return found
        return self._bad(name, "")

    def one_of(self, name: str, *allowed: str) -> str:
        """One of these texts."""
        return self.text(name, "|".join(map(re.escape, allowed)))

    def integer(self, name: str) -> int:
        """A number from 0 on."""
        found = self._left.pop(name, None)
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
        return self._bad(name, 0)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self._left.pop(name, None)
        if isinstance(found, list):
            items = cast("list[object]", found)
            if all(isinstance(each, str) for each in items):
                return tuple(cast("list[str]", items))
        return self._bad(name, ())

    def objects(self, name: str) -> list[StrictObject]:
        """A list of objects."""
        found = self._left.pop(name, None)
        rows = cast("list[object]", found) if isinstance(found, list) else self._bad(name, list[object]())
        return [self._object(f"{name}[{at}]", each) for at, each in enumerate(rows)]

    def named_objects(self, name: str) -> dict[str, StrictObject]:
        """An object of objects, by whatever names."""
        found = self._left.pop(name, None)
        rows = cast("dict[str, object]", found) if isinstance(found, dict) else self._bad(name, dict[str, object]())
        return {key: self._object(f"{name}[{key!r}]", each) for key, each in rows.items()}

    def object_or_none(self, name: str) -> StrictObject | None:
        """An object, or null."""
        if self._left.get(name, 0) is None:
            return self._left.pop(name)
        return self._object(name, self._left.pop(name, 0))

    def end(self) -> list[str]:
        """Every fault of this object and those inside it, unknown fields too."""
        self._faults += [f"{self._place}: {name}: unknown field" for name in self._left]
        for each in self._inner:
            each.end()
        self._inner = []
        return self._faults

    def _object(self, name: str, row: object) -> StrictObject:
        made = StrictObject(row, f"{self._place}: {name}", self._faults)
        self._inner.append(made)
        return made

    def _bad(self, name: str, value: Any) -> Any:
        self._faults.append(f"{self._place}: {name}: missing, or not what it must be")
        return value
