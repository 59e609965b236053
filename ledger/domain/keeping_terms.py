"""The figures of a rule pack that the archive works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class KeepingTerms:
    """Terms of loans, reopenings, seals and patients' requests. Sources stand beside each figure in the pack."""

    loan_days: int
    """Longest loan inside the house."""
    loan_renewals: int
    loan_renewal_days: int
    loan_out_of_house_days: int
    reopen_hours: int
    """Longest window of a reopening."""
    seal_no_claim_years: int
    """After so many years without a claim the hospital may open a seal alone."""
    request_days: int
    """Days in which a patient's request is answered."""

    @classmethod
    def from_data(cls, data: Mapping[str, Any], faults: list[str]) -> KeepingTerms:
        """The terms in this data; what is wrong is added to the faults by name."""
        found = {each.name: data.get(each.name) for each in fields(cls)}
        for name, value in found.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                faults.append(f"keeping.{name}: a whole number from 1 is required")
        faults += [f"keeping.{name}: no such figure" for name in data if name not in found]
        return cls(**{name: value if isinstance(value, int) else 1 for name, value in found.items()})
