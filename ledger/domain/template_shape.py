"""The shape of templates' data: what each template, section and field must and may say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ledger.domain.code_pattern import BadPattern, check_pattern
from ledger.domain.values import VisitType

FIELD_TYPES = frozenset({"text", "coding", "quantity", "time", "flag"})
TEMPLATE_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
VERSION_MAX = 999_999
_TITLES: Mapping[str, type] = {"title": str, "title_zh": str}
_TEMPLATE: Mapping[str, type] = {"id": str, "version": int, "open": bool, "visits": list, "section": list, **_TITLES}
_SECTION: Mapping[str, type] = {"code": str, "required": bool, "field": list, **_TITLES}
_FIELD: Mapping[str, type] = {
    "code": str,
    "type": str,
    "required": bool,
    "repeated": bool,
    "coded": bool,
    "pattern": str,
    "units": list,
    "systems": list,
    "codes": list,
    "source": str,
    **_TITLES,
}
_REQUIRED = {"template": ("id", "version", "title"), "section": ("code", "title"), "field": ("code", "type")}
_VISITS = frozenset(each.value for each in VisitType)
_NAMES: Mapping[type, str] = {str: "a text", bool: "true or false", int: "a whole number", list: "a list"}


def template_faults(data: Mapping[str, Any]) -> list[str]:
    """Every fault of the templates in this data, each as `path: what`."""
    tables = list(_tables("template", data.get("template"), "template"))
    if not tables:
        return ["template: at least one [[template]] is required"]
    return [*_doubles("template", tables), *(fault for each in tables for fault in _template(*each))]


def _template(where: str, table: Any) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{where}: a table is required"
        return
    data = cast("Mapping[str, Any]", table)
    yield from _keys(where, data, _TEMPLATE, _REQUIRED["template"])
    if isinstance(id_ := data.get("id"), str) and not TEMPLATE_ID.fullmatch(id_):
        yield f"{where}.id: a lower-case letter and up to 63 letters, digits and underscores are required"
    if isinstance(version := data.get("version"), int) and not 1 <= version <= VERSION_MAX:
        yield f"{where}.version: a whole number from 1 to {VERSION_MAX} is required"
    yield from _visits(where, data.get("visits", []))
    yield from _parts(where, data, "section", _SECTION)
    for path, section in _tables(where, data.get("section"), "section"):
        if isinstance(section, dict):
            fields = cast("Mapping[str, Any]", section)
            yield from _parts(path, fields, "field", _FIELD)
            for place, field in _tables(path, fields.get("field"), "field"):
                yield from _field(place, field)


def _visits(where: str, listed: Any) -> Iterator[str]:
    for each in cast("list[Any]", listed) if isinstance(listed, list) else ():
        if each not in _VISITS:
            yield f"{where}.visits: no such visit type {each}"


def _field(where: str, field: Any) -> Iterator[str]:
    if not isinstance(field, dict):
        return
    data = cast("Mapping[str, Any]", field)
    if isinstance(type_ := data.get("type"), str) and type_ not in FIELD_TYPES:
        yield f"{where}.type: one of {', '.join(sorted(FIELD_TYPES))}"
    for name in ("units", "systems", "codes"):
        listed = data.get(name, [])
        if isinstance(listed, list) and not all(isinstance(each, str) for each in cast("list[Any]", listed)):
            yield f"{where}.{name}: a list of texts is required"
    pattern = data.get("pattern", "")
    try:
        check_pattern(pattern if isinstance(pattern, str) else "")
    except BadPattern as error:
        yield f"{where}.pattern: {error}"


def _parts(where: str, data: Mapping[str, Any], name: str, kinds: Mapping[str, type]) -> Iterator[str]:
    """Faults of the tables of a list: each is one, with its own code and the keys that are read."""
    seen: set[str] = set()
    for path, table in _tables(where, data.get(name), name):
        if not isinstance(table, dict):
            yield f"{path}: a table is required"
            continue
        part = cast("Mapping[str, Any]", table)
        yield from _keys(path, part, kinds, _REQUIRED[name])
        if isinstance(code := part.get("code"), str):
            if code in seen:
                yield f"{path}.code: {code} stands twice"
            seen.add(code)


def _tables(where: str, listed: Any, name: str) -> Iterator[tuple[str, Any]]:
    path = name if where == name else f"{where}.{name}"
    for index, table in enumerate(cast("list[Any]", listed) if isinstance(listed, list) else ()):
        yield f"{path}[{index}]", table


def _doubles(name: str, tables: list[tuple[str, Any]]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for path, table in tables:
        if isinstance(table, dict):
            data = cast("Mapping[str, Any]", table)
            key = (str(data.get("id")), str(data.get("version")))
            if key in seen:
                yield f"{path}: {name} {key[0]} version {key[1]} stands twice"
            seen.add(key)


def _keys(where: str, data: Mapping[str, Any], kinds: Mapping[str, type], required: tuple[str, ...]) -> Iterator[str]:
    for name, value in data.items():
        kind = kinds.get(name)
        if kind is None:
            yield f"{where}.{name}: no such key"
        elif not _is_of(kind, value) or (name in required and value == ""):
            yield f"{where}.{name}: {_NAMES[kind]} is required"
    for name in required:
        if name not in data:
            yield f"{where}.{name}: missing"


def _is_of(kind: type, value: Any) -> bool:
    # Python counts true and false among the whole numbers; a template does not.
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
