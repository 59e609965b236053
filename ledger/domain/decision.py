"""What goes into a decision and what comes out of it; `decide` itself reads no clock and makes no id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from ledger.domain.certificate_values import CertificateVerdict
from ledger.domain.code_tables import CodeTable, CodeTables
from ledger.domain.commands import CommandContext
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.events import Event
from ledger.domain.hospital_rules import ShippedRules
from ledger.domain.pack_roles import OF_CARE, NoRoles
from ledger.domain.rule_pack import RulePack
from ledger.domain.source_claim import Taken
from ledger.domain.state import PatientState, RecordState
from ledger.domain.stated_identifiers import Item
from ledger.domain.templates import TemplateSet
from ledger.domain.values import Actor, EventMeta, Phase, SourceItem, VisitType

PATIENT = "patient"
"""Kind of the counter that whatever concerns all records of a patient bumps: two of these never pass each other."""
TRACE = "trace"
"""Kind of a record's counter that whoever says where entries were recorded again bumps, of the own record and of each
that is named: of two records none is led to the other while that is led to it."""
MAP = "map"
"""Kind of the stream of record maps, and of the claim that there is one of a hospital and which it is."""
DISPOSAL = "disposal"
"""Kind of a destruction list's stream, and of the counter that each destruction by it and its report bump."""
LOG = "log"
"""Kind of the stream of a succession; each has one of its own, of one event."""
LEDGER = "ledger"
"""Kind of the rulebook's stream, and of the claim that there is one of a hospital and which it is."""
NOTHING_SHIPPED = ShippedRules({}, TemplateSet({}))


@dataclass(frozen=True)
class ClaimedItem:
    """What an earlier command took up from the same source item."""

    stream_id: UUID
    entry_id: UUID | None
    content_sha256: bytes
    taken: Taken | None = None
    """What the command took from it; None for a package."""

    @property
    def is_free(self) -> bool:
        """Whether it was led to the wrong patient, and waits to come again."""
        return self.taken is Taken.FREED


@dataclass(frozen=True)
class KnownFact:
    """Which item stated a fact of the patient first, and whether it still does."""

    stored: bytes
    """What is kept of it."""
    system: str
    """Source system of that item."""
    own: bool
    """That item is the very one that the command names."""
    holder: ClaimedItem | None
    """What was made from that item; None = it says something else by now, or is itself only linked."""


@dataclass(frozen=True)
class KnownItem:
    """What is known of one source item and of what it states."""

    claimed: ClaimedItem | None = None
    fact: KnownFact | None = None


@dataclass(frozen=True)
class Bearer:
    """What the claim of an identifier says."""

    patient_id: UUID | None
    """Who bears it; None = nobody any more."""
    stored: bytes = b""
    """What is kept of it."""
    survivor_id: UUID | None = None
    """Patient into whom the bearer was merged, for as long as that stands; None = into nobody."""

    @property
    def person_id(self) -> UUID | None:
        """Whose the identifier is: the halves of a merge are one person."""
        return self.survivor_id or self.patient_id


@dataclass(frozen=True)
class PackageFacts:
    """The package that an offer would hand over, built before the decision."""

    record_version: int
    head_leaf: bytes
    events: int
    sha256: bytes
    size: int


@dataclass(frozen=True)
class Visit:
    """One record of the patient, as far as retention asks."""

    record_id: UUID
    visit_type: VisitType
    retention_class: str
    """Class in the record's own pack; another pack may call it otherwise."""
    phase: Phase
    ended_at: datetime | None
    """From which its term counts; None while it goes on."""
    in_error: bool = False
    """Entered in error, whatever its phase is by now."""
    registered_at: datetime | None = None
    """When the ledger got to know of it: no term begins before. None where an earlier system registered it."""

    @property
    def counts(self) -> bool:
        """Whether it was a visit of this patient at all."""
        return self.phase is not Phase.VOIDED and not self.in_error


@dataclass(frozen=True)
class RecordAtHand:
    """A record of a destruction list as it stands."""

    record_id: UUID
    record: RecordState
    head_leaf: bytes
    against: frozenset[str] = frozenset()
    """For RecordDisposalReport, of one that is left out: the rules that hold against its destruction now."""


@dataclass(frozen=True)
class Facts:
    """Everything that a decision may know beside the command and the state."""

    now: datetime
    ids: tuple[UUID, ...]
    """Fresh random ids, at least four; a decision takes them in order."""
    context: CommandContext
    pack: RulePack
    templates: TemplateSet
    patient: PatientState | None = None
    """The patient of a record about to be registered."""
    patient_bumps: int = 0
    """How often that patient was bumped."""
    claimed: ClaimedItem | None = None
    """Who holds the source item that the command names; None = nobody."""
    package: PackageFacts | None = None
    """For OfferTransfer."""
    head_leaf: bytes = b""
    """Leaf hash of the stream's last event; empty for a new stream."""
    counterpart_known: bool = False
    """The other hospital of a transfer is in the registry."""

    pack_in_force: RulePack | None = None
    """The pack of new records, for what asks whether an old one's term is over; None = it is not asked."""
    roles_by: RulePack | NoRoles | None = None
    """The pack whose roles count for a command on a record: the one in force; None = the record's own says the same."""
    visits: tuple[Visit, ...] = ()
    """Every record of the patient and of those linked to or merged with the patient, this one included."""
    born_on: date | None = None
    """The latest day on which the person of these visits may have been born; None = nobody says."""
    leaves: tuple[bytes, ...] = ()
    """Leaf hashes of the record's events, the first one first; for seals."""
    other_patient: PatientState | None = None
    """The other patient of a link or merge."""
    persons: Mapping[UUID, int] = field(default_factory=dict[UUID, int])
    """Every patient stream that is, or may be, the same person, and how often each was bumped."""
    survivors: Mapping[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    """Of the patients of a record and its newborns, and of those that a command names: into whom each was merged."""
    families: tuple[frozenset[UUID], ...] = ()
    """For MergePatients, of each record that says of a newborn that it is one of the two: its patient and those of its
    newborns who stand, each as the patient who goes on. No two of them are one person."""
    disposal_list: DisposalListState | None = None
    """The destruction list that a command on a record names."""
    open_lists: frozenset[UUID] = frozenset()
    """For the list of allowed actions: approved lists, not reported yet, that name the record as it was appraised."""
    list_bumps: int = 0
    """How often that list was bumped."""
    traced: Mapping[UUID, RecordState] = field(default_factory=dict[UUID, RecordState])
    """Records in which entries are said to be recorded again, and the one that is named as the right one."""
    trace_bumps: Mapping[UUID, int] = field(default_factory=dict[UUID, int])
    """How often the record and each of these was bumped, BEFORE they were read; empty where none is named."""
    listed: Mapping[UUID, RecordAtHand] = field(default_factory=dict[UUID, RecordAtHand])
    """The records of a list that is drawn up or reported."""
    fact: KnownFact | None = None
    """Who states what the command's source item states."""
    also: tuple[KnownItem, ...] = ()
    """What is known of the command's further source items, in their order."""
    code_tables: CodeTables = field(default_factory=dict[str, CodeTable | None])
    """The tables of the code systems that the command's entry names."""
    bearers: tuple[Bearer | None, ...] = ()
    """For each of the identifiers that a command on a patient names or takes away: its claim; None = there is none."""
    shipped: ShippedRules = NOTHING_SHIPPED
    """The packs and templates of the release, for commands on the rulebook."""
    ledger_head: int = 0
    """For PublishMap: the ledger's last position."""
    not_about: frozenset[UUID] = frozenset()
    """For RegisterPatient of an item that was taken back: those from whom it was, of who bears its identifiers."""
    alike: tuple[UUID, ...] = ()
    """For RegisterPatient: patients of the same name, birth date and gender."""
    likeness_claimed: bool = False
    """The patient was found by the name, birth date and gender that a command leads to before."""
    taken_back: frozenset[Item] = frozenset()
    """For IdentifyPatient, EndorseAct and the list of allowed actions: items taken back from the record's patient."""
    led_stays: tuple[UUID, ...] = ()
    """For WithdrawRecognition: stays of the patient that the item's system registered."""
    number_claimed: bool = False
    """For IdentifyPatient: the stay's number under that patient is the record's own already."""
    certifies: bool = False
    """The hospital's anchors and register of certificates are set, so that signatures by certificate are checked."""
    certificate: CertificateVerdict | None = None
    """For CertifyEntry: what the check found; None = the command names nothing that could be checked."""

    def may(self, command_name: str, actor: Actor | None = None) -> bool:
        """Whether who acts (or another) may send that command. Offices change: who holds them today counts."""
        roles = self.roles_by or self.pack
        if isinstance(roles, NoRoles) and command_name in OF_CARE:
            roles = self.pack
        return roles.may(command_name, (actor or self.context.actor).role)

    def person(self, patient_id: UUID) -> UUID:
        """The patient who goes on in this one's place: the halves of a merge are one person."""
        return self.survivors.get(patient_id, patient_id)

    def meta(self) -> EventMeta:
        """The meta of every event of this decision."""
        context = self.context
        return EventMeta(
            actor=context.actor,
            occurred_at=context.occurred_at or self.now,
            command_id=context.command_id,
            historical=context.historical,
            source=context.source,
            correlation_id=context.correlation_id,
            purpose=context.purpose or "TREAT",
        )


@dataclass(frozen=True)
class Claim:
    """A key that only one command may ever take. `parts` become an HMAC before they are stored."""

    kind: str
    parts: tuple[str, ...]
    value: bytes = b""
    group: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Swap:
    """A key whose value must still be `expected`; it becomes `value`."""

    kind: str
    parts: tuple[str, ...]
    expected: bytes
    value: bytes


@dataclass(frozen=True)
class Bump:
    """A counter that must still stand at `expected`; it goes up by one."""

    kind: str
    parts: tuple[str, ...]
    expected: int


@dataclass(frozen=True)
class FactClaim:
    """Says which source item states a fact of a patient. `expected` is what stood there; None = nothing."""

    parts: tuple[str, ...]
    item: SourceItem
    expected: bytes | None = None
    kind: str = "fact"


Reservation = Claim | Swap | Bump | FactClaim


def bump_persons(facts: Facts) -> tuple[Bump, ...]:
    """Bumps every patient stream of the person: none of them gets another visit unseen."""
    return tuple(Bump(PATIENT, (str(each),), facts.persons[each]) for each in sorted(facts.persons))


def bump_traced(facts: Facts) -> tuple[Bump, ...]:
    """Bumps the record and those in which it says that entries were recorded again: none of them says so meanwhile."""
    return tuple(Bump(TRACE, (str(each),), facts.trace_bumps[each]) for each in sorted(facts.trace_bumps))


@dataclass(frozen=True)
class Beside:
    """Events for a second stream, appended with those of the first or not at all."""

    stream_id: UUID
    kind: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Decision:
    """What a command leads to. No events = proven that there is nothing to add; it is remembered all the same."""

    stream_id: UUID
    kind: str
    """Kind of the stream: `record`, `patient`, `package`, `disposal`, `map`, `log` or `ledger`."""
    events: tuple[Event, ...]
    reservations: tuple[Reservation, ...] = ()
    result: dict[str, UUID | bytes] = field(default_factory=dict[str, UUID | bytes])
    """Ids and digests that the answer names, by the field of the response, for example `entry_id`."""
    beside: tuple[Beside, ...] = ()
    """Events of other streams."""
