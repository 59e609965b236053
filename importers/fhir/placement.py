"""Which record each item belongs to, and whether its references agree.

An encounter decides. Real exports hold items whose patient reference leads nowhere while their encounter is there:
they are placed by the encounter and counted. A reference to ANOTHER patient of the files is a fault, never guessed at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from importers.fhir.catalogue import Catalogue, Item, Visit
from importers.fhir.faults import Fault, FaultCode, FaultList

NO_EPISODE = "names no encounter and lies within none"


class Placement:
    """Finds the visit of an item."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._visits = catalogue.visits
        self._of_patient: dict[str, list[Visit]] = defaultdict(list)
        for visit in catalogue.visits.values():
            if not visit.left_out:
                self._of_patient[visit.item.patient].append(visit)

    def visit_of(self, item: Item) -> Visit | None:
        """The encounter that the item names, else the patient's latest visit at its time; None = no episode."""
        if item.encounter:
            return self._visits[item.encounter]
        at = item.at
        here = [visit for visit in self._of_patient[item.patient] if at is not None and visit.covers(at)]
        return max(here, key=lambda visit: (visit.start, visit.item.id), default=None)


def check_references(catalogue: Catalogue, faults: FaultList) -> None:
    """Adds a fault for every reference by which an item would get into no record, or into a wrong one."""
    for visit in catalogue.visits.values():
        if visit.item.patient not in catalogue.patients:
            faults.add(_fault(visit.item, FaultCode.UNKNOWN_PATIENT, "subject"))
    for item in catalogue.entries:
        for code, field in _entry_faults(catalogue, item):
            faults.add(_fault(item, code, field))


def unresolved_subject(catalogue: Catalogue, item: Item) -> bool:
    """Whether the item is placed by its encounter while its patient reference leads nowhere."""
    return bool(item.patient) and item.patient not in catalogue.patients


def _entry_faults(catalogue: Catalogue, item: Item) -> Iterator[tuple[FaultCode, str]]:
    if not item.encounter:
        if item.patient not in catalogue.patients:
            yield FaultCode.UNKNOWN_PATIENT, "subject"
        return
    visit = catalogue.visits.get(item.encounter)
    if visit is None:
        yield FaultCode.UNKNOWN_ENCOUNTER, "encounter"
    elif item.patient in catalogue.patients and item.patient != visit.item.patient:
        yield FaultCode.OTHER_PATIENT, "subject"


def _fault(item: Item, code: FaultCode, field: str) -> Fault:
    return Fault(item.file, item.line, code, field)
