"""The typed refusal: one error that names every fault of a command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RefusalKind(StrEnum):
    """What sort of refusal it is; the edge maps each to one status code."""

    INVALID = "INVALID"
    """The command can never be done as it stands."""
    STATE = "STATE"
    """The record's state does not allow it now."""
    NOT_FOUND = "NOT_FOUND"
    """The record, entry or other thing that it names does not exist."""
    TAKEN = "TAKEN"
    """Something that must be unique exists already."""


@dataclass(frozen=True)
class Violation:
    """One fault: path of the field, a stable upper-case rule code, an explanation without patient data."""

    field: str
    rule: str
    text: str = ""


class Refused(Exception):
    """The command was refused and nothing was written."""

    def __init__(self, kind: RefusalKind, violations: tuple[Violation, ...]) -> None:
        super().__init__(", ".join(f"{each.rule} at {each.field or '.'}" for each in violations))
        self.kind = kind
        self.violations = violations
