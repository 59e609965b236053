"""Retention by state, where there is no national term: a hospital's layer names its state, the pack has the terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.pack_layers import tables_by_id

CHOSEN = "retention_state"
"""Key of a layer that names the hospital's state."""
TABLE = "state_retention"
"""Key of the list of states with their terms."""
_TERM = ("years", "source", "unconfirmed")
_KEYS = frozenset({"id", *_TERM})


def in_state(data: Mapping[str, Any], faults: list[str]) -> Mapping[str, Any]:
    """The data with the state's term in every retention class; the data itself where no state is named."""
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
    own = {key: term[key] for key in _TERM if key in term}
    return {**data, "retention": {name: {**table, **own} for name, table in data.get("retention", {}).items()}}
