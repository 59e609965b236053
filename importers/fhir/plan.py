"""The ordered plan of an import: patients, records, entries; and what is settled without a command."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from importers.fhir.catalogue import Catalogue, Item, Visit
from importers.fhir.content_digest import group_digest
from importers.fhir.placement import NO_EPISODE, Placement, unresolved_subject
from importers.fhir.report import IN_FUTURE, RECORD_IN_FUTURE, Outcome
from importers.fhir.resource_types import GROUP_TYPES, Handling, of

_ITS_ENCOUNTER = "its encounter was left out"


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """One entry: a document, or a group of results or clinical items of one encounter and issue time."""

    source_type: str
    source_id: str
    sha256: bytes
    at: datetime
    members: tuple[Item, ...]

    @property
    def grouped(self) -> bool:
        """Whether it is a group, which claims its members beside itself."""
        return self.source_type in GROUP_TYPES.values()


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """One record: RegisterRecord, StartCare, the entries in order of time, EndCare where the visit is over."""

    visit: Visit
    sequence: int
    entries: tuple[EntryPlan, ...]
    ends: bool
    end_refused: bool
    """The end lies after the moment of the import."""


@dataclass(frozen=True, slots=True)
class PatientPlan:
    """One patient with the records in order of their start."""

    item: Item
    records: tuple[RecordPlan, ...]


@dataclass
class Plan:
    """Everything that will be sent, in order, and every line that needs no command."""

    catalogue: Catalogue
    patients: list[PatientPlan] = field(default_factory=list[PatientPlan])
    settled: list[tuple[Item, Outcome, str]] = field(default_factory=list[tuple[Item, Outcome, str]])
    subjects_unresolved: int = 0

    @property
    def commands(self) -> int:
        """Commands of the whole plan, one for each actor included."""
        records = [record for patient in self.patients for record in patient.records]
        own = sum(2 + record.ends + len(record.entries) for record in records)
        return len(self.catalogue.actors) + len(self.patients) + own


def make_plan(catalogue: Catalogue, now: datetime) -> Plan:
    """The plan of a catalogue that the scan found sound. `now` is the moment after which no time may lie."""
    plan = Plan(catalogue)
    plan.settled += [(item, Outcome.LEFT_OUT, reason) for item, reason in catalogue.left_out]
    placed = _place(plan, now)
    _settle_visits(plan, now)
    _settle_linked(plan, placed)
    sequences = _sequences(catalogue)
    records: dict[str, list[RecordPlan]] = defaultdict(list)
    for visit in sorted(catalogue.visits.values(), key=lambda visit: (visit.start, visit.item.id)):
        if not visit.left_out and visit.start <= now:
            sequence = sequences[visit.item.id]
            records[visit.item.patient].append(_record(visit, sequence, placed[visit.item.id], now))
    plan.patients = [PatientPlan(item, tuple(records[id_])) for id_, item in catalogue.patients.items()]
    return plan


def _place(plan: Plan, now: datetime) -> dict[str, list[Item]]:
    """Items by the encounter whose record takes them; the others are settled."""
    placement, placed = Placement(plan.catalogue), defaultdict[str, list[Item]](list)
    for item in plan.catalogue.entries:
        visit = placement.visit_of(item)
        if visit is None:
            plan.settled.append((item, Outcome.LEFT_OUT, NO_EPISODE))
        elif visit.left_out:
            plan.settled.append((item, Outcome.LEFT_OUT, _ITS_ENCOUNTER))
        elif visit.start > now:
            plan.settled.append((item, Outcome.REFUSED, RECORD_IN_FUTURE))
        elif item.at is not None and item.at > now:
            plan.settled.append((item, Outcome.REFUSED, IN_FUTURE))
        else:
            placed[visit.item.id].append(item)
            plan.subjects_unresolved += unresolved_subject(plan.catalogue, item)
    return placed


def _settle_visits(plan: Plan, now: datetime) -> None:
    for visit in plan.catalogue.visits.values():
        if visit.left_out:
            plan.settled.append((visit.item, Outcome.LEFT_OUT, visit.left_out))
        elif visit.start > now:
            plan.settled.append((visit.item, Outcome.REFUSED, IN_FUTURE))


def _settle_linked(plan: Plan, placed: dict[str, list[Item]]) -> None:
    referred = {link for items in placed.values() for item in items for link in item.links}
    actors = plan.catalogue.actors
    known = {(item.type, item.id): (item.type, item.id) in referred for item in plan.catalogue.linked}
    known |= {(item.type, item.id): item.links[0][1] in actors for item in plan.catalogue.roles}
    for item in (*plan.catalogue.linked, *plan.catalogue.roles):
        if known[item.type, item.id]:
            plan.settled.append((item, Outcome.LINKED, ""))
        else:
            plan.settled.append((item, Outcome.LEFT_OUT, of(item.type).reason))


def _sequences(catalogue: Catalogue) -> dict[str, int]:
    """Running number of each visit among the patient's visits of its type, by start, ties by source id."""
    counts, found = Counter[tuple[str, str]](), dict[str, int]()
    for visit in sorted(catalogue.visits.values(), key=lambda visit: (visit.start, visit.item.id)):
        if not visit.left_out:
            key = (visit.item.patient, visit.visit_type)
            counts[key] += 1
            found[visit.item.id] = counts[key]
    return found


def _record(visit: Visit, sequence: int, items: list[Item], now: datetime) -> RecordPlan:
    entries = sorted(_entries(visit, items), key=lambda entry: (entry.at, entry.source_type, entry.source_id))
    over = visit.end is not None and visit.end <= now
    return RecordPlan(visit, sequence, tuple(entries), ends=over, end_refused=visit.end is not None and not over)


def _entries(visit: Visit, items: Iterable[Item]) -> list[EntryPlan]:
    found: list[EntryPlan] = []
    groups: dict[tuple[Handling, datetime], list[Item]] = defaultdict(list)
    for item in items:
        at = item.at or visit.start
        if item.handling is Handling.DOCUMENT:
            found.append(EntryPlan(item.type, item.id, item.sha256, at, (item,)))
        else:
            groups[item.handling, at].append(item)
    return found + [_group(visit, handling, at, members) for (handling, at), members in groups.items()]


def _group(visit: Visit, handling: Handling, at: datetime, members: list[Item]) -> EntryPlan:
    """A group is known by encounter and issue time; what it says is said by all its members' digests."""
    members = sorted(members, key=lambda item: (item.type, item.id))
    source_id = f"{visit.item.id}@{at.astimezone(UTC).isoformat()}"
    sha256 = group_digest((item.type, item.id, item.sha256) for item in members)
    return EntryPlan(GROUP_TYPES[handling], source_id, sha256, at, tuple(members))
