"""Typed reads of parsed JSON: a path that is not there gives nothing, never an error."""

from __future__ import annotations

from typing import TypeAlias, cast

Resource: TypeAlias = dict[str, object]


def child(value: object, *path: str | int) -> object:
    """The value at a path of names and indexes; None where there is none."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = cast("Resource", value).get(step)
        elif isinstance(step, int) and isinstance(value, list):
            row = cast("list[object]", value)
            value = row[step] if step < len(row) else None
        else:
            return None
    return value


def text(value: object, *path: str | int) -> str:
    """The string at a path; empty where there is none."""
    found = child(value, *path)
    return found.strip() if isinstance(found, str) else ""


def rows(value: object, *path: str | int) -> list[object]:
    """The array at a path; empty where there is none."""
    found = child(value, *path)
    return cast("list[object]", found) if isinstance(found, list) else []


def one_or_more(value: object) -> list[object]:
    """The values of an array; a value that is none stands for itself, nothing for nothing."""
    if isinstance(value, list):
        return cast("list[object]", value)
    return [] if value is None else [value]


def reference(value: object, *path: str | int) -> tuple[str, str]:
    """Type and id of the reference at a path, `Patient/1` and `https://server/Patient/1` alike; empty where none is."""
    parts = text(value, *path, "reference").rsplit("/", 2)[-2:]
    return (parts[0], parts[1]) if len(parts) > 1 else ("", "")


def reference_to(type_: str, value: object, *path: str | int) -> str:
    """Id of the reference at a path where it is one to that type; empty otherwise."""
    found, id_ = reference(value, *path)
    return id_ if found == type_ else ""
