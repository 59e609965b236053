"""The next step with an offer is a function of the offer, the own ledger and the circumstances."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consumers.receiving_hospital.offer import read_offer
from consumers.receiving_hospital.reception import Answer, Circumstances, Fetch, Finished, Refuse, next_step
from consumers.receiving_hospital.rejection import RejectCode
from consumers.registry import KnownHospital
from consumers.transfer_message import PoisonMessage, TransferMessage
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1.transfers_pb2 import ReceivedPackage
from ledger.trust.leaf import leaf_hash
from tests.unit.consumers.histories import NORTH, NOW, RECORD, offer_message, offer_of, package_of, short_history

PACKAGE = package_of(short_history())
OFFER = offer_of(PACKAGE, PACKAGE.SerializeToString(deterministic=True), NOW + timedelta(days=1))
SENDER = KnownHospital("north", NORTH, "127.0.0.1:1")
AROUND = Circumstances("south", NOW, SENDER, 1_000_000)


def _known(state: common.TransferState.ValueType) -> ReceivedPackage:
    return ReceivedPackage(package_id="p", sender="north", sender_record_id=str(RECORD), state=state)


def test_a_new_offer_is_fetched_from_the_registered_address() -> None:
    """Never from an address in the offer itself."""
    assert next_step(OFFER, None, AROUND) == Fetch(SENDER)


@pytest.mark.parametrize(
    ("around", "code"),
    [
        (replace(AROUND, now=NOW + timedelta(days=1)), RejectCode.OFFER_EXPIRED),
        (replace(AROUND, package_size_max=10), RejectCode.PACKAGE_TOO_LARGE),
    ],
)
def test_what_is_not_even_fetched(around: Circumstances, code: RejectCode) -> None:
    """An offer that has run out, a package too large."""
    step = next_step(OFFER, None, around)
    assert isinstance(step, Refuse)
    assert step.rejection.code is code


@pytest.mark.parametrize("sender", [None, replace(SENDER, origin="ledger.example/east/1")])
def test_an_offer_from_nobody_known_is_poison(sender: KnownHospital | None) -> None:
    """There is nobody to whom a rejection could go."""
    with pytest.raises(PoisonMessage, match="SENDER_UNKNOWN"):
        next_step(OFFER, None, replace(AROUND, sender=sender))


def test_a_verified_package_waits_for_its_answer_even_when_the_offer_has_run_out_since() -> None:
    """A program that was killed between the two goes on."""
    around = replace(AROUND, now=NOW + timedelta(days=9))
    assert next_step(OFFER, _known(common.TRANSFER_STATE_VERIFIED), around) == Answer("p")


@pytest.mark.parametrize("state", [common.TRANSFER_STATE_ACCEPTED, common.TRANSFER_STATE_REJECTED])
def test_an_answered_package_is_finished(state: common.TransferState.ValueType) -> None:
    """The same offer again changes nothing."""
    assert next_step(OFFER, _known(state), AROUND) == Finished()


def test_an_offer_for_somebody_else_is_poison() -> None:
    """It must not lie on this topic."""
    with pytest.raises(PoisonMessage, match="WRONG_RECIPIENT"):
        next_step(OFFER, None, replace(AROUND, hospital="east"))


def test_another_transfer_under_a_known_id_is_poison() -> None:
    """Whoever offers under the id of a transfer of another record or sender gets nothing."""
    known = _known(common.TRANSFER_STATE_VERIFIED)
    known.sender = "east"
    with pytest.raises(PoisonMessage, match="TRANSFER_ID_TAKEN"):
        next_step(OFFER, known, AROUND)


def test_an_offer_is_read_from_its_event() -> None:
    """Record and origin come from the envelope, the rest from the body."""
    message = offer_message(short_history(), OFFER)
    assert read_offer(message) == replace(OFFER, position=message.position, leaf=leaf_hash(message.envelope))


@pytest.mark.parametrize("part", ["envelope", "body", "origin"])
def test_an_offer_that_contradicts_itself_is_poison(part: str) -> None:
    """Header, envelope and body hold together by digest and name."""
    message = offer_message(short_history(), OFFER)
    parts = {"envelope": message.envelope, "body": message.body, "origin": message.origin}
    value = parts[part]
    parts[part] = value + "x" if isinstance(value, str) else value + b"x"
    with pytest.raises(PoisonMessage):
        read_offer(TransferMessage(position=message.position, **parts))  # pyright: ignore[reportArgumentType]
