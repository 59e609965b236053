"""The figures of a rule pack, each with where it is from and whether somebody has compared it with that source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ledger.domain.pack_layers import tables_by_id

FIGURE_MAX = 10_000
"""Of days, that is 27 years; what is kept for longer counts in years."""
YEARS_MAX = 1_000
"""A retention date stays a date that a calendar has."""
AGE_MAX = 120
_MOST = {"years": YEARS_MAX, "years of age": AGE_MAX}
_TOP = {"ahead_seconds_max": "seconds", "arrival_back_minutes_max": "minutes", "offer_days": "days"}
_OPTIONAL = {"short_stay": "hours"}
"""Figures that a pack may leave out, with what depends on them."""
_SAMPLING = {"least": "records", "per_mille": "per_mille"}
"""Of a pack that has samples drawn; the share may be left out."""
_LOAN = {"loan_days": "days", "loan_months": "months"}
"""Either of them: a loan ends after so many days, or on the same day of a later month."""
_KEEPING = {
    "loan_renewals": "times",
    "loan_renewal_days": "days",
    "loan_out_of_house_days": "working_days",
    "reopen_hours": "hours",
    "seal_no_claim_years": "years",
    "request_days": "days",
}
_KEEPING_OPTIONAL = {"endorsement_hours": "hours"}
"""Of packs that were written before it, `KeepingTerms` says what holds."""


@dataclass(frozen=True)
class Figure:
    """One figure of a pack."""

    name: str
    """What it is of: `offer_days`, `keeping.loan_days`, `retention.INPATIENT`, `deadline.filing`."""
    figure: int
    unit: str
    source: str
    unconfirmed: bool
    """Nobody of the records office has compared it with its source yet."""


@dataclass(frozen=True)
class _Place:
    """Where a figure stands: its table, the key in it, and the name that it has without a place in a list."""

    name: str
    path: str
    table: Any
    key: str
    unit: str


def pack_figures(data: Mapping[str, Any], faults: list[str]) -> dict[str, Figure]:
    """Every figure by its name; what is wrong or missing is added to the faults by path."""
    return {place.name: _figure(place, faults) for place in _places(data)}


def unsourced(own: Mapping[str, Any], whole: Mapping[str, Any]) -> list[str]:
    """Figures that a layer changes without saying from where: the source of the figure below is none for another."""
    return [
        f"{place.path}.{name}: a layer that gives a figure says where it is from"
        for place in _places(whole)
        if place.key in (table := _own_table(own, whole, place.path))
        for name in ("source", "unconfirmed")
        if name not in table
    ]


def _places(data: Mapping[str, Any]) -> Iterator[_Place]:
    for name, unit in _TOP.items():
        yield _Place(name, name, data.get(name), "figure", unit)
    for name, unit in _OPTIONAL.items():
        if name in data:
            yield _Place(name, name, data[name], "figure", unit)
    keeping = data.get("keeping", {})
    loan = "loan_months" if "loan_months" in keeping else "loan_days"
    also = {name: unit for name, unit in _KEEPING_OPTIONAL.items() if name in keeping}
    for name, unit in {loan: _LOAN[loan], **_KEEPING, **also}.items():
        yield _Place(f"keeping.{name}", f"keeping.{name}", keeping.get(name), "figure", unit)
    sampling = data.get("sampling")
    for name, unit in _SAMPLING.items():
        if isinstance(sampling, dict) and (name == "least" or name in sampling):
            table = cast("Mapping[str, Any]", sampling).get(name)
            yield _Place(f"sampling.{name}", f"sampling.{name}", table, "figure", unit)
    for name, table in data.get("retention", {}).items():
        yield from _term(f"retention.{name}", f"retention.{name}", table)
    for index, table in enumerate(data.get("state_retention", [])):
        yield from _term(f"state_retention.{table.get('id', '')}", f"state_retention[{index}]", table)
    for index, table in enumerate(data.get("deadline", [])):
        unit = str(table.get("unit", ""))
        yield _Place(f"deadline.{table.get('id', '')}", f"deadline[{index}]", table, "figure", unit)


def _term(name: str, path: str, table: Any) -> Iterator[_Place]:
    """How long records are kept, and the age of minors until which theirs are in any case."""
    yield _Place(name, path, table, "years", "years")
    if isinstance(table, dict) and "until_age" in table:
        yield _Place(f"{name}.until_age", path, table, "until_age", "years of age")


def _figure(place: _Place, faults: list[str]) -> Figure:
    if not isinstance(place.table, dict):
        faults.append(f"{place.path}: a table with figure, source and unconfirmed is required")
        return Figure(place.name, 1, place.unit, "", unconfirmed=True)
    table = cast("Mapping[str, Any]", place.table)
    figure, most = table.get(place.key), _MOST.get(place.unit, FIGURE_MAX)
    if not isinstance(figure, int) or isinstance(figure, bool) or not 1 <= figure <= most:
        faults.append(f"{place.path}.{place.key}: a whole number from 1 to {most} is required")
        figure = 1
    source, unconfirmed = table.get("source"), table.get("unconfirmed")
    if not isinstance(source, str) or not source.strip():
        faults.append(f"{place.path}.source: where the figure is from is required")
    if not isinstance(unconfirmed, bool):
        faults.append(f"{place.path}.unconfirmed: true or false is required")
    return Figure(place.name, figure, place.unit, str(source or ""), unconfirmed is not False)


def _own_table(own: Mapping[str, Any], whole: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """What the layer itself says at a path of the whole pack."""
    head, _, rest = path.partition(".")
    name, _, index = head.partition("[")
    found: Any = own.get(name, {})
    if index:
        ids = list(tables_by_id(whole.get(name)) or {})
        number = int(index.rstrip("]"))
        found = (tables_by_id(found) or {}).get(ids[number], {}) if number < len(ids) else {}
    elif rest:
        found = cast("Mapping[str, Any]", found).get(rest, {}) if isinstance(found, dict) else {}
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}
