"""Retention by state, where there is no national term: a hospital's layer names its state, the pack has the terms.

The terms of the pack with the table stand for hospitals that name no state. A term that a layer gives is the hospital's
own: of it and the state's the longer holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.pack_layers import OWN_TERMS, tables_by_id

CHOSEN = "retention_state"
"""Key of a layer that names the hospital's state."""
TABLE = "state_retention"
"""Key of the list of states with their terms."""
AGE = "until_age"
"""Key of the age until which minors' records are kept in any case."""
_TERM = ("years", "source", "unconfirmed")
_KEYS = frozenset({"id", AGE, *_TERM})


def in_state(data: Mapping[str, Any], faults: list[str]) -> Mapping[str, Any]:
    """The data with the state's term, or a longer one of a layer, in every class; as it is where no state is named."""
    listed = data.get(TABLE, [])
    faults += [
        f"{TABLE}[{index}].{key}: no such key"
        for index, table in enumerate(listed)
        for key in table
        if key not in _KEYS
    ]
    if CHOSEN not in data:
        return data
    term = (tables_by_id(listed) or {}).get(data[CHOSEN])
    if term is None:
        faults.append(f"{CHOSEN}: a state of {TABLE} is required")
        return data
    of_state = {key: term[key] for key in _TERM if key in term}
    retention: Mapping[str, Mapping[str, Any]] = data.get("retention", {})
    own = {name: table for name, table in retention.items() if _is_own(name, data) and _longer(table, term)}
    chosen = {name: own.get(name) or {**table, **of_state} for name, table in retention.items()}
    return {**data, "retention": {name: _with_age(name, each, data, term) for name, each in chosen.items()}}


def _with_age(
    name: str, table: Mapping[str, Any], data: Mapping[str, Any], term: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The class with the state's age of minors, or a layer's higher one: no own term takes that from them."""
    own: Mapping[str, Any] = data["retention"][name] if _is_own(f"{name}.{AGE}", data) else {}
    rest = {key: value for key, value in table.items() if key != AGE}
    if AGE in own and not isinstance(own[AGE], int):
        return {**rest, AGE: own[AGE]}  # its fault is named where figures are read
    ages: list[int] = [each[AGE] for each in (term, own) if isinstance(each.get(AGE), int)]
    return {**rest, AGE: max(ages)} if ages else rest


def _is_own(name: str, data: Mapping[str, Any]) -> bool:
    # A whole pack that names its state itself has no terms for anybody else.
    return name in data[OWN_TERMS] if OWN_TERMS in data else True


def _longer(table: Mapping[str, Any], term: Mapping[str, Any]) -> bool:
    own, of_state = table.get("years"), term.get("years")
    return isinstance(own, int) and isinstance(of_state, int) and own > of_state
