"""Domain classes and messages match, field by field, in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.api.v1 import (
    common_pb2,
    course_pb2,
    disposal_pb2,
    events_pb2,
    identity_pb2,
    keeping_pb2,
    proofs_pb2,
    records_pb2,
    rulebook_pb2,
    transfers_pb2,
)
from ledger.application.body_codec import UndecodableBody, UnknownType, decode_body, encode_body
from ledger.application.command_table import STREAM_FIELD
from ledger.application.message_codec import from_timestamp, read_thoroughly, to_domain, to_message, to_timestamp
from ledger.application.message_fields import PlanMismatch
from ledger.application.quick_reader import Doubt, quick_reader
from ledger.domain.commands import CommandContext
from ledger.domain.events import EVENT_TYPES, stored_name
from ledger.domain.refusal import Refused
from ledger.domain.values import Actor, Attestation
from ledger.views.bodies import BODIES
from tests.unit.application.strategies import values_of

_FILES = (
    events_pb2,
    records_pb2,
    transfers_pb2,
    course_pb2,
    keeping_pb2,
    disposal_pb2,
    identity_pb2,
    proofs_pb2,
    rulebook_pb2,
)
"""Imported so that their messages are in the pool."""
QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
UUID_TEXT = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize("cls", sorted(EVENT_TYPES, key=str))
@given(data=st.data())
@QUICK
def test_every_event_comes_back_from_its_body(cls: type[Any], data: st.DataObject) -> None:
    """Body bytes hold all of an event, for every class; the quick reader doubts none."""
    event = data.draw(values_of(cls))
    assert decode_body(stored_name(cls), encode_body(event)) == event
    assert quickly(to_message(event, BODIES[stored_name(cls)]), cls) == event


@pytest.mark.parametrize("cls", sorted(STREAM_FIELD, key=str))
@given(data=st.data())
@QUICK
def test_every_command_comes_back_from_its_request(cls: type[Any], data: st.DataObject) -> None:
    """A request holds all of a command, for every class; the quick reader doubts none."""
    command = data.draw(values_of(cls))
    assert to_domain(to_message(command, request_of(cls)), cls) == command
    assert quickly(to_message(command, request_of(cls)), cls) == command


@pytest.mark.parametrize("cls", sorted((*EVENT_TYPES, *STREAM_FIELD), key=str))
@given(data=st.data())
@settings(QUICK, max_examples=10)
def test_both_readers_take_the_same_for_right(cls: type[Any], data: st.DataObject) -> None:
    """Of damaged bytes that are still a message both make the same value, or the thorough one names faults and the
    quick one doubts."""
    message = to_message(data.draw(values_of(cls)), BODIES[stored_name(cls)] if cls in EVENT_TYPES else request_of(cls))
    damaged = bytearray(message.SerializeToString())
    if not damaged:
        return
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] = data.draw(st.sampled_from([0, 1, 2, 10, 31, 65, 90, 127, 255, damaged[at] ^ 1]))
    try:
        message.ParseFromString(bytes(damaged))
    except DecodeError:
        return
    assert quickly(message, cls) == thoroughly(message, cls)


def quickly(message: Message, cls: type[Any]) -> Any:
    """The value, or None where the reader doubts."""
    try:
        return quick_reader(message.DESCRIPTOR, cls)(message)
    except Doubt:
        return None


def thoroughly(message: Message, cls: type[Any]) -> Any:
    """The value, or None where the reader names faults."""
    try:
        return read_thoroughly(message, cls)
    except Refused:
        return None


@given(values_of(CommandContext))
@QUICK
def test_a_context_comes_back(context: CommandContext) -> None:
    """Presence counts: expected version 0 is not the absence of one."""
    assert to_domain(to_message(context, common_pb2.CommandContext), CommandContext) == context


def test_every_event_and_every_message_of_events_have_each_other() -> None:
    """No event without a message of the same name, and none whose fields are left unread."""
    for cls in EVENT_TYPES:
        message = BODIES[stored_name(cls)]
        assert {each.name for each in message.DESCRIPTOR.fields} == set(cls.__dataclass_fields__)


def test_all_faults_of_shape_are_told_at_once_with_their_paths() -> None:
    """A malformed id, a missing value and an unknown number, each where it stands."""
    request = records_pb2.RequestConsultationRequest(record_id="not-a-uuid", urgency=99)  # pyright: ignore[reportArgumentType]
    command = next(cls for cls in STREAM_FIELD if cls.__name__ == "RequestConsultation")
    with pytest.raises(Refused) as refused:
        to_domain(request, command)
    assert {(each.field, each.rule) for each in refused.value.violations} == {
        ("record_id", "MALFORMED_UUID"),
        ("urgency", "UNKNOWN_VALUE"),
    }


@pytest.mark.parametrize("text", ["", UUID_TEXT.upper().replace("1", "A"), f"{{{UUID_TEXT}}}", f"urn:uuid:{UUID_TEXT}"])
def test_one_spelling_for_one_id(text: str) -> None:
    """Only canonical text: a retry may not differ by the spelling of an id."""
    with pytest.raises(Refused):
        to_domain(common_pb2.Actor(id=text), Actor)


@pytest.mark.parametrize("stamp", [Timestamp(seconds=300_000_000_000), Timestamp(nanos=-1), Timestamp(nanos=10**9)])
def test_a_time_out_of_range_is_a_fault_of_its_field(stamp: Timestamp) -> None:
    """Not an exception of the calendar."""
    with pytest.raises(Refused) as refused:
        to_domain(common_pb2.Attestation(method="session", signed_at=stamp), Attestation)
    assert [(each.field, each.rule) for each in refused.value.violations] == [("signed_at", "TIME_OUT_OF_RANGE")]


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_exact_to_the_microsecond(value: datetime) -> None:
    """There and back."""
    assert from_timestamp(to_timestamp(value)) == value


def test_nanoseconds_are_cut_not_rounded() -> None:
    """Never into the next microsecond, which may lie in the future."""
    assert from_timestamp(Timestamp(seconds=1, nanos=1999)) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        seconds=1, microseconds=1
    )


def test_a_class_that_has_drifted_from_its_message_is_found() -> None:
    """When the plan is compiled, by name."""

    @dataclass(frozen=True)
    class Drifted:
        id: UUID
        nickname: str

    with pytest.raises(PlanMismatch, match="nickname"):
        to_message(Drifted(UUID(int=1), "x"), common_pb2.Actor)


def test_bytes_that_are_no_body_and_types_that_nobody_knows() -> None:
    """Two typed errors, so that the record is stopped and not skipped."""
    with pytest.raises(UndecodableBody):
        decode_body("ledger.v1.EntryRecorded", b"\xff\xff")
    with pytest.raises(UndecodableBody):
        decode_body("ledger.v1.EntryRecorded", b"")
    with pytest.raises(UnknownType):
        decode_body("ledger.v9.EntryRecorded", b"")
    with pytest.raises(UnknownType):
        decode_body("ledger.v1.EntryRecorded", b"\xfa\x3f\x04text")  # field 1023: content of a later release


def request_of(cls: type[Any]) -> type[Message]:
    """The request message of a command."""
    name = f"ledger.api.v1.{cls.__name__}Request"
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
