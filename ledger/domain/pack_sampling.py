"""How many of the visits on the short path a rule pack has drawn and judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.pack_figures import Figure
from ledger.domain.quality_sample import SAMPLE_MAX, SampleSize

TABLE = "sampling"
ALL = 1000
"""Per mille: every record."""
_KEYS = ("least", "per_mille")


def sample_size(data: Mapping[str, Any], figures: Mapping[str, Figure], faults: list[str]) -> SampleSize | None:
    """The size in this data, None where it names none; what is wrong is added to the faults by path."""
    if TABLE not in data:
        return None
    faults += [f"{TABLE}.{name}: no such key" for name in data[TABLE] if name not in _KEYS]
    least = figures[f"{TABLE}.least"].figure
    share = figures.get(f"{TABLE}.per_mille")
    if least > SAMPLE_MAX:
        faults.append(f"{TABLE}.least.figure: at most {SAMPLE_MAX}, which a draw can name")
    if share is not None and share.figure > ALL:
        faults.append(f"{TABLE}.per_mille.figure: at most {ALL}, which are all")
    return SampleSize(least, share.figure if share else 0)
