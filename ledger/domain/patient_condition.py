"""How the patient was, as the notes about them code it: how a newborn is says nothing of the mother."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from ledger.domain.state import Entry, RecordState
from ledger.domain.subjects import about

CONDITION = "condition"
"""Code of the field by which a note says how the patient is."""

UNSAID = "stable"
"""What a patient counts as of whom no note has said anything: silence stops no clock, and raises no alarm either."""


def condition_of(record: RecordState) -> str:
    """The patient's condition as the last note that says one codes it; UNSAID where none does."""
    return condition_before(conditions(record), None)


def conditions(record: RecordState) -> list[tuple[datetime, str]]:
    """When a note first came, and the condition that it codes, in the order of the notes."""
    entries = (each for each in about(record) if not each.retracted)
    coded = ((each.versions[0].recorded_at, _condition_in(each)) for each in entries)
    return [(at, code) for at, code in coded if code]


def condition_before(said: Sequence[tuple[datetime, str]], until: datetime | None) -> str:
    """The condition just before a moment; None = now."""
    end = len(said) if until is None else bisect_left(said, until, key=lambda each: each[0])
    return said[end - 1][1] if end else UNSAID


def _condition_in(entry: Entry) -> str:
    fields = (each for section in entry.last.content.sections for each in section.fields)
    return next((each.coding.code for each in fields if each.code == CONDITION and each.coding is not None), "")
