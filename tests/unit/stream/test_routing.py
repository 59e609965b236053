"""Which events go to another hospital's transfer topic."""

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import events_pb2
from ledger.publisher.routing import recipients_of, routed_types

ROUTED = [
    events_pb2.TransferOffered,
    events_pb2.TransferWithdrawn,
    events_pb2.TransferExpired,
    events_pb2.TransferOutdated,
    events_pb2.TransferSuperseded,
    events_pb2.PackageVerified,
    events_pb2.PackageAccepted,
    events_pb2.PackageRejected,
]
KEPT = [events_pb2.TransferProposed, events_pb2.TransferDelivered, events_pb2.PackageReceived]


@pytest.mark.parametrize("kind", ROUTED)
def test_offers_and_answers_go_to_the_counterpart(kind: type[Message]) -> None:
    body = kind(counterpart="south").SerializeToString()  # pyright: ignore[reportCallIssue]
    assert recipients_of(f"ledger.v1.{kind.DESCRIPTOR.name}", body) == ("south",)


@pytest.mark.parametrize("kind", KEPT)
def test_steps_that_concern_one_side_stay(kind: type[Message]) -> None:
    body = kind(counterpart="south").SerializeToString()  # pyright: ignore[reportCallIssue]
    assert recipients_of(f"ledger.v1.{kind.DESCRIPTOR.name}", body) == ()


@pytest.mark.parametrize("name", ["", "South", "no such", "s", "../x", "a" * 40])
def test_name_that_no_hospital_can_have_is_nobody(name: str) -> None:
    """A send to a topic that cannot exist would hold up everything behind it."""
    body = events_pb2.TransferOffered(counterpart=name).SerializeToString()
    assert recipients_of("ledger.v1.TransferOffered", body) == ()


def test_event_of_any_other_type_is_not_even_decoded() -> None:
    assert recipients_of("ledger.v1.EntryRecorded", b"\xff\xff") == ()


def test_body_that_cannot_be_read_goes_to_nobody() -> None:
    """The event is published all the same; what stops at it is its record."""
    assert recipients_of("ledger.v1.TransferOffered", b"\xff\xff") == ()


def test_routed_types_are_the_stored_names() -> None:
    assert set(routed_types()) == {f"ledger.v1.{kind.DESCRIPTOR.name}" for kind in ROUTED}
