"""Decisions on entries. A signature covers one version only and never carries over to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ledger.domain.actor_faults import actor_faults
from ledger.domain.coded_values import as_in_tables, check_coded
from ledger.domain.commands import AmendEntry, RecordEntry
from ledger.domain.copied_content import check_copied, copied
from ledger.domain.decide_holder import outdated_by_change
from ledger.domain.decision import Decision, Facts, Reservation
from ledger.domain.events import EntryAmended, EntryRecorded
from ledger.domain.faults import Faults
from ledger.domain.guards import (
    begin,
    check_reason,
    check_source,
    check_time,
    expect,
    linked_here,
    note_elsewhere,
    on_record,
    source_claim,
    taken_before,
)
from ledger.domain.held_items import (
    check_fact,
    check_fact_shape,
    check_items,
    claimed_entry,
    fact_claims,
    item_claims,
)
from ledger.domain.lifecycle import LATE_RESULT, command_faults, state_faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.state import RecordState, StreamState
from ledger.domain.subjects import is_subject
from ledger.domain.templates import SHA256_BYTES
from ledger.domain.values import Actor, AmendmentKind, Attestation, EntryContent, EntryState, HeldItem

CMS = "cms"
SESSION = "session"
METHODS = frozenset({SESSION, CMS})
RESULT = "result"
ENTRIES_MAX = 20_000
"""Entries of one record."""
SOURCE_CHANGED = "the source says something else now"


def record_entry(command: RecordEntry, state: StreamState | None, facts: Facts) -> Decision:
    """A first version; or, for a source item that was taken up before with other content, a correction of it."""
    record = expect(state, RecordState, "record_id")
    if _said_before(command, facts) and facts.claimed is not None:
        return _known_entry(command.record_id, facts.claimed.entry_id)
    faults = Faults()
    correcting = facts.claimed is not None and not linked_here(facts, command.record_id)
    _check_phase(command, record, facts, faults, correcting=correcting)
    check_time(facts, faults)
    check_source(facts, faults)
    check_items(command.also, command.record_id, record, facts, faults)
    check_copied(command.copied_from, command.content, command.record_id, record, faults)
    attestation = check_content(command.content, command.attestation, record, facts, faults)
    if correcting:
        return _correct_from_source(command, record, attestation, facts, faults)
    check_stated(record, facts, faults)
    version = 1
    if command.draft_id is None:
        check_room(record, faults)
    else:
        draft = record.entries.get(command.draft_id)
        version = draft.last.version + 1 if draft is not None else 1
    faults.refuse_if_any()
    entry_id = command.draft_id or facts.ids[0]
    state_now = attested_state(command.content, attestation, facts)
    event = EntryRecorded(facts.meta(), entry_id, kept_content(command.content, facts), attestation, state_now, version)
    claim, beside = entry_claims(command.also, record, entry_id, facts)
    sources = copied(command.copied_from, entry_id, version, facts)
    return on_record(command.record_id, event, *sources, source=claim, beside=beside, entry_id=entry_id)


def _said_before(command: RecordEntry, facts: Facts) -> bool:
    """The source item was taken up with this content, or linked to an entry that says the same."""
    return taken_before(facts, Taken.ENTRY, command.record_id) or taken_before(facts, Taken.LINKED, command.record_id)


def check_stated(record: RecordState | None, facts: Facts, faults: Faults) -> None:
    """Notes that what the command's source item states was stated by another system."""
    check_fact_shape(facts.context.fact_sha256, "context.fact_sha256", faults)
    if facts.context.source is not None:
        check_fact(facts.context.source, facts.fact, record, "context.source", faults)


def entry_claims(
    also: Sequence[HeldItem], record: RecordState, entry_id: UUID, facts: Facts
) -> tuple[Reservation | None, tuple[Reservation, ...]]:
    """What an entry claims: its source item; then what that states, its further items and what these state."""
    context = facts.context
    stated = fact_claims(context.source, context.fact_sha256, facts.fact, record.patient_id)
    beside = (*stated, *item_claims(also, record.patient_id, entry_id, facts))
    return source_claim(facts, Taken.ENTRY, entry_id), beside


def check_room(record: RecordState, faults: Faults) -> None:
    """Notes a record that is full."""
    if len(record.entries) >= ENTRIES_MAX:
        faults.add("record_id", "TOO_MANY_ENTRIES", f"at most {ENTRIES_MAX} entries", RefusalKind.STATE)


def _known_entry(record_id: UUID, entry_id: UUID | None) -> Decision:
    return on_record(record_id) if entry_id is None else on_record(record_id, entry_id=entry_id)


def _check_phase(command: RecordEntry, record: RecordState, facts: Facts, faults: Faults, *, correcting: bool) -> None:
    if correcting:
        _check_correction(command, record, facts, faults)
        return
    # A late result or report is taken where nothing else is: care is never blocked by an archive rule.
    late_result = command.content.template == RESULT and record.phase in LATE_RESULT
    for fault in () if late_result else state_faults(RecordEntry, record, facts):
        faults.note(fault, RefusalKind.STATE)
    for kind, fault in command_faults(command, record, facts):
        faults.note(fault, kind)


def _check_correction(command: RecordEntry, record: RecordState, facts: Facts, faults: Faults) -> None:
    """A source changes an entry under the very demands that a person meets: hold, seal, window, named entries."""
    for fault in state_faults(AmendEntry, record, facts):
        faults.note(fault, RefusalKind.STATE)
    entry = claimed_entry(record, facts)
    if entry is None:
        return
    as_amended = AmendEntry(
        command.record_id,
        entry.entry_id,
        AmendmentKind.CORRECTION,
        SOURCE_CHANGED,
        command.content,
        command.attestation,
    )
    for kind, fault in command_faults(as_amended, record, facts):
        # The command names no entry; its source item does.
        faults.note(replace(fault, field="context.source"), kind)


def _correct_from_source(
    command: RecordEntry, record: RecordState, attestation: Attestation, facts: Facts, faults: Faults
) -> Decision:
    entry = claimed_entry(record, facts)
    if entry is None:
        note_elsewhere(faults)
    faults.refuse_if_any()
    assert entry is not None  # noqa: S101 - its absence is a fault above
    event = EntryAmended(
        meta=facts.meta(),
        entry_id=entry.entry_id,
        entry_version=entry.last.version + 1,
        kind=AmendmentKind.CORRECTION,
        reason=SOURCE_CHANGED,
        content=kept_content(command.content, facts),
        attestation=attestation,
        state=attested_state(command.content, attestation, facts),
    )
    claim, beside = entry_claims(command.also, record, entry.entry_id, facts)
    sources = copied(command.copied_from, entry.entry_id, event.entry_version, facts)
    told = outdated_by_change(record, entry.entry_id, facts)
    return on_record(command.record_id, event, *sources, *told, source=claim, beside=beside, entry_id=entry.entry_id)


def amend_entry(command: AmendEntry, state: StreamState | None, facts: Facts) -> Decision:
    """A next version, with kind and reason; every older version stays readable."""
    record = expect(state, RecordState, "record_id")
    holder = facts.claimed.entry_id if facts.claimed else command.entry_id
    if taken_before(facts, Taken.ENTRY, command.record_id) and holder == command.entry_id:
        return on_record(command.record_id, entry_id=command.entry_id)
    faults = begin(command, record, facts)
    check_source(facts, faults)
    if holder != command.entry_id or (facts.claimed is not None and facts.claimed.taken is not Taken.ENTRY):
        note_elsewhere(faults)
    check_items(command.also, command.record_id, record, facts, faults)
    check_reason(command.reason, faults)
    check_copied(command.copied_from, command.content, command.record_id, record, faults)
    attestation = check_content(command.content, command.attestation, record, facts, faults)
    faults.refuse_if_any()
    event = EntryAmended(
        meta=facts.meta(),
        entry_id=command.entry_id,
        entry_version=record.entries[command.entry_id].last.version + 1,
        kind=command.kind,
        reason=command.reason,
        content=kept_content(command.content, facts),
        attestation=attestation,
        state=attested_state(command.content, attestation, facts),
    )
    claim, beside = entry_claims(command.also, record, command.entry_id, facts)
    sources = copied(command.copied_from, command.entry_id, event.entry_version, facts)
    told = outdated_by_change(record, command.entry_id, facts)
    return on_record(command.record_id, event, *sources, *told, source=claim, beside=beside)


def check_content(
    content: EntryContent, attestation: Attestation | None, record: RecordState, facts: Facts, faults: Faults
) -> Attestation:
    """Notes every fault of an entry's content and attestation; the attestation as it will be kept."""
    # What an earlier system wrote in which visit is not ours to say.
    facts.templates.check(content, faults, visit=None if facts.context.historical else record.visit_type)
    if not is_subject(record, content.subject_id):
        text = "no newborn of this record has this id, or nobody was born by it"
        faults.add("content.subject_id", "UNKNOWN_SUBJECT", text, RefusalKind.NOT_FOUND)
    if not facts.context.historical:
        check_coded(content, facts.code_tables, faults)
    return check_attestation(attestation, facts, faults)


def kept_content(content: EntryContent, facts: Facts) -> EntryContent:
    """The content as it is kept: each code that is written here with the version of its table and its title."""
    return content if facts.context.historical else as_in_tables(content, facts.code_tables)


def check_attestation(attestation: Attestation | None, facts: Facts, faults: Faults) -> Attestation:
    """Notes every fault of an attestation; the attestation as it will be kept."""
    if attestation is None or not attestation.method:
        # What an earlier system never had signed is taken over as it is, and never shown as signed.
        if not facts.context.historical:
            faults.add("attestation", "REQUIRED", "an entry is signed when it is recorded")
        return Attestation()
    if attestation.method not in METHODS:
        faults.add("attestation.method", "UNKNOWN_VALUE", "session or cms")
    _check_certificate(attestation, facts, faults)
    check_signer(attestation.signer, facts, faults)
    _check_own_session(attestation, facts, faults)
    if len(attestation.view_sha256) not in (0, SHA256_BYTES):
        faults.add("attestation.view_sha256", "MALFORMED_DIGEST", "32 bytes, or none")
    if attestation.signed_at is None:
        # A session confirms now. When something of an earlier system was signed, only that system can say.
        return attestation if facts.context.historical else replace(attestation, signed_at=facts.now)
    if attestation.signed_at - facts.now > facts.pack.ahead_max:
        faults.add("attestation.signed_at", "TIME_IN_FUTURE", "nobody can have signed yet")
    return attestation


def _check_certificate(attestation: Attestation, facts: Facts, faults: Faults) -> None:
    """Notes a signature by certificate: no bytes of one come with a command, so the word proves nothing."""
    if attestation.method == CMS and not facts.context.historical:
        text = "what is written here is signed by login; CertifyEntry adds a certificate to that"
        faults.add("attestation.method", "CMS_NOT_CHECKED", text)


def _check_own_session(attestation: Attestation, facts: Facts, faults: Faults) -> None:
    """Notes a login that would confirm for somebody else: a session proves who acts, and nobody beside."""
    signer = attestation.signer
    # What an earlier system says was signed then was not signed by the program that brings it.
    if signer is None or facts.context.historical:
        return
    actor = facts.context.actor
    if (signer.id, signer.role) != (actor.id, actor.role):
        faults.add("attestation.signer", "SIGNER_NOT_ACTOR", "by login one signs for oneself alone")


def check_signer(signer: Actor | None, facts: Facts, faults: Faults) -> None:
    """Notes a signer who is not named, since a body holds who signed as signed; an earlier system may not have said."""
    if signer is None:
        faults.add("attestation.signer", "REQUIRED", "who signs")
    elif not facts.context.historical:
        faults.note_all(actor_faults(signer, "attestation.signer"), RefusalKind.INVALID)


def attested_state(content: EntryContent, attestation: Attestation, facts: Facts) -> EntryState:
    """What an attestation makes of a version: one by somebody whom the pack does not qualify waits for a superior."""
    signer = attestation.signer
    if not attestation.method or signer is None:
        return EntryState.AUTHORED
    final = facts.pack.signs_finally(content.template, signer.role)
    return EntryState.SIGNED if final else EntryState.AUTHORED


DECISIONS = {RecordEntry: record_entry, AmendEntry: amend_entry}
