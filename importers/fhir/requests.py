"""The commands of a plan as the contract's requests, the same bytes at every import of the same content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from importers.fhir.catalogue import Item
from importers.fhir.content_digest import again_id, command_id, digest, filed_id, link_id
from importers.fhir.entry_content import Said
from importers.fhir.fhir_time import parse_time
from importers.fhir.json_value import Resource, child, text
from importers.fhir.person import actor_of, details_of, mrn_of
from importers.fhir.plan import EntryPlan, RecordPlan
from importers.fhir.visit_facts import (
    attending_of,
    bed_of,
    department_of,
    disposition_of,
)
from ledger.api.v1.common_pb2 import (
    Actor,
    AmendmentKind,
    Attestation,
    CommandContext,
    Disposition,
    EntryContent,
    HeldItem,
    IdentityStatus,
    SourceItem,
    VisitType,
)
from ledger.api.v1.course_pb2 import LinkDuplicateRequest
from ledger.api.v1.records_pb2 import (
    AmendEntryRequest,
    EndCareRequest,
    RecordEntryRequest,
    RegisterActorRequest,
    RegisterPatientRequest,
    RegisterRecordRequest,
    StartCareRequest,
)

PROGRAM = "import-fhir"
MOVED = "moved to another entry at the source"
_PROGRAM_SYSTEM = "urn:ledger:importers"
_ATTESTED = "session"
_TEAM_UNKNOWN = "not named in the source"


@dataclass
class Requests:
    """Makes the requests of one import into one hospital."""

    hospital: str
    system: str
    """Source system that the items are claimed under."""
    program: Actor = field(default_factory=Actor)
    """The importing program, as registered."""
    people: dict[str, Actor] = field(default_factory=dict[str, Actor])
    """Practitioners by source id, as registered."""

    def register_program(self) -> RegisterActorRequest:
        """The importing program itself."""
        return RegisterActorRequest(
            hospital=self.hospital,
            actor=Actor(name=PROGRAM, role="interface"),
            source=SourceItem(system=_PROGRAM_SYSTEM, type="program", id=PROGRAM),
        )

    def register_actor(
        self, item: Item, practitioner: Resource, role: Resource | None, *, attending: bool
    ) -> RegisterActorRequest:
        """One practitioner."""
        return RegisterActorRequest(
            hospital=self.hospital,
            actor=actor_of(practitioner, role, attending=attending),
            source=self._source(item.type, item.id, item.sha256),
        )

    def register_patient(self, item: Item, patient: Resource) -> RegisterPatientRequest:
        """One patient."""
        at = parse_time(text(patient, "meta", "lastUpdated"))
        return RegisterPatientRequest(
            context=self._context(self._source(item.type, item.id, item.sha256), at),
            case_number=mrn_of(patient),
            identity=IdentityStatus.IDENTITY_STATUS_MATCHED,
            details=details_of(patient),
        )

    def register_record(self, plan: RecordPlan, encounter: Resource, patient_id: str) -> RegisterRecordRequest:
        """One record; claimed by whose visit it is and of which type, since a registration is never changed."""
        visit = plan.visit
        said = [visit.item.patient, visit.visit_type]
        context = self._context(self._source("Encounter", visit.item.id, digest(said)), visit.start)
        # An item that was taken back is another patient's by now: nothing goes on into the record of before.
        context.command_id = filed_id(context.command_id, patient_id)
        # A patient is in one place at a time: two visits of one kind that begin at one moment are one visit.
        context.fact_sha256 = digest(["Encounter", visit.visit_type, visit.start.isoformat()])
        return RegisterRecordRequest(
            context=context,
            patient_id=patient_id,
            visit_type=VisitType.Value(f"VISIT_TYPE_{visit.visit_type}"),
            visit_sequence=plan.sequence,
            department=department_of(encounter),
        )

    def start_care(self, plan: RecordPlan, encounter: Resource, record_id: str) -> StartCareRequest:
        """The start of a visit, with the attending practitioner in charge."""
        visit = plan.visit
        source = self._source("EncounterStart", visit.item.id, digest(child(encounter, "period", "start")))
        request = StartCareRequest(
            context=self._context(source, visit.start),
            record_id=record_id,
            department=department_of(encounter),
            bed=bed_of(encounter),
        )
        responsible = self.people.get(attending_of(encounter))
        if responsible is None and visit.visit_type == "EMERGENCY":
            request.team = _TEAM_UNKNOWN
        else:
            # No physician is made up: the program itself stands where the source names nobody.
            request.responsible.CopyFrom(responsible or self.program)
        return request

    def record_entry(self, entry: EntryPlan, said: Said, record_id: str, facts: Sequence[bytes]) -> RecordEntryRequest:
        """One entry; signed by its author where the source names one and calls it finished, else unsigned.

        `facts` is what each member states: a group claims its members, a document is one itself.
        """
        author = self.people.get(said.author)
        signed = Attestation(method=_ATTESTED, signer=author, signed_at=timestamp(entry.at))
        context = self._context(self._source(entry.source_type, entry.source_id, entry.sha256), entry.at)
        if not entry.grouped:
            context.fact_sha256 = facts[0]
        members = zip(entry.members, facts, strict=True) if entry.grouped else ()
        return RecordEntryRequest(
            context=context,
            record_id=record_id,
            content=said.content,
            attestation=signed if author and said.final else None,
            also=[HeldItem(item=self.source(item), fact_sha256=fact) for item, fact in members],
        )

    def link_duplicate(
        self, source: SourceItem, at: datetime | None, record_id: str, entry_id: str
    ) -> LinkDuplicateRequest:
        """An item that says what an entry (none named = the record) says already."""
        context = self._context(source, at)
        context.command_id = link_id(context.command_id, record_id, entry_id)
        return LinkDuplicateRequest(context=context, record_id=record_id, entry_id=entry_id)

    def take_out(
        self, group: SourceItem, at: Timestamp, record_id: str, entry_id: str, content: EntryContent, version: int
    ) -> AmendEntryRequest:
        """An entry without the members that have moved; `group.content_sha256` is of what is left."""
        context = self._context(group, None)
        context.command_id = again_id(context.command_id, version)
        context.occurred_at.CopyFrom(at)
        return AmendEntryRequest(
            context=context,
            record_id=record_id,
            entry_id=entry_id,
            kind=AmendmentKind.AMENDMENT_KIND_CORRECTION,
            reason=MOVED,
            content=content,
            entry_version=version,
        )

    def source(self, item: Item) -> SourceItem:
        """A resource as the source item that is claimed."""
        return self._source(item.type, item.id, item.sha256)

    def end_care(self, plan: RecordPlan, encounter: Resource, record_id: str) -> EndCareRequest:
        """The end of a visit that is over."""
        visit = plan.visit
        source = self._source("EncounterEnd", visit.item.id, digest(child(encounter, "period", "end")))
        return EndCareRequest(
            context=self._context(source, visit.end),
            record_id=record_id,
            disposition=Disposition.Value(f"DISPOSITION_{disposition_of(encounter)}"),
            ended_at=timestamp(visit.end) if visit.end else None,
        )

    def _source(self, type_: str, id_: str, sha256: bytes) -> SourceItem:
        return SourceItem(system=self.system, type=type_, id=id_, content_sha256=sha256)

    def _context(self, source: SourceItem, at: datetime | None) -> CommandContext:
        return CommandContext(
            hospital=self.hospital,
            command_id=command_id(self.hospital, source.system, source.type, source.id, source.content_sha256),
            actor=self.program,
            occurred_at=timestamp(at) if at else None,
            historical=True,
            source=source,
        )


def timestamp(moment: datetime) -> Timestamp:
    """The contract's form of a moment."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
