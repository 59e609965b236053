"""An event as a message, and what a reader refuses."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest

from ledger.stream.contract import UNREADABLE, MalformedMessage, MessageTooLarge, PublishedEvent
from ledger.stream.message import MESSAGE_BYTES_MAX, Message, headers_of, read_message, value_of
from ledger.trust.envelope import FORMAT, Envelope, encode

STREAM_ID = UUID("0d3ac0e2-3f5b-4c39-9d2f-1e0f4a7b6c5d")
ENVELOPE = Envelope(
    format=FORMAT,
    origin="ledger.test/north/1",
    stream_id=STREAM_ID.bytes,
    stream_version=1,
    type="ledger.v1.EntryRecorded",
    recorded_at=1_764_037_805_000_250,
    actor=b"\x07" * 16,
    key_id=b"",
    body_sha256=sha256(b"body").digest(),
    commitment=b"",
    prev_leaf=b"",
)
EVENT = PublishedEvent(
    hospital="north",
    origin="ledger.test/north/1",
    position=42,
    stream_id=STREAM_ID,
    version=1,
    type="ledger.v1.EntryRecorded",
    recorded_at=1_764_037_805_000_250,
    envelope=encode(ENVELOPE),
    body=b"body",
    partition=3,
    prev_position=40,
    next_offset=8,
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def message_of(event: PublishedEvent, **headers: bytes) -> Message:
    """The event as message 7 of partition 3, some of its headers replaced."""
    texts = dict(headers_of(event)) | headers
    return Message(3, 7, event.stream_id.bytes, value_of(event), list(texts.items()))


def test_headers_are_cloudevents_in_binary_mode() -> None:
    """Every attribute as docs/stream.md says."""
    assert dict(headers_of(EVENT)) == {
        "ce_specversion": b"1.0",
        "ce_id": b"north/42",
        "ce_source": b"ledger.test/north/1",
        "ce_type": b"ledger.v1.EntryRecorded",
        "ce_subject": b"0d3ac0e2-3f5b-4c39-9d2f-1e0f4a7b6c5d",
        "ce_time": b"2025-11-25T02:30:05.000250Z",
        "ce_position": b"42",
        "ce_recordversion": b"1",
        "ce_isocode": b"attest",
        "ce_prevposition": b"40",
        "content-type": b"application/protobuf",
        "traceparent": b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }


def test_what_is_published_again_is_marked() -> None:
    """And no other header differs."""
    assert dict(headers_of(EVENT, refilled=True)) == dict(headers_of(EVENT)) | {"ce_refilled": b"true"}


@pytest.mark.parametrize("event", [EVENT, EVENT._replace(traceparent=None)])
def test_message_is_read_as_it_was_written(event: PublishedEvent) -> None:
    """Offset 7 in the topic: reading goes on at 8."""
    assert read_message(message_of(event)) == event


def test_event_of_another_release_has_no_iso_code() -> None:
    """Everything else of it is published as of any other event."""
    later = EVENT._replace(type="ledger.v9.Unheard", envelope=encode(replace(ENVELOPE, type="ledger.v9.Unheard")))
    assert "ce_isocode" not in dict(headers_of(later))
    assert read_message(message_of(later)) == later


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_source", b"ledger.test/south/1"),
        ("ce_type", b"ledger.v1.EntryAmended"),
        ("ce_subject", b"00000000-0000-4000-8000-000000000000"),
        ("ce_recordversion", b"2"),
        ("ce_id", b"north/41"),
        ("ce_id", b"south/42"),
        ("ce_time", b"2025-11-25T02:30:05.000251Z"),
        ("ce_isocode", b"amend"),
        ("content-type", b"text/plain"),
    ],
)
def test_header_that_contradicts_the_envelope_makes_the_event_unreadable(header: str, value: bytes) -> None:
    """It keeps its place and its record; its envelope is not taken for the event's."""
    message = message_of(EVENT, **{header: value})
    found = read_message(message)
    assert (found.type, found.stream_id, found.position, found.prev_position) == (UNREADABLE, STREAM_ID, 42, 40)
    assert (found.envelope, found.body) == (b"", message.value)


def test_key_of_another_record_makes_the_event_unreadable() -> None:
    """The record of the key stops, and the position says where."""
    other = UUID("00000000-0000-4000-8000-000000000000")
    found = read_message(replace(message_of(EVENT), key=other.bytes))
    assert (found.type, found.stream_id, found.position) == (UNREADABLE, other, 42)


def test_a_publisher_that_did_not_know_the_type_wrote_no_iso_code() -> None:
    """A later reader, which knows it, takes the event all the same."""
    message = message_of(EVENT)
    headers = [each for each in message.headers if each[0] != "ce_isocode"]
    assert read_message(replace(message, headers=headers)) == EVENT


@pytest.mark.parametrize("value", [None, b"", b"\xff\xff"])
def test_value_that_is_no_event_is_unreadable(value: bytes | None) -> None:
    """Key and headers still say which record stops at it."""
    found = read_message(replace(message_of(EVENT), value=value))
    assert (found.type, found.stream_id, found.position, found.version) == (UNREADABLE, STREAM_ID, 42, 1)
    assert found.body == (value or b"")


def test_envelope_that_cannot_be_read_is_handed_on_as_it_stands() -> None:
    """So that its digest is the one that the ledger has."""
    broken = EVENT._replace(envelope=b"\xff" + EVENT.envelope[1:])
    found = read_message(message_of(broken))
    assert found == broken._replace(type=UNREADABLE)


@pytest.mark.parametrize(
    ("header", "value"),
    [("ce_position", b"many"), ("ce_prevposition", b"forty"), ("ce_recordversion", b"first")],
)
def test_message_that_does_not_say_its_place_is_a_fault(header: str, value: bytes) -> None:
    """It names partition and offset, never the content."""
    with pytest.raises(MalformedMessage) as raised:
        read_message(message_of(EVENT, **{header: value}))
    assert (raised.value.partition, raised.value.offset) == (3, 7)


def test_message_without_a_record_is_a_fault() -> None:
    """A message that another program wrote."""
    with pytest.raises(MalformedMessage):
        read_message(replace(message_of(EVENT), key=None, value=b"not ours"))


def test_event_that_does_not_fit_is_refused() -> None:
    """One byte too many."""
    spare = MESSAGE_BYTES_MAX - len(value_of(EVENT)) - 2  # the length of a body takes two bytes more then
    assert len(value_of(EVENT._replace(body=bytes(len(EVENT.body) + spare)))) == MESSAGE_BYTES_MAX
    with pytest.raises(MessageTooLarge):
        value_of(EVENT._replace(body=bytes(len(EVENT.body) + spare + 1)))
