"""Guards on what a command names: entries, people, windows, overlays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from ledger.domain.decision import Facts
from ledger.domain.disposal_list import SUPERVISORS
from ledger.domain.disposal_values import DisposalListPhase
from ledger.domain.keeping_state import Hold, Seal
from ledger.domain.keeping_values import DisposalOpinion, SealMode, UnsealGround
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.role_kinds import NOT_PERSONS, TRAINEE
from ledger.domain.state import Entry, RecordState
from ledger.domain.values import Actor, EntryState, Phase

Find = Callable[[Any, RecordState, Facts], Iterable[Violation]]


@dataclass(frozen=True)
class CommandGuard:
    """What a command on this record demands of its own content."""

    rule: str
    demand: str
    faults: Find
    kind: RefusalKind = RefusalKind.STATE
    asks_roles: bool = False
    """It asks whom the hospital leaves the command to, which the pack in force says."""
    of_actor: bool = False
    """It asks who acts, and nothing of what the command names."""


def _check(
    rule: str,
    demand: str,
    field: str,
    holds: Callable[[Any, RecordState, Facts], bool],
    kind: RefusalKind = RefusalKind.STATE,
    *,
    asks_roles: bool = False,
    of_actor: bool = False,
) -> CommandGuard:
    def faults(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
        return () if holds(command, record, facts) else (Violation(field, rule, demand),)

    return CommandGuard(rule, demand, faults, kind, asks_roles, of_actor)


def _known(field: str, rule: str, demand: str, among: Callable[[RecordState], Any]) -> CommandGuard:
    def holds(command: Any, record: RecordState, _: Facts) -> bool:
        named: UUID | None = getattr(command, field)
        return named is None or named in among(record)

    return _check(rule, demand, field, holds, RefusalKind.NOT_FOUND)


def _each(
    field: str, rule: str, demand: str, holds: Callable[[RecordState, UUID], bool], kind: RefusalKind
) -> CommandGuard:
    def faults(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
        for index, entry_id in enumerate(getattr(command, field)):
            if not holds(record, entry_id):
                yield Violation(f"{field}[{index}]", rule, demand)

    return CommandGuard(rule, demand, faults, kind)


def entry_of(command: Any, record: RecordState) -> Entry | None:
    """The entry that a command names."""
    entry_id: UUID | None = command.entry_id
    return None if entry_id is None else record.entries.get(entry_id)


def _not_retracted(command: Any, record: RecordState, _: Facts) -> bool:
    entry = entry_of(command, record)
    return entry is None or not entry.retracted


def _corrected_stands(command: Any, record: RecordState, _: Facts) -> bool:
    entry = record.entries.get(command.corrects_entry_id) if command.corrects_entry_id else None
    return entry is None or not entry.retracted


def _not_a_draft(command: Any, record: RecordState, _: Facts) -> bool:
    entry = entry_of(command, record)
    return entry is None or entry.state is not EntryState.DRAFT


def _template_kept(command: Any, record: RecordState, facts: Facts) -> bool:
    # An import files a document by what it fits: what a source says anew may fit elsewhere.
    entry = entry_of(command, record)
    return entry is None or facts.context.historical or entry.last.content.template == command.content.template


def _still_a_draft(command: Any, record: RecordState, _: Facts) -> bool:
    entry = entry_of(command, record)
    return entry is None or entry.state is EntryState.DRAFT


def _unanswered(command: Any, record: RecordState, _: Facts) -> bool:
    asked = record.consultations.get(command.consultation_id)
    return asked is None or not asked.answered


def listed_by(overlay: Hold | Seal, entry_id: UUID | None) -> bool:
    """Whether a hold or seal lists some version of the entry."""
    return any(each.entry_id == entry_id for each in overlay.versions)


def _not_held(field: str) -> CommandGuard:
    def holds(command: Any, record: RecordState, _: Facts) -> bool:
        return not any(listed_by(hold, getattr(command, field)) for hold in record.overlays.holds.values())

    return _check("ENTRY_HELD", "a hold forbids to change the entry", field, holds)


def _original_open(field: str) -> CommandGuard:
    def holds(command: Any, record: RecordState, _: Facts) -> bool:
        seals = (seal for seal in record.overlays.seals.values() if seal.mode is SealMode.ORIGINAL)
        return not any(listed_by(seal, getattr(command, field)) for seal in seals)

    return _check("ENTRY_SEALED", "the original of the entry is sealed", field, holds)


def _named_for_change(command: Any, record: RecordState, _: Facts) -> bool:
    reopening = record.overlays.reopening
    return record.phase is not Phase.REOPENED or (reopening is not None and command.entry_id in reopening.entry_ids)


def _named_for_adding(command: Any, record: RecordState, _: Facts) -> bool:
    reopening = record.overlays.reopening
    return record.phase is not Phase.REOPENED or (
        reopening is not None and command.content.template in reopening.templates
    )


def _last_version(command: Any, record: RecordState, _: Facts) -> bool:
    entry = entry_of(command, record)
    return entry is None or command.entry_version == entry.last.version


def _version_unchanged(command: Any, record: RecordState, facts: Facts) -> bool:
    # 0 = the author did not say which version was read.
    return not command.entry_version or _last_version(command, record, facts)


def _waits_for_superior(command: Any, record: RecordState, _: Facts) -> bool:
    entry = entry_of(command, record)
    return entry is None or entry.state is EntryState.AUTHORED


def _other_than_author(command: Any, record: RecordState, _: Facts) -> bool:
    entry, attestation = entry_of(command, record), command.attestation
    author = entry.last.attestation.signer if entry else None
    return author is None or attestation is None or attestation.signer is None or attestation.signer.id != author.id


def _superior_qualified(command: Any, record: RecordState, facts: Facts) -> bool:
    entry, attestation = entry_of(command, record), command.attestation
    if entry is None or attestation is None or attestation.signer is None:
        return True
    return facts.pack.signs_finally(entry.last.content.template, attestation.signer.role)


def _superior_is_person(command: Any, _: RecordState, __: Facts) -> bool:
    attestation = command.attestation
    return attestation is None or attestation.signer is None or is_person(attestation.signer)


def role_allowed(command_name: str) -> CommandGuard:
    """The demand that the pack lets the actor's role send the command."""

    def holds(_: Any, __: RecordState, facts: Facts) -> bool:
        return facts.may(command_name)

    return _check(
        "ROLE_NOT_ALLOWED",
        "a role that the pack in force names",
        "context.actor.role",
        holds,
        asks_roles=True,
        of_actor=True,
    )


def is_person(actor: Actor | None) -> bool:
    """Whether this is somebody, not a system."""
    return actor is not None and actor.role not in NOT_PERSONS


def _acts_as_person(_: Any, __: RecordState, facts: Facts) -> bool:
    return is_person(facts.context.actor)


def _acts_as_person_here(_: Any, __: RecordState, facts: Facts) -> bool:
    # An earlier system has nobody here who could say again what it holds.
    return facts.context.historical or is_person(facts.context.actor)


def _second_of_reopening(_: Any, record: RecordState, facts: Facts) -> bool:
    reopening = record.overlays.reopening
    return reopening is None or reopening.requested_by != facts.context.actor.id


def _second_of_disposal(_: Any, record: RecordState, facts: Facts) -> bool:
    disposal = record.archiving.disposal
    return disposal is None or disposal.proposed_by != facts.context.actor.id


def _confirmed_by_another(command: Any, _: RecordState, facts: Facts) -> bool:
    return is_person(command.confirmed_by) and command.confirmed_by.id != facts.context.actor.id


def _correction_confirmed(command: Any, record: RecordState, facts: Facts) -> bool:
    return not record.established or _confirmed_by_another(command, record, facts)


def second_allowed(command_name: str, of: Callable[[RecordState], bool] = lambda _: True) -> CommandGuard:
    """The demand that the pack would let the second person send the command, too; a trainee never is that person."""

    def holds(command: Any, record: RecordState, facts: Facts) -> bool:
        second: Actor | None = command.confirmed_by
        if second is None or not of(record):
            return True
        return second.role != TRAINEE and facts.may(command_name, second)

    demand = "the second person is no trainee, and has a role that the pack in force names, too"
    return _check("ROLE_NOT_ALLOWED", demand, "confirmed_by.role", holds, asks_roles=True)


def _list_open(command: Any, _: RecordState, facts: Facts) -> bool:
    listed = facts.disposal_list
    return command.list_id is None or (
        listed is not None and listed.phase is DisposalListPhase.APPROVED and listed.names(command.record_id)
    )


def _listed_as_appraised(command: Any, record: RecordState, facts: Facts) -> bool:
    # Who approved the list approved what was said of the record then, not what somebody has said since.
    disposal, records = record.archiving.disposal, facts.disposal_list.records if facts.disposal_list else ()
    listed = next((each for each in records if each.record_id == command.record_id), None)
    return (
        command.list_id is None or disposal is None or listed is None or listed.record_version > disposal.record_version
    )


def _approves_list(command: Any, _: RecordState, facts: Facts) -> bool:
    # The list is approved by those who signed it; who executes it enters that, in the own name, into each record.
    passed_by = facts.disposal_list.approved_by if facts.disposal_list else None
    if command.list_id is None or passed_by is None or passed_by.id == facts.context.actor.id:
        return True
    return facts.may("destroy_record")


def _may_approve(command: Any, _: RecordState, facts: Facts) -> bool:
    return facts.may("approve_disposal") or (command.list_id is not None and facts.may("destroy_record"))


def _approver_of_list(command: Any, _: RecordState, facts: Facts) -> bool:
    approver = facts.disposal_list.approver if facts.disposal_list else None
    return command.approved_by is None or approver is None or approver.id == command.approved_by.id


def _not_approved_for(command: Any, record: RecordState, _: Facts) -> bool:
    # A record that one list left out may stand on a later one.
    disposal = record.archiving.disposal
    return disposal is None or disposal.approved_by is None or disposal.list_id != command.list_id


def _supervisors_signed(_: Any, __: RecordState, facts: Facts) -> bool:
    return facts.disposal_list is None or len(facts.disposal_list.supervisors) == SUPERVISORS


def _supervisors_of_list(command: Any, _: RecordState, facts: Facts) -> bool:
    signed = {each.id for each in facts.disposal_list.supervisors} if facts.disposal_list else set[Any]()
    return not command.supervisors or {each.id for each in command.supervisors} == signed


def _executors_differ(_: Any, record: RecordState, facts: Facts) -> bool:
    # Who proposed the record may be another than who proposed the list, and none of them watches.
    listed, disposal = facts.disposal_list, record.archiving.disposal
    if listed is None or disposal is None:
        return True
    watching = {each.id for each in listed.supervisors}
    passed = {each.id for each in (listed.approved_by, listed.approver) if each is not None}
    executes, proposed = facts.context.actor.id, {disposal.proposed_by, listed.proposed_by.id}
    return (
        not watching & {executes, disposal.approved_by, *proposed}
        and disposal.proposed_by not in passed
        and executes not in passed
    )


def _window_within_pack(command: Any, _: RecordState, facts: Facts) -> bool:
    longest = facts.now + timedelta(hours=facts.pack.keeping.reopen_hours)
    return command.expires_at is None or facts.now < command.expires_at <= longest


def _may_unseal_alone(command: Any, record: RecordState, facts: Facts) -> bool:
    seal = record.overlays.seals.get(command.seal_id)
    if seal is None or command.ground is not UnsealGround.NO_CLAIM:
        return True
    calendar = facts.pack.deadlines.calendar
    over_on = calendar.years_after(seal.sealed_at, facts.pack.keeping.seal_no_claim_years)
    return calendar.day_of(facts.now) >= over_on


def _later_than_before(command: Any, record: RecordState, _: Facts) -> bool:
    return not command.retain_until or command.retain_until > record.retain_until


def _extension_is_later(command: Any, record: RecordState, facts: Facts) -> bool:
    return command.opinion is not DisposalOpinion.EXTEND or _later_than_before(command, record, facts)


def _approved_list(command: Any, record: RecordState, _: Facts) -> bool:
    disposal = record.archiving.disposal
    return disposal is None or disposal.list_id == command.list_id


def _answerable(command: Any, record: RecordState, _: Facts) -> bool:
    request = record.overlays.requests.get(command.request_id)
    return request is None or request.granted is None


def _arrival_open(command: Any, record: RecordState, _: Facts) -> bool:
    asked = record.consultations.get(command.consultation_id)
    return asked is None or asked.arrived_at is None


def iso_date(text: str) -> date | None:
    """The date in this text, in its long form alone, since dates are compared as text; None where it is none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None


ENTRY_KNOWN = _known("entry_id", "UNKNOWN_ENTRY", "no such entry in this record", lambda record: record.entries)
CORRECTED_KNOWN = _known(
    "corrects_entry_id", "UNKNOWN_ENTRY", "no such entry in this record", lambda record: record.entries
)
CORRECTED_STANDS = _check(
    "ENTRY_RETRACTED", "what was retracted is not corrected", "corrects_entry_id", _corrected_stands
)
ENTRY_NOT_RETRACTED = _check("ENTRY_RETRACTED", "a retracted entry is not changed", "entry_id", _not_retracted)
TEMPLATE_KEPT = _check(
    "TEMPLATE_CHANGED",
    "another template is another entry: this one is retracted and that recorded; a source may say what it was",
    "content.template",
    _template_kept,
)
NOT_A_DRAFT = _check("DRAFT", "a draft is signed before it is amended", "entry_id", _not_a_draft)
STILL_A_DRAFT = _check("NOT_A_DRAFT", "the entry is signed or retracted", "entry_id", _still_a_draft)
CONSULTATION_OPEN = _check("ALREADY_ANSWERED", "it was answered before", "consultation_id", _unanswered)
ENTRY_NOT_HELD, DRAFT_NOT_HELD = _not_held("entry_id"), _not_held("draft_id")
ENTRY_NOT_SEALED, DRAFT_NOT_SEALED = _original_open("entry_id"), _original_open("draft_id")
NAMED_FOR_CHANGE = _check("NOT_NAMED", "the reopening does not name the entry", "entry_id", _named_for_change)
NAMED_FOR_ADDING = _check(
    "NOT_NAMED", "the reopening does not name the template", "content.template", _named_for_adding
)
LAST_VERSION = _check("VERSION_CHANGED", "a signature covers the last version only", "entry_version", _last_version)
VERSION_UNCHANGED = _check(
    "VERSION_CHANGED", "the entry has another version by now", "entry_version", _version_unchanged
)
WAITS_FOR_SUPERIOR = _check("NOT_AUTHORED", "only a trainee's entry is countersigned", "entry_id", _waits_for_superior)
OTHER_THAN_AUTHOR = _check(
    "SAME_PERSON", "nobody countersigns what is one's own", "attestation.signer", _other_than_author
)
SUPERIOR_QUALIFIED = _check(
    "NOT_QUALIFIED", "the pack does not qualify this role", "attestation.signer.role", _superior_qualified
)
SUPERIOR_IS_PERSON = _check(
    "NOT_A_PERSON", "a person countersigns, not a system", "attestation.signer", _superior_is_person
)
ACTS_AS_PERSON = _check(
    "NOT_A_PERSON", "a person acts here, not a system", "context.actor", _acts_as_person, of_actor=True
)
ACTS_AS_PERSON_HERE = _check(
    "NOT_A_PERSON",
    "of what an earlier system does not bring: a person acts here, not a system",
    "context.actor",
    _acts_as_person_here,
    of_actor=True,
)
SECOND_OF_REOPENING = _check(
    "SAME_PERSON", "another person approves", "context.actor", _second_of_reopening, of_actor=True
)
SECOND_OF_DISPOSAL = _check(
    "SAME_PERSON", "another person than the proposer", "context.actor", _second_of_disposal, of_actor=True
)
CONFIRMED_BY_ANOTHER = _check("SAME_PERSON", "a second person confirms it", "confirmed_by", _confirmed_by_another)
CORRECTION_CONFIRMED = _check(
    "SAME_PERSON", "a second person confirms that an identification was wrong", "confirmed_by", _correction_confirmed
)
EXECUTORS_DIFFER = _check(
    "SAME_PERSON",
    "the proposer neither passed nor approved it, the supervisors had no part in it, and neither group executes it",
    "supervisors",
    _executors_differ,
)
SUPERVISORS_SIGNED = _check(
    "NOT_SUPERVISED", "both supervisors have signed for the execution of the list", "list_id", _supervisors_signed
)
SUPERVISORS_OF_LIST = _check(
    "OTHER_SUPERVISORS", "nobody, or those who signed for the execution", "supervisors", _supervisors_of_list
)
WINDOW_WITHIN_PACK = _check("OUT_OF_RANGE", "the window ends in the pack's term", "expires_at", _window_within_pack)
MAY_UNSEAL_ALONE = _check("TERM_NOT_OVER", "the pack's term without a claim is not over", "ground", _may_unseal_alone)
DATE_MOVES_ON = _check("DATE_MOVES_BACK", "the retention date only moves on", "retain_until", _later_than_before)
EXTENSION_IS_LATER = _check("DATE_MOVES_BACK", "the retention date only moves on", "retain_until", _extension_is_later)
LIST_OPEN = _check(
    "LIST_NOT_OPEN", "an approved and unreported destruction list names the record", "list_id", _list_open
)
APPROVES_LIST = _check(
    "NOT_APPROVER_OF_LIST", "who passed the list, or a role that executes it", "context.actor", _approves_list
)
APPROVES_BY_ROLE = _check(
    "ROLE_NOT_ALLOWED",
    "a role that the pack in force names; by a list also one that executes it",
    "context.actor.role",
    _may_approve,
    asks_roles=True,
)
LISTED_AS_APPRAISED = _check(
    "APPRAISED_SINCE_LIST", "the list was drawn up after the appraisal", "record_id", _listed_as_appraised
)
APPROVER_OF_LIST = _check("OTHER_APPROVER", "the approver whom the list names", "approved_by", _approver_of_list)
NOT_APPROVED_FOR = _check("ALREADY_APPROVED", "it is not approved for this list yet", "list_id", _not_approved_for)
LIST_APPROVED = _check("OTHER_LIST", "another destruction list was approved", "list_id", _approved_list)
NOT_ANSWERED = _check("ALREADY_ANSWERED", "it was answered before", "request_id", _answerable)
NOT_ARRIVED = _check("ALREADY_ARRIVED", "the consultant has arrived", "consultation_id", _arrival_open)
REOPENING_KNOWN = _check(
    "UNKNOWN_REOPENING",
    "no such request",
    "reopen_id",
    lambda command, record, _: (
        record.overlays.reopening is None or record.overlays.reopening.reopen_id == command.reopen_id
    ),
    RefusalKind.NOT_FOUND,
)
HOLD_KNOWN = _known("hold_id", "UNKNOWN_HOLD", "no such hold", lambda record: record.overlays.holds)
SEAL_KNOWN = _known("seal_id", "UNKNOWN_SEAL", "no such seal", lambda record: record.overlays.seals)
LOAN_KNOWN = _known("loan_id", "UNKNOWN_LOAN", "no such loan", lambda record: record.overlays.loans)
PAPER_KNOWN = _known("scan_id", "UNKNOWN_SCAN", "no such scan", lambda record: record.overlays.papers)
REQUEST_KNOWN = _known("request_id", "UNKNOWN_REQUEST", "no such request", lambda record: record.overlays.requests)
CONSULTATION_KNOWN = _known(
    "consultation_id", "UNKNOWN_CONSULTATION", "no such consultation", lambda record: record.consultations
)
ENTRIES_KNOWN = _each(
    "entry_ids",
    "UNKNOWN_ENTRY",
    "no such entry in this record",
    lambda record, each: each in record.entries,
    RefusalKind.NOT_FOUND,
)
SCOPE_NOT_RETRACTED = _each(
    "entry_ids",
    "ENTRY_RETRACTED",
    "a retracted entry is not shown in a copy",
    lambda record, each: each not in record.entries or not record.entries[each].retracted,
    RefusalKind.STATE,
)
SCOPE_FINISHED = _each(
    "entry_ids",
    "NOT_SIGNED",
    "a copy shows what is signed, or whose missing signature was accepted",
    lambda record, each: each not in record.entries or is_finished(record, record.entries[each]),
    RefusalKind.STATE,
)


def is_finished(record: RecordState, entry: Entry) -> bool:
    """Whether a copy may show the entry: its last version is signed, or was taken over from an earlier system, or its
    missing signature was accepted as a deficiency, which the copy says.
    """
    # What nobody has finished is shown to nobody outside, whoever drafted it.
    if entry.state is EntryState.DRAFT:
        return False
    signed = entry.state in {EntryState.SIGNED, EntryState.COUNTERSIGNED}
    accepted = entry.entry_id in record.archiving.deficiencies
    return entry.retracted or entry.last.historical or signed or accepted
