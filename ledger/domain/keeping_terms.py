"""The figures of a rule pack that the archive works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from ledger.domain.pack_figures import Figure

_KEYS = frozenset({"figure", "source", "unconfirmed"})


@dataclass(frozen=True)
class KeepingTerms:
    """Terms of loans, reopenings, seals and patients' requests; the pack's `figures` say where each is from."""

    loan_renewals: int
    loan_renewal_days: int
    loan_out_of_house_days: int
    reopen_hours: int
    """Longest window of a reopening."""
    seal_no_claim_years: int
    """After so many years without a claim the hospital may open a seal alone."""
    request_days: int
    """Days in which a patient's request is answered."""
    endorsement_hours: int = 24
    """For so many hours a second person's word for an act holds; 24, as in the packs of the release, where a pack was
    written before there was such a figure."""
    loan_days: int = 0
    """Longest loan inside the house, in days; 0 = the pack counts it in months."""
    loan_months: int = 0
    """The same in calendar months; 0 = the pack counts it in days."""

    @classmethod
    def of(cls, figures: Mapping[str, Figure]) -> KeepingTerms:
        """The terms among a pack's figures."""
        named = {each.name: figures.get(f"keeping.{each.name}") for each in fields(cls)}
        return cls(**{name: each.figure for name, each in named.items() if each})


def unknown_terms(data: Mapping[str, Any]) -> list[str]:
    """Figures under `keeping` that nobody reads, and keys of a figure that nobody reads."""
    known = {each.name for each in fields(KeepingTerms)}
    faults = [f"keeping.{name}: no such figure" for name in data if name not in known]
    if "loan_days" in data and "loan_months" in data:
        faults.append("keeping.loan_days: in days or in months, not both")
    for name in known:
        table = data.get(name)
        if isinstance(table, dict):
            faults += [
                f"keeping.{name}.{key}: no such key" for key in cast("Mapping[str, Any]", table) if key not in _KEYS
            ]
    return faults
