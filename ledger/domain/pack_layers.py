"""Layers of rule packs: a regional pack or a hospital's overlay says only what differs from what it extends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

Bases = Mapping[tuple[str, int], Mapping[str, Any]]
"""Data of the packs that can be extended, whole, by id and version."""

LAYERS = "layers"
"""Key of the whole data that no text can give: the packs below, lowest first, each as id@version."""
OWN_TERMS = "own_terms"
"""Key of the whole data that no text can give: the visit types whose retention term a layer gives itself,
and `visit type.until_age` where it gives the age of minors."""
_LOAN = frozenset({"loan_days", "loan_months"})
"""Two names of one figure, in one unit each."""
PACK_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
VERSION_MAX = 999_999
_REFERENCE = re.compile(rf"({PACK_ID.pattern})@([1-9][0-9]{{0,5}})")


def layered(data: Mapping[str, Any], bases: Bases, faults: list[str]) -> Mapping[str, Any]:
    """The data laid over that of the pack named by `extends`; the data itself where it names none."""
    if "extends" not in data:
        return data
    base = extended(data)
    if base is None or base not in bases:
        faults.append("extends: id@version of a pack that is there is required")
        return data
    below = bases[base]
    whole = over(_without_replaced(below, data), {name: value for name, value in data.items() if name != "extends"})
    terms = sorted({*below.get(OWN_TERMS, ()), *_own_terms(data.get("retention"))})
    return {**whole, LAYERS: [*below.get(LAYERS, ()), f"{base[0]}@{base[1]}"], OWN_TERMS: terms}


def _without_replaced(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pack below without the term of a loan in days where the layer gives it in months, and the other way round."""
    own, kept = above.get("keeping"), below.get("keeping")
    if not isinstance(own, dict) or not isinstance(kept, dict) or not _LOAN & cast("dict[str, Any]", own).keys():
        return below
    return {
        **below,
        "keeping": {name: each for name, each in cast("dict[str, Any]", kept).items() if name not in _LOAN},
    }


def _own_terms(retention: Any) -> Iterator[str]:
    if isinstance(retention, dict):
        for name, table in cast("Mapping[str, Any]", retention).items():
            given: Mapping[str, Any] = cast("Mapping[str, Any]", table) if isinstance(table, dict) else {}
            if "years" in given:
                yield name
            if "until_age" in given:
                yield f"{name}.until_age"


def extended(data: Mapping[str, Any]) -> tuple[str, int] | None:
    """Id and version of the pack that the data extends."""
    found = _REFERENCE.fullmatch(str(data.get("extends", "")))
    return (found.group(1), int(found.group(2))) if found else None


def over(base: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are laid over each other key by key, lists of tables by the `id` of each; everything else is replaced."""
    return {**base, **{name: _laid(base.get(name), value) for name, value in upper.items()}}


def _laid(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return over(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", above))
    tables, lower = tables_by_id(above), tables_by_id(below)
    if tables is None or lower is None:
        return above
    merged = {id_: over(table, tables.get(id_, {})) for id_, table in lower.items()}
    return [*merged.values(), *(table for id_, table in tables.items() if id_ not in lower)]


def tables_by_id(value: Any) -> dict[str, Mapping[str, Any]] | None:
    """A list of tables that have each an id of its own, by that id; None where it is something else."""
    if not isinstance(value, list) or not value:
        return None
    found: dict[str, Mapping[str, Any]] = {}
    for each in cast("list[Any]", value):
        table = cast("Mapping[str, Any]", each if isinstance(each, dict) else {})
        id_ = table.get("id")
        if not isinstance(id_, str) or id_ in found:
            return None
        found[id_] = table
    return found
