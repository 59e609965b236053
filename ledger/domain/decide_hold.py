"""Decisions on holds and seals. They never stop care: what they forbid stands in the declaration of the life cycle."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ledger.domain.actor_faults import actor_faults
from ledger.domain.decide_endorsement import used_up
from ledger.domain.decision import Decision, Facts
from ledger.domain.faults import Faults
from ledger.domain.guards import TEXT_MAX, begin, check_reason, expect, on_record
from ledger.domain.keeping_commands import ExtendSeal, LiftHold, PlaceHold, SealRecord, UnsealRecord
from ledger.domain.keeping_events import (
    HoldLifted,
    HoldPlaced,
    RecordSealed,
    RecordUnsealed,
    SealAttended,
    SealExtended,
)
from ledger.domain.keeping_values import EntryRef, SealedVersion, SealStep, UnsealGround
from ledger.domain.refusal import RefusalKind
from ledger.domain.sealed_versions import acts_on, acts_since, finished_versions, unlisted
from ledger.domain.state import EntryVersion, RecordState, StreamState
from ledger.domain.values import Actor, Phase

_UNFINISHED = frozenset({Phase.REGISTERED, Phase.ACTIVE, Phase.CLOSED, Phase.SUBMITTED, Phase.RETURNED, Phase.REOPENED})


def place_hold(command: PlaceHold, state: StreamState | None, facts: Facts) -> Decision:
    """Holds the versions named, or all that are finished; several holds may stand at once."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.mandate, faults, "mandate")
    check_reason(command.authority, faults, "authority")
    faults.refuse_if_any()
    versions = command.versions or tuple(
        EntryRef(entry_id, version.version) for entry_id, version in finished_versions(record)
    )
    event = HoldPlaced(facts.meta(), facts.ids[0], command.mandate, command.authority, versions)
    return on_record(command.record_id, event, hold_id=facts.ids[0])


def lift_hold(command: LiftHold, state: StreamState | None, facts: Facts) -> Decision:
    """One hold ends; others go on."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_reason(command.reason, faults)
    faults.refuse_if_any()
    return on_record(command.record_id, HoldLifted(facts.meta(), command.hold_id, command.reason))


def seal_record(command: SealRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Seals every version of the entries named (else of all that are finished), retracted ones too, with hashes."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    second = _second_person(command, faults)
    faults.text(command.party_name, "party_name", TEXT_MAX)
    faults.refuse_if_any()
    seal_id, listed = facts.ids[0], finished_versions(record, command.entry_ids)
    event = RecordSealed(
        meta=facts.meta(),
        seal_id=seal_id,
        mode=command.mode,
        party=command.party,
        party_name=command.party_name or second.name,
        versions=(*_sealed(listed, facts), *_acted(acts_on(record, dict.fromkeys(of for of, _ in listed)), facts)),
        unfinished=record.phase in _UNFINISHED,
    )
    attended = SealAttended(facts.meta(), seal_id, SealStep.PLACED, second)
    return on_record(command.record_id, event, attended, seal_id=seal_id)


def extend_seal(command: ExtendSeal, state: StreamState | None, facts: Facts) -> Decision:
    """Adds every finished version that the seal does not list yet, and what was countersigned or retracted since."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    second = _second_person(command, faults)
    seal = record.overlays.seals.get(command.seal_id)
    new = unlisted(record, seal) if seal else []
    acts = acts_since(record, seal) if seal else []
    if seal is not None and not new and not acts:
        faults.add("seal_id", "NOTHING_TO_SEAL", "nothing came since", RefusalKind.STATE)
    faults.refuse_if_any()
    event = SealExtended(facts.meta(), command.seal_id, (*_sealed(new, facts), *_acted(acts, facts)))
    return on_record(command.record_id, event, SealAttended(facts.meta(), command.seal_id, SealStep.EXTENDED, second))


def unseal_record(command: UnsealRecord, state: StreamState | None, facts: Facts) -> Decision:
    """Both sides are present; or the hospital alone: the dispute is settled, or nobody claimed for the pack's term."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    second = _second_person(command, faults)
    faults.text(command.party_name, "party_name", TEXT_MAX)
    faults.refuse_if_any()
    both = command.ground is UnsealGround.BOTH_PRESENT
    party_name = (command.party_name or second.name) if both else command.party_name
    event = RecordUnsealed(facts.meta(), command.seal_id, command.ground, party_name)
    # The seal is still there when its last step is said.
    attended = SealAttended(facts.meta(), command.seal_id, SealStep.OPENED, second)
    return on_record(command.record_id, attended, event, *used_up(command, record, facts))


def _second_person(command: SealRecord | ExtendSeal | UnsealRecord, faults: Faults) -> Actor:
    """Who stands beside the hospital's person; notes that nobody does, or that the name is missing."""
    if command.second_person is None:
        faults.add("second_person", "REQUIRED", "who stands there beside the actor")
        return Actor(UUID(int=0))
    faults.note_all(actor_faults(command.second_person, "second_person"), RefusalKind.INVALID)
    return command.second_person


def _sealed(versions: Iterable[tuple[UUID, EntryVersion]], facts: Facts) -> tuple[SealedVersion, ...]:
    return tuple(
        SealedVersion(entry_id, version.version, facts.leaves[version.record_version - 1])
        for entry_id, version in versions
    )


def _acted(acts: Iterable[tuple[EntryRef, int]], facts: Facts) -> tuple[SealedVersion, ...]:
    return tuple(SealedVersion(of.entry_id, of.version, facts.leaves[act - 1]) for of, act in acts)


DECISIONS = {
    PlaceHold: place_hold,
    LiftHold: lift_hold,
    SealRecord: seal_record,
    ExtendSeal: extend_seal,
    UnsealRecord: unseal_record,
}
