"""What a stream's events add up to. A record has three independent parts, so that its phase stays small: the phase, the
entries each with their own state, and overlays that may lie over any phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ledger.domain.bucket_map import BucketMap
from ledger.domain.certificate_values import Certified
from ledger.domain.course_state import Consultation, DepartmentMove, ForeignResult, Newborn, Provisional, TimeCorrection
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.entry_traces import EntryPlace
from ledger.domain.keeping_state import (
    Destruction,
    Disposal,
    Endorsement,
    Hold,
    IssuedCopy,
    Loan,
    Missed,
    Paper,
    PatientRequest,
    Reopening,
    Seal,
)
from ledger.domain.keeping_values import EntryRef
from ledger.domain.log_succession import LogSuccessionState
from ledger.domain.published_maps import PublishedMapsState
from ledger.domain.quality_sample import SampleFinding
from ledger.domain.rulebook import RulebookState
from ledger.domain.stated_details import StatedDetails
from ledger.domain.stated_identifiers import Item, Name, Stated
from ledger.domain.transfer_state import Transfer
from ledger.domain.values import (
    Actor,
    AmendmentKind,
    Attestation,
    CopySource,
    Defect,
    Disposition,
    EntryContent,
    EntryState,
    IdentityStatus,
    PatientDetails,
    Phase,
    TransferKind,
    TransferState,
    VisitType,
)


@dataclass(frozen=True)
class EntryVersion:
    """One version of an entry, readable until the record is destroyed."""

    version: int
    state: EntryState
    content: EntryContent
    attestation: Attestation
    recorded_at: datetime
    occurred_at: datetime
    record_version: int
    kind: AmendmentKind | None = None
    reason: str = ""
    countersignature: Attestation | None = None
    historical: bool = False
    """Taken over from an earlier system."""
    copied_from: tuple[CopySource, ...] = ()
    """From where parts of it were copied."""
    drafted_by: UUID | None = None
    """Who wrote it, of a draft; None of what was signed."""
    countersigned_version: int = 0
    """Version of the record at which it was countersigned; 0 = nobody did."""
    certified: tuple[Certified, ...] = ()
    """Signatures by certificate beside those by login."""


@dataclass(frozen=True)
class Entry:
    """A document with all its versions, the oldest first."""

    entry_id: UUID
    versions: tuple[EntryVersion, ...]
    retraction_reason: str | None = None
    corrects: EntryRef | None = None
    """Of a late item: the version that it corrects, of an entry that stays as it is."""
    corrected_by: tuple[UUID, ...] = ()
    """Late items that correct it."""
    confirmed_by: Actor | None = None
    """Of a late item beside a hold or seal: the second person."""
    corrected_at: datetime | None = None
    """When what it says happened, as corrected last."""
    changed_version: int = 0
    """Version of the record at its last change that who holds a copy is told of; 0 = none."""
    retracted_version: int = 0
    """Version of the record at which it was retracted; 0 = it was not."""
    recorded_again: EntryPlace | None = None
    """Where it was recorded again once it was retracted; None = nobody said so."""
    nowhere_reason: str = ""
    """Why it was recorded nowhere again; empty = nobody said so."""
    led_versions: tuple[int, ...] = ()
    """Versions of the record at which it came to be about somebody else, or the record did, by an identification."""

    @property
    def last(self) -> EntryVersion:
        """The newest version."""
        return self.versions[-1]

    @property
    def happened_at(self) -> datetime:
        """When what it says happened: as its first version that is no draft said, or as that was corrected."""
        if self.corrected_at is not None:
            return self.corrected_at
        # When somebody began to write is not when it happened: who signs says so.
        finished = (each for each in self.versions if each.state is not EntryState.DRAFT)
        return next(finished, self.versions[0]).occurred_at

    @property
    def retracted(self) -> bool:
        """Whether it is hidden (and kept)."""
        return self.retraction_reason is not None

    @property
    def state(self) -> EntryState:
        """The state of the newest version, or RETRACTED."""
        return EntryState.RETRACTED if self.retracted else self.last.state


@dataclass(frozen=True)
class Overlays:
    """What may lie over any phase: only what is open, but for papers, requests, missed deadlines and copies."""

    transfers: Mapping[UUID, Transfer] = field(default_factory=dict[UUID, Transfer])
    holds: Mapping[UUID, Hold] = field(default_factory=dict[UUID, Hold])
    seals: Mapping[UUID, Seal] = field(default_factory=dict[UUID, Seal])
    loans: Mapping[UUID, Loan] = field(default_factory=dict[UUID, Loan])
    papers: Mapping[UUID, Paper] = field(default_factory=dict[UUID, Paper])
    requests: Mapping[UUID, PatientRequest] = field(default_factory=dict[UUID, PatientRequest])
    copies: Mapping[UUID, IssuedCopy] = field(default_factory=dict[UUID, IssuedCopy])
    missed: frozenset[Missed] = frozenset()
    endorsements: Mapping[UUID, Endorsement] = field(default_factory=dict[UUID, Endorsement])
    """Acts that a second person has endorsed and nobody has done yet, lapsed ones included."""
    reopening: Reopening | None = None
    restrictions: tuple[UUID, ...] = ()
    """Patients' requests for which use is restricted to storage, care, law and claims, the oldest first."""
    content_version: int = 0
    """Version of the record at its last paper, patient's request or answer, or change of a restriction or of whose
    record it is: what an appraisal must have seen beside the entries."""
    stay_version: int = 0
    """Version of the record at the last change of no entry that who holds a copy or a package is told of; 0 = none."""

    @property
    def restricted(self) -> bool:
        """Whether any request restricts its use."""
        return bool(self.restrictions)


@dataclass(frozen=True)
class Archiving:
    """Quality control and archive of a record."""

    passed: bool = False
    score: int = 0
    """Of the last assessment."""
    grade: str = ""
    """Of the last assessment; empty before, and where an earlier release assessed it."""
    defects: tuple[Defect, ...] = ()
    """Found by the last assessment."""
    returns: int = 0
    head_leaf: bytes = b""
    retain_until: str = ""
    submitted_at: datetime | None = None
    archived_at: datetime | None = None
    """The first time, by the ledger's clock; None before."""
    archived_by: frozenset[UUID] = frozenset()
    """Who archived it, the first time and after each reopening."""
    rearchived_version: int = 0
    """Version of the record at which it was archived again last; 0 = it was not."""
    sample: SampleFinding | None = None
    """What the last sample found that drew it; None = none did."""
    sampled_version: int = 0
    """Version of the record at that finding; 0 = there is none."""
    passed_draws: frozenset[bytes] = frozenset()
    """Seeds of the draws by which it was found good enough."""
    permanent: bool = False
    """Kept for ever: a reopening leads back to PERMANENT."""
    in_error: bool = False
    """Entered in error: kept for its term or for ever, and never again anybody's case."""
    correct_record_id: UUID | None = None
    """Of a record in error: the right one; None = there is none."""
    deficiencies: frozenset[UUID] = frozenset()
    """Entries whose defect was accepted."""
    never_written: tuple[str, ...] = ()
    """Templates of missing entries whose defect was accepted, each as often as that was."""
    disposal: Disposal | None = None
    destruction: Destruction | None = None
    """None while the record exists."""


@dataclass(frozen=True)
class RecordState:
    """One episode of one patient."""

    version: int
    phase: Phase
    patient_id: UUID
    case_number: str
    visit_type: VisitType
    visit_sequence: int
    identity: IdentityStatus
    retention_class: str
    rule_pack: str
    rule_pack_version: int
    department: str
    historical: bool = False
    registered_at: datetime | None = None  # by the ledger's clock
    source_system: str = ""
    """System whose item registered it; empty = none did."""
    identified: bool = False
    """It was the record of a provisional person, who is known by now."""
    provisional: Provisional | None = None
    """Under whom it was filed before that."""
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])  # of the stay, by whose case number
    departments: tuple[str, ...] = ()
    bed: str = ""
    responsible: Actor | None = None
    team: str = ""
    team_began: bool = False
    """Care began under a team, with nobody in charge."""
    physician_named_at: datetime | None = None
    """When, by the ledger's clock, somebody was first put in charge after a team."""
    started_at: datetime | None = None
    care_historical: bool = False
    """The start of care was taken over from an earlier system, and so nobody here gave the care."""
    disposition: Disposition | None = None
    ended_at: datetime | None = None
    latest_end: datetime | None = None
    """The latest that was ever said to be the end, also of care that was resumed."""
    ended_version: int = 0
    """Version of the record at which that was said last; 0 = it was not."""
    moves: tuple[DepartmentMove, ...] = ()
    time_corrections: tuple[TimeCorrection, ...] = ()
    foreign_results: tuple[ForeignResult, ...] = ()
    newborns: Mapping[UUID, Newborn] = field(default_factory=dict[UUID, Newborn])
    """Every one that was ever registered, in that order."""
    entries: BucketMap[Entry] = field(default_factory=BucketMap[Entry])
    consultations: Mapping[UUID, Consultation] = field(default_factory=dict[UUID, Consultation])
    archiving: Archiving = Archiving()
    overlays: Overlays = Overlays()

    @property
    def established(self) -> bool:
        """Whether somebody has said whose it is: who says otherwise corrects that."""
        return self.identity is IdentityStatus.MATCHED

    @property
    def transfers(self) -> Mapping[UUID, Transfer]:
        """Transfers to other hospitals by id."""
        return self.overlays.transfers

    @property
    def retain_until(self) -> str:
        """First day on which disposal could be appraised, ISO 8601; empty before archiving."""
        return self.archiving.retain_until


@dataclass(frozen=True)
class PatientState:
    """A person as known to the hospital."""

    version: int
    case_number: str
    identity: IdentityStatus
    details: PatientDetails
    stated: Stated = field(default_factory=dict[Item, frozenset[Name]])  # who gave which of the identifiers
    said: StatedDetails = field(default_factory=StatedDetails)  # who says what else
    taken_back: frozenset[Item] = frozenset()
    """Items of sources that are about somebody else, as a person found out."""
    linked: frozenset[UUID] = frozenset()
    merged_into: UUID | None = None
    """The patient that goes on in this one's place."""
    absorbed: frozenset[UUID] = frozenset()
    """Patients that were merged into this one."""


@dataclass(frozen=True)
class PackageState:
    """A package received from another hospital."""

    version: int
    transfer_id: UUID
    sender: str
    sender_origin: str
    sender_record_id: UUID
    kind: TransferKind
    record_version: int
    package_sha256: bytes
    package_size: int
    state: TransferState = TransferState.DELIVERED
    events: int = 0
    head_leaf: bytes = b""
    code: str = ""
    outdated: bool = False
    since_fork: bool = False


def nothing_left(version: int) -> RecordState:
    """A record whose events cannot be opened any more, up to this version: what is no tombstone in it says nothing."""
    return RecordState(
        version=version,
        phase=Phase.DESTROYED,
        patient_id=UUID(int=0),
        case_number="",
        visit_type=VisitType.INPATIENT,
        visit_sequence=0,
        identity=IdentityStatus.UNVERIFIED,
        retention_class="",
        rule_pack="",
        rule_pack_version=0,
        department="",
    )


StreamState = (
    RecordState
    | PatientState
    | PackageState
    | DisposalListState
    | RulebookState
    | PublishedMapsState
    | LogSuccessionState
)


def is_destroyed(state: StreamState) -> bool:
    """Whether it is a record of which only the tombstone remains."""
    return isinstance(state, RecordState) and state.phase is Phase.DESTROYED
