"""Decisions of a sender on the transfer of a record to another hospital."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from ledger.domain.decision import Decision, Facts, PackageFacts
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import CODE_MAX, TEXT_MAX, begin, expect, on_record
from ledger.domain.misnamed_offers import IN_ERROR, WRONG_NAME, offers_out, taken_back
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState
from ledger.domain.transfer_commands import ExpireTransfer, OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.transfer_events import (
    TransferAccepted,
    TransferCompleted,
    TransferDelivered,
    TransferExpired,
    TransferOffered,
    TransferPackaged,
    TransferProposed,
    TransferRejected,
    TransferSuperseded,
    TransferVerified,
    TransferWithdrawn,
)
from ledger.domain.transfer_state import ANSWERABLE, OPEN, UNANSWERED, Transfer, misnamed
from ledger.domain.values import EventMeta, TransferAnswer, TransferState

REPLACEABLE = OPEN | {TransferState.ACCEPTED, TransferState.COMPLETED, TransferState.EXPIRED}
"""States in which a later version for the same hospital takes a transfer's place: no late answer completes it then."""

_STEPS = (TransferState.OFFERED, TransferState.DELIVERED, TransferState.VERIFIED, TransferState.ACCEPTED)
_DONE = (TransferState.ACCEPTED, TransferState.COMPLETED)


def offer_transfer(command: OfferTransfer, state: StreamState | None, facts: Facts) -> Decision:
    """Proposes, packages and offers the record as it stands; the transfer's id is the first fresh id."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    _check_recipient(command.recipient, facts, faults)
    expires_at = command.expires_at or facts.now + timedelta(days=facts.pack.offer_days)
    if expires_at <= facts.now:
        faults.add("expires_at", "IN_THE_PAST", "an offer ends later than now")
    faults.refuse_if_any()
    assert facts.package is not None  # noqa: S101 - gathered for every known recipient
    meta, transfer_id, package = facts.meta(), facts.ids[0], facts.package
    earlier = _earlier(record, command.recipient)
    events: list[Event] = [
        TransferProposed(meta, transfer_id, command.recipient, command.kind),
        _packaged(meta, transfer_id, package),
        TransferOffered(
            meta=meta,
            transfer_id=transfer_id,
            counterpart=command.recipient,
            sender=facts.context.hospital,
            kind=command.kind,
            record_version=package.record_version,
            head_leaf=package.head_leaf,
            events=package.events,
            package_sha256=package.sha256,
            package_size=package.size,
            expires_at=expires_at,
            supersedes=earlier[-1].transfer_id if earlier else None,
        ),
    ]
    events += [TransferSuperseded(meta, each.transfer_id, each.counterpart, transfer_id) for each in earlier]
    left = [each for each in offers_out(record) if misnamed(each, record.patient_id) and each not in earlier]
    events += taken_back(left, facts, len(earlier))
    return on_record(command.record_id, *events, transfer_id=transfer_id, package_sha256=package.sha256)


def _check_recipient(recipient: str, facts: Facts, faults: Faults) -> None:
    if recipient == facts.context.hospital:
        faults.add("recipient", "OWN_HOSPITAL", "a record is not transferred to its own hospital")
    elif not facts.counterpart_known:
        faults.add("recipient", "UNKNOWN_HOSPITAL", "no such hospital in the registry", RefusalKind.NOT_FOUND)


def _packaged(meta: EventMeta, transfer_id: UUID, package: PackageFacts) -> TransferPackaged:
    return TransferPackaged(
        meta, transfer_id, package.record_version, package.head_leaf, package.events, package.sha256, package.size
    )


def _earlier(record: RecordState, recipient: str) -> list[Transfer]:
    return [each for each in record.transfers.values() if each.counterpart == recipient and each.state in REPLACEABLE]


def withdraw_transfer(command: WithdrawTransfer, state: StreamState | None, facts: Facts) -> Decision:
    """An open offer is taken back."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.require(command.reason, "reason")
    faults.text(command.reason, "reason", TEXT_MAX)
    faults.refuse_if_any()
    counterpart = record.transfers[command.transfer_id].counterpart
    event = TransferWithdrawn(facts.meta(), command.transfer_id, counterpart, command.reason)
    return on_record(command.record_id, event)


def expire_transfer(command: ExpireTransfer, state: StreamState | None, facts: Facts) -> Decision:
    """An offer that nobody has answered is over after its last moment; said again: no event."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    faults.refuse_if_any()
    transfer = record.transfers[command.transfer_id]
    if transfer.state is TransferState.EXPIRED:
        return on_record(command.record_id)
    return on_record(command.record_id, TransferExpired(facts.meta(), command.transfer_id, transfer.counterpart))


def unanswered(record: RecordState) -> list[Transfer]:
    """Offers that wait for an answer, the earliest end first."""
    found = (each for each in record.transfers.values() if each.state in UNANSWERED)
    return sorted((each for each in found if each.expires_at is not None), key=lambda each: str(each.expires_at))


def record_transfer_answer(command: RecordTransferAnswer, state: StreamState | None, facts: Facts) -> Decision:
    """The recipient's answer goes into the record; the same answer again adds nothing, a missing step is filled in."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    transfer = record.transfers.get(command.transfer_id)
    faults.text(command.code, "code", CODE_MAX)
    faults.text(command.text, "text", TEXT_MAX)
    faults.refuse_if_any()
    assert transfer is not None  # noqa: S101 - its absence is a fault above
    if command.answer is TransferAnswer.REJECTED:
        return _rejection(command, transfer, facts)
    wanted = TransferState.VERIFIED if command.answer is TransferAnswer.VERIFIED else TransferState.ACCEPTED
    if transfer.state in _DONE or (transfer.state in OPEN and _reached(transfer.state, wanted)):
        return on_record(command.record_id)
    _check_open(transfer, ANSWERABLE, faults)
    if transfer.state in ANSWERABLE and misnamed(transfer, record.patient_id):
        faults.add("transfer_id", "TRANSFER_NOT_OPEN", WRONG_NAME, RefusalKind.STATE)
    elif transfer.state in ANSWERABLE and record.archiving.in_error:
        faults.add("transfer_id", "TRANSFER_NOT_OPEN", IN_ERROR, RefusalKind.STATE)
    faults.refuse_if_any()
    return on_record(command.record_id, *_steps(transfer, wanted, facts.meta()))


def _reached(state: TransferState, wanted: TransferState) -> bool:
    return _STEPS.index(state) >= _STEPS.index(wanted)


def _steps(transfer: Transfer, wanted: TransferState, meta: EventMeta) -> list[Event]:
    made = {
        TransferState.DELIVERED: TransferDelivered,
        TransferState.VERIFIED: TransferVerified,
        TransferState.ACCEPTED: TransferAccepted,
    }
    # One that ran out was offered, and nothing more.
    stands = TransferState.OFFERED if transfer.state is TransferState.EXPIRED else transfer.state
    first, last = _STEPS.index(stands) + 1, _STEPS.index(wanted)
    place = (meta, transfer.transfer_id, transfer.counterpart)
    events: list[Event] = [made[step](*place) for step in _STEPS[first : last + 1]]
    if wanted is TransferState.ACCEPTED:
        events.append(TransferCompleted(*place))
    return events


def _rejection(command: RecordTransferAnswer, transfer: Transfer, facts: Facts) -> Decision:
    if transfer.state is TransferState.REJECTED:
        return on_record(command.record_id)
    faults = Faults()
    faults.require(command.code, "code")
    _check_open(transfer, ANSWERABLE, faults)
    faults.refuse_if_any()
    event = TransferRejected(facts.meta(), command.transfer_id, transfer.counterpart, command.code, command.text)
    return on_record(command.record_id, event)


def _check_open(transfer: Transfer, allowed: frozenset[TransferState], faults: Faults) -> None:
    if transfer.state not in allowed:
        faults.add("transfer_id", "TRANSFER_NOT_OPEN", f"the transfer is {transfer.state}", RefusalKind.STATE)


DECISIONS = {
    OfferTransfer: offer_transfer,
    WithdrawTransfer: withdraw_transfer,
    ExpireTransfer: expire_transfer,
    RecordTransferAnswer: record_transfer_answer,
}
