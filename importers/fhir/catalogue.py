"""What a scan of the files keeps: the place and the ties of every resource, never its content."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from importers.fhir import ndjson
from importers.fhir.content_digest import digest
from importers.fhir.faults import Fault, FaultCode, UnusableInput
from importers.fhir.json_value import Resource
from importers.fhir.resource_types import Handling, of


@dataclass(frozen=True, slots=True)
class Item:
    """One resource: where it lies, and what it is tied to."""

    type: str
    id: str
    file: str
    line: int
    offset: int
    length: int
    sha256: bytes
    """Digest of its content."""
    at: datetime | None = None
    """When it was issued."""
    patient: str = ""
    """Id of its patient; empty where it names none."""
    encounter: str = ""
    """Id of its encounter; empty where it names none."""
    links: tuple[tuple[str, str], ...] = ()
    """Type and id of the resources that its entry keeps by reference."""

    @property
    def handling(self) -> Handling:
        """How its type is taken over."""
        return of(self.type).handling


@dataclass(frozen=True, slots=True)
class Visit:
    """One encounter as a record."""

    item: Item
    visit_type: str
    """`INPATIENT`, `OUTPATIENT`, `EMERGENCY` or `OBSERVATION`."""
    start: datetime
    end: datetime | None
    """None while care goes on."""
    left_out: str = ""
    """Why it does not become a record; empty = it does."""

    def covers(self, moment: datetime) -> bool:
        """Whether the moment lies within the visit."""
        return self.start <= moment and (self.end is None or moment <= self.end)


@dataclass
class Catalogue:
    """All resources of a directory by type and id."""

    directory: Path
    lines: Counter[str] = field(default_factory=Counter[str])
    """Lines per resource type."""
    patients: dict[str, Item] = field(default_factory=dict[str, Item])
    visits: dict[str, Visit] = field(default_factory=dict[str, Visit])
    actors: dict[str, Item] = field(default_factory=dict[str, Item])
    roles: list[Item] = field(default_factory=list[Item])
    entries: list[Item] = field(default_factory=list[Item])
    """Documents, results and clinical items: what goes into the entries of records."""
    linked: list[Item] = field(default_factory=list[Item])
    left_out: list[tuple[Item, str]] = field(default_factory=list[tuple[Item, str]])
    attending: set[str] = field(default_factory=set[str])
    """Practitioners who attend an encounter."""

    def read(self, item: Item) -> Resource:
        """The resource itself. Raises UnusableInput where the file is not what it was at the scan."""
        try:
            resource = ndjson.read_again(self.directory / item.file, item.offset, item.length)
        except (ndjson.BadLine, OSError) as error:
            raise _changed(item) from error
        if digest(resource) != item.sha256:
            raise _changed(item)
        return resource


def _changed(item: Item) -> UnusableInput:
    return UnusableInput((Fault(item.file, item.line, FaultCode.CHANGED),), 1)
