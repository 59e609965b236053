"""The facts that a decision may know beside the stream itself, gathered before it, per kind of command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from uuid import UUID

from ledger.application.asked_for import (
    BY_NEWEST_RULES,
    RULEBOOK,
    asks_roles,
    claim_of,
    patient_of,
    patients_of,
    templates_of,
)
from ledger.application.certificates import Certificates
from ledger.application.command_table import Asked
from ledger.application.disposal_facts import DisposalFacts
from ledger.application.fresh_ids import fresh_ids
from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.kinship import Kinship, family_of
from ledger.application.known_codes import KnownCodes
from ledger.application.packages import package_bytes, package_facts
from ledger.application.patient_identities import PatientIdentities
from ledger.application.patient_visits import PatientVisits
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.rules_in_force import RulesInForce
from ledger.application.stated_facts import StatedFacts, claimed_item
from ledger.application.stored_rows import rows_up_to
from ledger.application.stream_cache import Loaded
from ledger.application.traced_records import Retraces, records_named, traced_records
from ledger.domain.commands import (
    AmendEntry,
    AmendPatient,
    ArchiveRecord,
    Command,
    CommandContext,
    RecordEntry,
    RegisterPatient,
    RegisterRecord,
    RetractEntry,
)
from ledger.domain.course_commands import (
    CertifyEntry,
    CorrectTime,
    DeclareEnteredInError,
    EndorseAct,
    FileLateItem,
    IdentifyPatient,
    ResumeCare,
)
from ledger.domain.decide_identification import number_under
from ledger.domain.decide_patient import born_otherwise, details_after
from ledger.domain.decision import PATIENT, TRACE, Bearer, ClaimedItem, Facts, Visit
from ledger.domain.disposal_commands import (
    ApproveDisposalList,
    AuthoriseDisposalList,
    DrawUpDisposalList,
    RecordDisposalReport,
    SuperviseDisposalList,
)
from ledger.domain.held_items import ITEMS_MAX
from ledger.domain.hospital_rules import HospitalRules
from ledger.domain.identity_commands import MergePatients, WithdrawIdentification, WithdrawRecognition
from ledger.domain.keeping_commands import (
    AnswerPatientRequest,
    AppraiseDisposal,
    ApproveDisposal,
    DestroyRecord,
    EndRetention,
    ExtendSeal,
    RearchiveRecord,
    SealRecord,
)
from ledger.domain.map_commands import PublishMap
from ledger.domain.newborn_commands import LinkNewborn, RestoreNewborn
from ledger.domain.pack_roles import NoRoles
from ledger.domain.partial_dates import last_day
from ledger.domain.patient_identifiers import identifiers_named
from ledger.domain.state import PatientState, RecordState, is_destroyed
from ledger.domain.stated_identifiers import item_of
from ledger.domain.transfer_commands import OfferTransfer
from ledger.domain.values import Actor, EntryContent, HeldItem, TimeOf
from ledger.store.reading import EventReader, ReservationRow
from ledger.trust.leaf import leaf_hash

_NOBODY = UUID(int=0)
_OnIdentity = RegisterPatient | AmendPatient | WithdrawRecognition
_AT_THE_END = frozenset({AnswerPatientRequest, EndRetention, AppraiseDisposal, ApproveDisposal})
"""Commands that ask whether a term is over, which the pack in force now may have lengthened."""
_BY_RETENTION = frozenset({ArchiveRecord, RearchiveRecord})
"""Commands whose decision asks how long the record is kept, which the patient's other visits decide too."""


class FactGathering:
    """Reads what a decision needs; it decides nothing."""

    def __init__(
        self,
        ledger: HospitalLedger,
        reader: EventReader,
        keys: ReservationKeys,
        rules: RulesInForce,
        codes: KnownCodes,
        certificates: Certificates,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._keys = keys
        self._rules = rules
        self._codes = codes
        self._certificates = certificates
        self._visits = PatientVisits(ledger, reader, keys)
        self._disposal = DisposalFacts(ledger, reader, keys)
        self._stated = StatedFacts(ledger.hospital, reader, keys)
        self._identities = PatientIdentities(ledger, reader, keys)
        self._kinship = Kinship(ledger, reader, keys)

    async def claimed(self, asked: Asked) -> ClaimedItem | None:
        """Who holds the source item, or the package, that the command names; for the rulebook, which stream it is."""
        key = self.claim_key(asked)
        return None if key is None else claimed_item(await self._reader.reservation(self._ledger.hospital, *key))

    def claim_key(self, asked: Asked) -> tuple[str, bytes] | None:
        """Kind and key of the claim that `claimed` looks at."""
        parts = claim_of(asked)
        return None if parts is None else (parts[0], self._keys.key(*parts))

    async def claims(self, keys: Sequence[tuple[str, bytes]]) -> Mapping[tuple[str, bytes], ReservationRow]:
        """Those of the claims that somebody holds, in one read."""
        return await self._reader.reservation_many(self._ledger.hospital, keys) if keys else {}

    async def opened(self, asked: Asked, claimed: ClaimedItem | None) -> UUID | None:
        """The stream of a command that names none: its source item's, or of who bears the patient's identifiers."""
        if not isinstance(asked.command, RegisterPatient) or (claimed is not None and not claimed.is_free):
            return claimed.stream_id if claimed else None
        if asked.context.source is None:
            return None
        found = await self._identities.bearers(identifiers_named(asked.command, None))
        others = await self._not_about(asked.context, claimed, found)
        persons = (each.person_id for each in found if each is not None)
        return next((each for each in persons if each is not None and each not in others), None)

    async def _not_about(
        self, context: CommandContext, claimed: ClaimedItem | None, bearers: Sequence[Bearer | None]
    ) -> frozenset[UUID]:
        """Who bears what an item names, and from whom it was taken back; of one that is nobody's yet nobody."""
        if claimed is None or not claimed.is_free:
            return frozenset()
        return await self._identities.not_about(item_of(context.source), bearers)

    async def _bumps(self, patient_id: UUID) -> int:
        return await self._count(PATIENT, patient_id)

    async def _count(self, kind: str, stream_id: UUID) -> int:
        row = await self._reader.reservation(self._ledger.hospital, kind, self._keys.key(kind, (str(stream_id),)))
        return row.counter if row else 0

    async def facts(
        self,
        asked: Asked,
        loaded: Loaded | None,
        claimed: ClaimedItem | None,
        known_hospitals: frozenset[str],
        now: datetime,
    ) -> Facts:
        """Everything for one decision."""
        ids = fresh_ids()
        rules, state = await self._rules_for(asked.command, loaded), loaded.state if loaded else None
        pack = rules.of_keepers() if isinstance(asked.command, RULEBOOK) else rules.for_stream(state)
        facts = Facts(
            now=now,
            ids=ids,
            context=asked.context,
            pack=pack,
            templates=rules.templates_for(pack),
            roles_by=rules.roles_in_force(),
            shipped=self._rules.shipped,
            claimed=claimed,
            head_leaf=loaded.head_leaf if loaded else b"",
            certifies=self._certificates.are_checked,
        )
        facts = await self._coded(asked, await self._converging(asked, loaded, facts), rules)
        match asked.command:
            case RegisterPatient() | AmendPatient() | WithdrawRecognition():
                return await self._of_identity(facts, asked.command, loaded)
            case RegisterRecord(patient_id=UUID() as patient_id):
                bumps = await self._bumps(patient_id)
                return replace(facts, patient=await self._patient(patient_id), patient_bumps=bumps)
            case LinkNewborn() | RestoreNewborn() as command if loaded is not None:
                return await self._of_newborn(facts, command, loaded)
            case OfferTransfer(recipient=recipient):
                known = recipient in known_hospitals
                if loaded is None or not known:
                    return replace(facts, counterpart_known=known)
                rows = await rows_up_to(self._reader, self._ledger.hospital, loaded.stream_id, loaded.version)
                data = package_bytes(ids[0], self._ledger.origin, rows)
                return replace(facts, counterpart_known=known, package=package_facts(data, rows))
            case SealRecord() | ExtendSeal() if loaded is not None:
                rows = await rows_up_to(self._reader, self._ledger.hospital, loaded.stream_id, loaded.version)
                return replace(facts, leaves=tuple(leaf_hash(row.envelope) for row in rows))
            case CertifyEntry() as command if isinstance(state, RecordState):
                return replace(facts, certificate=await self._certificates.verdict(command, state, facts))
            case RetractEntry() | DeclareEnteredInError() as command if loaded is not None:
                return await self._of_traces(facts, command, loaded)
            case PublishMap():
                return replace(facts, ledger_head=await self._reader.head(self._ledger.hospital))
            case _:
                return await self._of_persons(facts, asked, loaded)

    async def _of_traces(self, facts: Facts, command: Retraces, loaded: Loaded) -> Facts:
        """With the other records in which entries are said to be; whoever of them names this one is a conflict."""
        named = records_named(command, loaded)
        if not named:
            return facts
        bumps = {each: await self._count(TRACE, each) for each in sorted({loaded.stream_id, *named})}
        return replace(facts, trace_bumps=bumps, traced=await traced_records(self._ledger, named))

    async def _of_identity(self, facts: Facts, command: _OnIdentity, loaded: Loaded | None) -> Facts:
        """What a command on who a patient is asks: who bears the identifiers, and who is alike."""
        state = loaded.state if loaded else None
        # Who is only recognised keeps what is known, and what is named says who that is.
        recognises = isinstance(command, RegisterPatient) and (facts.claimed is None or facts.claimed.is_free)
        amended = None if recognises else state
        bearers = await self._identities.bearers(identifiers_named(command, amended))
        facts = replace(facts, bearers=bearers)
        if isinstance(command, RegisterPatient):
            facts = replace(facts, not_about=await self._not_about(facts.context, facts.claimed, bearers))
        if loaded is None and isinstance(command, RegisterPatient):
            return replace(facts, alike=await self._identities.alike(command.details))
        if loaded is None or not isinstance(loaded.state, PatientState):
            return facts
        if isinstance(command, WithdrawRecognition):
            halves = await self._identities.halves(loaded.stream_id)
            facts = replace(facts, led_stays=await self._visits.registered_by(command.system, halves))
        details = details_after(command, loaded.state, facts.context.source)
        if born_otherwise(loaded.state, details):
            facts = replace(facts, persons=await self._bumped({loaded.stream_id}))
        claimed = await self._identities.likeness_claimed(details, loaded.stream_id)
        return replace(facts, likeness_claimed=claimed)

    async def _of_persons(self, facts: Facts, asked: Asked, loaded: Loaded | None) -> Facts:
        """What commands on identity, retention and disposal ask of the person and of the list."""
        match asked.command:
            case IdentifyPatient(patient_id=patient_id) if loaded is not None:
                persons = await self._bumped({patient_id} | patients_of(loaded))
                facts = replace(facts, persons=persons, patient=await self._patient(patient_id))
                facts = await self._of_led(await self._of_kin(facts, loaded, patient_id), loaded)
                return await self._of_number(facts, asked.command, loaded)
            case (EndorseAct() | WithdrawIdentification()) as command if loaded is not None:
                of_who_it_is = self._of_led if isinstance(command, EndorseAct) else self._of_provisional
                return await of_who_it_is(facts, loaded)
            case ResumeCare() | CorrectTime(of=TimeOf.CARE_END) if loaded is not None:
                return replace(facts, persons=await self._bumped(patients_of(loaded)))
            case command if asked.beside_id is not None and asked.stream_id is not None:
                return await self._of_pair(facts, command, {asked.stream_id, asked.beside_id})
            case DrawUpDisposalList() | ApproveDisposalList() | AuthoriseDisposalList() | SuperviseDisposalList():
                return replace(facts, listed=await self._disposal.named(asked.command, loaded))
            case RecordDisposalReport(list_id=list_id, outcomes=outcomes):
                facts = replace(facts, list_bumps=await self._disposal.bumps(list_id))
                at_the_end = partial(self._at_the_end, now=facts.now)
                return replace(facts, listed=await self._disposal.reported(loaded, outcomes, at_the_end))
            case ApproveDisposal(list_id=UUID() as list_id) | DestroyRecord(list_id=list_id) if loaded is not None:
                facts = await self._disposal.of_list(facts, list_id)
                return await self.of_term(facts, loaded)
            case command if type(command) in _AT_THE_END and loaded is not None:
                return await self.of_term(facts, loaded)
            case command if type(command) in _BY_RETENTION and loaded is not None:
                return await self.of_patient(facts, loaded)
            case _:
                return facts

    async def _at_the_end(self, loaded: Loaded, now: datetime) -> Facts:
        """What asks whether a record could be destroyed now; of one that is gone nothing is asked."""
        facts = await self.of_state(loaded, now)
        gone = isinstance(loaded.state, RecordState) and is_destroyed(loaded.state)
        return facts if gone else await self.of_term(facts, loaded)

    async def _of_led(self, facts: Facts, loaded: Loaded) -> Facts:
        """With the items that were taken back from whose the record is: their sources may have registered it."""
        record = loaded.state
        if not isinstance(record, RecordState) or not record.source_system:
            return facts
        return replace(facts, taken_back=await self._identities.taken_back(record.patient_id))

    async def _of_number(self, facts: Facts, command: IdentifyPatient, loaded: Loaded) -> Facts:
        """Whether the stay's number under the patient who is named was claimed for it before."""
        record, patient = loaded.state, facts.patient
        if patient is None or not isinstance(record, RecordState):
            return facts
        number = number_under(command, record, patient.case_number)
        key = self._keys.key("visit", (patient.case_number, record.visit_type, str(number)))
        row = await self._reader.reservation(self._ledger.hospital, "visit", key)
        return replace(facts, number_claimed=row is not None and row.stream_id == loaded.stream_id)

    async def _of_provisional(self, facts: Facts, loaded: Loaded) -> Facts:
        """With the provisional person under whom the record was filed, and the patient under whom it is."""
        provisional = loaded.state.provisional if isinstance(loaded.state, RecordState) else None
        if provisional is None:
            return facts
        facts = replace(facts, persons=await self._bumped({provisional.patient_id} | patients_of(loaded)))
        facts = await self._of_kin(facts, loaded, provisional.patient_id)
        return replace(facts, patient=await self._patient(provisional.patient_id))

    async def _of_newborn(self, facts: Facts, command: LinkNewborn | RestoreNewborn, loaded: Loaded) -> Facts:
        """With the patient who a newborn is, or was before it was taken back."""
        born = loaded.state.newborns.get(command.subject_id) if isinstance(loaded.state, RecordState) else None
        known = born.patient_id if born else None
        patient_id = command.patient_id if isinstance(command, LinkNewborn) else known
        if patient_id is None:
            return facts
        bumped = await self._bumped({patient_id})
        # A merge that begins or ends meanwhile is a conflict: it bumps who goes on, too.
        while others := set((await self._kinship.survivors({patient_id})).values()) - set(bumped):
            bumped |= await self._bumped(others)
        # The merges last: who is told that a patient was merged meanwhile is told whose it is by that, too.
        facts = replace(facts, persons=bumped, patient=await self._patient(patient_id))
        return await self._of_kin(facts, loaded, patient_id)

    async def _of_pair(self, facts: Facts, command: Command, pair: set[UUID]) -> Facts:
        """With what says that two patients are not one; whoever links a newborn to either meanwhile is a conflict."""
        facts = replace(facts, persons=await self._bumped(pair))
        merges = isinstance(command, MergePatients)
        return replace(facts, families=await self._kinship.families(pair)) if merges else facts

    async def _of_kin(self, facts: Facts, loaded: Loaded, patient_id: UUID) -> Facts:
        """With the merges of that patient, the record's, and those of its newborns."""
        return replace(facts, survivors=await self._kinship.survivors(family_of(loaded.state) | {patient_id}))

    async def _converging(self, asked: Asked, loaded: Loaded | None, facts: Facts) -> Facts:
        """With what is known of the items that the command names, and of what they state."""
        command, context = asked.command, asked.context
        also = command.also if isinstance(command, (RecordEntry, AmendEntry, FileLateItem)) else ()
        first = (HeldItem(context.source, context.fact_sha256),) if context.source and context.fact_sha256 else ()
        patient_id = patient_of(command, loaded)
        # Too many are refused without asking for each.
        if patient_id is None or not (first or also) or len(also) > ITEMS_MAX:
            return facts
        persons = await self._identities.merged_with(patient_id)
        known = await self._stated.known((*first, *also), persons)
        return replace(facts, fact=known[0].fact if first else None, also=known[len(first) :])

    async def _coded(self, asked: Asked, facts: Facts, rules: HospitalRules) -> Facts:
        """With the tables of the code systems that the command's entry names."""
        content = getattr(asked.command, "content", None)
        if not isinstance(content, EntryContent) or facts.context.historical:
            return facts
        tables = await self._codes.tables(content, facts.pack)
        return replace(facts, code_tables=rules.as_noted(tables)) if tables else facts

    async def of_state(self, loaded: Loaded, now: datetime) -> Facts:
        """What a look at the stream alone may ask; nobody acts."""
        nobody = CommandContext(self._ledger.hospital, _NOBODY, Actor(_NOBODY))
        # Whoever looks because another calendar was chosen looks by that one.
        rules = await self._rules.now()
        pack = rules.for_stream(loaded.state)
        facts = Facts(now, (), nobody, pack, rules.templates_for(pack), head_leaf=loaded.head_leaf)
        return replace(facts, roles_by=rules.roles_in_force(), certifies=self._certificates.are_checked)

    async def for_actions(self, facts: Facts, loaded: Loaded) -> Facts:
        """With what says which commands the record takes: its term, and the lists by which it may be destroyed."""
        facts = await self._of_led(facts, loaded)
        facts = replace(facts, open_lists=await self._disposal.open_lists(loaded))
        # A pack in force that cannot be read leaves open whether a term is over, and hides nothing else.
        if isinstance(facts.roles_by, NoRoles):
            return await self.of_patient(facts, loaded)
        return await self.of_term(facts, loaded)

    async def _rules_for(self, command: Command, loaded: Loaded | None) -> HospitalRules:
        if isinstance(command, BY_NEWEST_RULES) or asks_roles(command):
            return await self._rules.now()
        return await self._rules.knowing(loaded.state if loaded else None, templates_of(command))

    async def of_patient(self, facts: Facts, loaded: Loaded) -> Facts:
        """With every visit of the person, and how often each of its patients was bumped BEFORE they were read."""
        record = loaded.state
        if not isinstance(record, RecordState):
            return facts
        bumped = await self._bumped(patients_of(loaded))
        # Until nobody else is found: a link made after the bump of either patient was read is a conflict.
        while others := set(await self._visits.persons(record.patient_id)) - set(bumped):
            bumped |= await self._bumped(others)
        visits = await self._visits.of_record(loaded.stream_id, record)
        return replace(facts, visits=visits, persons=bumped, born_on=await self._born_on(set(bumped)))

    async def _born_on(self, persons: set[UUID]) -> date | None:
        """Of what is said of one person under several identities the day counts that keeps a minor's record longer."""
        known = [each for each in [await self._patient(each) for each in sorted(persons)] if each is not None]
        days = (last_day(each.details.birth_date) for each in known)
        return max((day for day in days if day is not None), default=None)

    async def visits_of(self, patient_id: UUID) -> tuple[Visit, ...]:
        """Every visit of the person, over linked and merged identities. Raises UnknownPatient."""
        return await self._visits.of_patient(patient_id)

    async def of_term(self, facts: Facts, loaded: Loaded) -> Facts:
        """With all that decides whether a term is over: the person's visits, and the pack in force beside its own."""
        rules = await self._rules.now()
        return await self.of_patient(replace(facts, pack_in_force=rules.for_stream(None)), loaded)

    async def _bumped(self, patients: set[UUID]) -> dict[UUID, int]:
        return {each: await self._bumps(each) for each in sorted(patients)}

    async def _patient(self, patient_id: UUID) -> PatientState | None:
        # Never from memory alone: another process may have merged it, or parted it again, and the append of a record's
        # event does not ask. Whoever does so from now on bumps a patient whose bumps were read before.
        patient = await self._ledger.load(patient_id)
        return patient.state if patient and isinstance(patient.state, PatientState) else None
