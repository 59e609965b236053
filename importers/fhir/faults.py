"""What is wrong with the files of an import: each fault with file, line and field, found before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

LISTED_MAX = 50
"""Faults that are kept with their place; the rest is only counted."""


class FaultCode(StrEnum):
    """Kinds of faults; the value is what a person reads."""

    NOT_A_DIRECTORY = "is not a directory"
    NO_FILES = "holds no .ndjson file"
    UNREADABLE = "cannot be read"
    LINE_TOO_LONG = "the line is longer than 16 MiB"
    NOT_UTF8 = "the line is not UTF-8"
    TRUNCATED = "the file ends in the middle of a line"
    NOT_JSON = "the line is not JSON"
    NOT_A_RESOURCE = "the line is not a JSON object with a resourceType"
    WRONG_RESOURCE = "the resource is of another type than the file"
    NO_ID = "the resource has no id"
    DUPLICATE_ID = "an earlier line of the same type has this id"
    REQUIRED = "a required value is missing"
    NOT_A_TIME = "the value is not a FHIR date or dateTime"
    END_BEFORE_START = "the end lies before the start"
    UNKNOWN_CODE = "the code has no counterpart in the ledger"
    UNKNOWN_PATIENT = "the patient referred to is not among the files"
    UNKNOWN_ENCOUNTER = "the encounter referred to is not among the files"
    OTHER_PATIENT = "the encounter referred to is another patient's"
    NOT_A_MANIFEST = "is not the manifest of a FHIR bulk export"
    MISSING_FILE = "the export's manifest names this file, and it is not there"
    OTHER_COUNT = "the file has more or fewer resources than the export's manifest says"
    CHANGED = "the file changed while it was imported"


@dataclass(frozen=True)
class Fault:
    """One fault: file name, line from 1 (0 = the file as a whole), kind, and path of the field. Never a value."""

    file: str
    line: int
    code: FaultCode
    field: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f" ({self.field})" if self.field else ""
        return f"{place}: {self.code.name}: {self.code.value}{where}"


class UnusableInput(Exception):
    """The files cannot be imported as they are; nothing was written."""

    def __init__(self, faults: tuple[Fault, ...], total: int) -> None:
        more = (f"... and {total - len(faults)} more",) if total > len(faults) else ()
        super().__init__("\n".join((str(UnusableInput.__doc__), *map(str, faults), *more)))
        self.faults = faults
        self.total = total
        """All faults, those that are not listed among them."""


@dataclass
class FaultList:
    """Collects faults, the first LISTED_MAX with their place."""

    listed: list[Fault] = field(default_factory=list[Fault])
    total: int = 0

    def add(self, fault: Fault) -> None:
        """Takes a fault up."""
        self.total += 1
        if len(self.listed) < LISTED_MAX:
            self.listed.append(fault)

    def raise_any(self) -> None:
        """Raises UnusableInput where there is a fault."""
        if self.total:
            raise UnusableInput(tuple(self.listed), self.total)
