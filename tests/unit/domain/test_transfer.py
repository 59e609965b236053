"""A record goes to another hospital: offer, answers, withdrawal."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain.handover import handed_over
from ledger.domain.refusal import RefusalKind
from ledger.domain.transfer_commands import ExpireTransfer, OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.transfer_events import TransferOffered
from ledger.domain.values import IdentityStatus, TransferAnswer, TransferKind, TransferState
from tests.unit.domain.given import CLOCK, DIGEST, HOSPITAL, NOW, PACKAGE, RECORD, Stream, active, registered, reopened

OFFER = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)


def offered(stream: Stream | None = None, **changes: object) -> tuple[Stream, UUID]:
    """A record with an open offer to south, and the transfer's id."""
    stream = stream or active()
    decision = stream.when(OFFER, counterpart_known=True, package=PACKAGE, **changes)
    transfer_id = decision.result["transfer_id"]
    assert isinstance(transfer_id, UUID)
    return stream, transfer_id


def answer(transfer_id: UUID, what: TransferAnswer, code: str = "") -> RecordTransferAnswer:
    return RecordTransferAnswer(RECORD, transfer_id, "south", what, code, "")


def test_an_offer_is_proposed_packaged_and_offered_at_once() -> None:
    """The offer names version, digests, sizes and its end, and no clinical data; its id is that of the package."""
    stream, transfer_id = offered()
    assert stream.last_events == ["TransferProposed", "TransferPackaged", "TransferOffered"]
    event = stream.events[-1]
    assert isinstance(event, TransferOffered)
    assert (event.sender, event.counterpart, event.supersedes) == (HOSPITAL, "south", None)
    assert (event.record_version, event.package_sha256, event.package_size) == (5, DIGEST, 1234)
    assert event.expires_at == NOW + timedelta(days=7)
    assert stream.decision is not None
    assert stream.decision.result == {"transfer_id": transfer_id, "package_sha256": DIGEST}
    assert transfer_id == UUID(int=stream.next_id)


def test_an_offer_goes_to_another_hospital_that_is_known() -> None:
    """The own hospital is INVALID, one that is not in the registry NOT_FOUND, an end in the past INVALID."""
    stream = active()
    own = stream.refused(replace(OFFER, recipient=HOSPITAL), counterpart_known=True)
    assert own == (RefusalKind.INVALID, [("recipient", "OWN_HOSPITAL")])
    assert stream.refused(OFFER) == (RefusalKind.NOT_FOUND, [("recipient", "UNKNOWN_HOSPITAL")])
    past = stream.refused(replace(OFFER, expires_at=NOW), counterpart_known=True, package=PACKAGE)
    assert past == (RefusalKind.INVALID, [("expires_at", "IN_THE_PAST")])


def test_an_answer_given_in_time_may_arrive_late() -> None:
    """Given an offer past its end, when an acceptance arrives, it is written down: it may have been on its way."""
    stream, transfer_id = offered()
    stream.when(answer(transfer_id, TransferAnswer.ACCEPTED), now=NOW + timedelta(days=8))
    assert stream.record.transfers[transfer_id].state is TransferState.COMPLETED


def test_transfer_waits_for_identity_and_care() -> None:
    """An unidentified patient's record is not transferred, nor one without care."""
    kind, faults = registered(identity=IdentityStatus.UNVERIFIED).refused(OFFER, counterpart_known=True)
    assert kind is RefusalKind.STATE
    assert faults == [("", "PHASE_NOT_ALLOWED"), ("record_id", "IDENTITY_UNVERIFIED")]


def test_a_record_in_the_window_of_a_reopening_is_offered() -> None:
    """The other hospital's emergency waits for no archive."""
    stream = reopened()
    stream.when(OFFER, counterpart_known=True, package=PACKAGE)
    assert stream.last_events == ["TransferProposed", "TransferPackaged", "TransferOffered"]


def test_a_later_version_supersedes_the_earlier_at_the_same_hospital() -> None:
    """Who got an earlier version is told which one takes its place; other hospitals' transfers stay."""
    stream, first = offered()
    elsewhere = stream.when(replace(OFFER, recipient="west"), counterpart_known=True, package=PACKAGE)
    other = elsewhere.result["transfer_id"]
    assert isinstance(other, UUID)
    stream.when(OFFER, counterpart_known=True, package=replace(PACKAGE, record_version=8))
    assert stream.last_events[-1] == "TransferSuperseded"
    assert stream.record.transfers[first].state is TransferState.SUPERSEDED
    assert stream.record.transfers[other].state is TransferState.OFFERED
    offer = next(each for each in reversed(stream.events) if isinstance(each, TransferOffered))
    assert offer.supersedes == first


def test_verified_means_delivered() -> None:
    """A verification says both; the same answer again adds nothing."""
    stream, transfer_id = offered()
    stream.when(answer(transfer_id, TransferAnswer.VERIFIED))
    assert stream.last_events == ["TransferDelivered", "TransferVerified"]
    assert stream.when(answer(transfer_id, TransferAnswer.VERIFIED)).events == ()


def test_acceptance_completes_and_fills_in_what_was_not_heard() -> None:
    """Accepted without the steps before: they are filled in, then the transfer is completed."""
    stream, transfer_id = offered()
    stream.when(answer(transfer_id, TransferAnswer.ACCEPTED))
    assert stream.last_events == ["TransferDelivered", "TransferVerified", "TransferAccepted", "TransferCompleted"]
    assert stream.record.transfers[transfer_id].state is TransferState.COMPLETED
    for late in (TransferAnswer.VERIFIED, TransferAnswer.ACCEPTED):
        assert stream.when(answer(transfer_id, late)).events == ()


def test_a_rejection_has_a_code_and_is_final() -> None:
    """A rejection without a code is refused; after one nothing is accepted."""
    stream, transfer_id = offered()
    assert stream.refused(answer(transfer_id, TransferAnswer.REJECTED))[1] == [("code", "REQUIRED")]
    stream.when(answer(transfer_id, TransferAnswer.REJECTED, "CHAIN_BROKEN"))
    assert stream.record.transfers[transfer_id].code == "CHAIN_BROKEN"
    assert stream.when(answer(transfer_id, TransferAnswer.REJECTED, "CHAIN_BROKEN")).events == ()
    refusal = stream.refused(answer(transfer_id, TransferAnswer.ACCEPTED))
    assert refusal == (RefusalKind.STATE, [("transfer_id", "TRANSFER_NOT_OPEN")])


def test_only_the_recipient_answers() -> None:
    """Another hospital's answer, and one to no transfer of this record, are refused."""
    stream, transfer_id = offered()
    other = replace(answer(transfer_id, TransferAnswer.ACCEPTED), recipient="west")
    assert stream.refused(other) == (RefusalKind.STATE, [("recipient", "NOT_THE_RECIPIENT")])
    unknown = stream.refused(answer(UUID(int=9), TransferAnswer.ACCEPTED))
    assert unknown == (RefusalKind.NOT_FOUND, [("transfer_id", "UNKNOWN_TRANSFER")])


def test_an_open_offer_is_taken_back_with_a_reason() -> None:
    """A withdrawal ends the offer; a second one, and one without a reason, are refused."""
    stream, transfer_id = offered()
    assert stream.refused(WithdrawTransfer(RECORD, transfer_id, ""))[1] == [("reason", "REQUIRED")]
    stream.when(WithdrawTransfer(RECORD, transfer_id, "went home"))
    assert stream.record.transfers[transfer_id].state is TransferState.WITHDRAWN
    again = stream.refused(WithdrawTransfer(RECORD, transfer_id, "went home"))
    assert again == (RefusalKind.STATE, [("transfer_id", "TRANSFER_NOT_OPEN")])


@pytest.mark.parametrize("what", list(TransferAnswer))
def test_an_answer_to_a_withdrawn_offer_is_refused_not_lost(what: TransferAnswer) -> None:
    """The recipient's answer crossed the withdrawal: nothing is written, and the caller is told."""
    stream, transfer_id = offered()
    stream.when(WithdrawTransfer(RECORD, transfer_id, "went home"))
    refusal = stream.refused(answer(transfer_id, what, "X"))
    assert refusal == (RefusalKind.STATE, [("transfer_id", "TRANSFER_NOT_OPEN")])


@pytest.mark.parametrize(("seconds", "over"), [(-1, False), (0, True), (1, True)])
def test_an_offer_that_nobody_answers_runs_out_at_its_end(seconds: int, *, over: bool) -> None:
    """From then on the package is not handed over, and an event says so, once."""
    stream, transfer_id = offered()
    late = {"now": NOW + timedelta(days=7, seconds=seconds)}
    command = ExpireTransfer(RECORD, transfer_id)
    assert handed_over(stream.record.transfers[transfer_id], stream.record.patient_id, late["now"]) is not over
    if not over:
        assert stream.refused(command, **late) == (RefusalKind.STATE, [("transfer_id", "NOT_EXPIRED")])
        return
    stream.when(command, actor=CLOCK, **late)
    assert (stream.last_events, stream.record.transfers[transfer_id].state) == (
        ["TransferExpired"],
        TransferState.EXPIRED,
    )
    assert stream.when(command, **late).events == ()


def test_what_the_recipient_has_does_not_run_out() -> None:
    """Nor does what is over, nor what was never offered."""
    stream, transfer_id = offered()
    stream.when(answer(transfer_id, TransferAnswer.VERIFIED))
    command, late = ExpireTransfer(RECORD, transfer_id), {"now": NOW + timedelta(days=8)}
    assert stream.refused(command, **late)[1] == [("transfer_id", "TRANSFER_NOT_OPEN")]
    unknown = replace(command, transfer_id=UUID(int=9))
    assert stream.refused(unknown, **late) == (RefusalKind.NOT_FOUND, [("transfer_id", "UNKNOWN_TRANSFER")])


@pytest.mark.parametrize(
    ("said", "events", "state"),
    [
        (
            TransferAnswer.ACCEPTED,
            ["TransferDelivered", "TransferVerified", "TransferAccepted", "TransferCompleted"],
            TransferState.COMPLETED,
        ),
        (TransferAnswer.VERIFIED, ["TransferDelivered", "TransferVerified"], TransferState.VERIFIED),
        (TransferAnswer.REJECTED, ["TransferRejected"], TransferState.REJECTED),
    ],
)
def test_an_answer_that_was_on_its_way_when_the_offer_ran_out_is_written_down(
    said: TransferAnswer, events: list[str], state: TransferState
) -> None:
    """Who has the package has it: the record says so, whatever the clock said before."""
    stream, transfer_id = offered()
    late = {"now": NOW + timedelta(days=8)}
    stream.when(ExpireTransfer(RECORD, transfer_id), **late)
    stream.when(answer(transfer_id, said, "OFFER_EXPIRED"), **late)
    assert (stream.last_events, stream.record.transfers[transfer_id].state) == (events, state)
