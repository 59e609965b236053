"""A published event as a message: value, key, CloudEvents headers in binary mode; no personal data in the last two."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from google.protobuf.message import DecodeError

from ledger.api.v1 import events_pb2
from ledger.stream.contract import UNREADABLE, MalformedMessage, MessageTooLarge, PublishedEvent
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import whole
from ledger.trust.iso21089 import UnknownEventType, iso_code

MESSAGE_BYTES_MAX = 1024 * 1024 - 4096
"""What a value may have, so that it fits with headers and framing into a message of 1 MiB."""

CONTENT_TYPE = "application/protobuf"
_CONTENT_TYPE = CONTENT_TYPE.encode()
Headers = list[tuple[str, bytes]]


def value_of(event: PublishedEvent) -> bytes:
    """The message's value. Raises MessageTooLarge: one that the broker refuses would end the producer."""
    value = events_pb2.PublishedEvent(envelope=event.envelope, body=event.body).SerializeToString()
    if len(value) > MESSAGE_BYTES_MAX:
        raise MessageTooLarge(event.position, len(value), MESSAGE_BYTES_MAX)
    return value


def headers_of(event: PublishedEvent, *, refilled: bool = False) -> Headers:
    """CloudEvents headers with our extensions; `refilled` marks what is published again after a loss."""
    seconds, micros = divmod(event.recorded_at, 1_000_000)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{event.hospital}/{event.position}".encode()),
        ("ce_source", event.origin.encode()),
        ("ce_type", event.type.encode()),
        ("ce_subject", str(event.stream_id).encode()),
        ("ce_time", b"%b.%06dZ" % (_second(seconds), micros)),
        ("ce_position", b"%d" % event.position),
        ("ce_recordversion", b"%d" % event.version),
        ("ce_prevposition", b"%d" % event.prev_position),
        ("content-type", _CONTENT_TYPE),
        *_iso_header(event.type),
    ]
    if event.traceparent:
        headers.append(("traceparent", event.traceparent.encode()))
    if refilled:
        headers.append(("ce_refilled", b"true"))
    return headers


@lru_cache(maxsize=1024)
def _second(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat().encode()


@lru_cache(maxsize=1024)
def _iso_header(event_type: str) -> Headers:
    # A type of another release has none: its record stops in the readers, the hospital's stream does not.
    with suppress(UnknownEventType):
        return [("ce_isocode", iso_code(event_type).encode())]
    return []


@dataclass(frozen=True, slots=True)
class Message:
    """What the broker hands out."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message says that it belongs, and the envelope it carries; empty where its value cannot be read."""

    position: int
    prev_position: int
    envelope: bytes


def place_of(message: Message) -> Place | None:
    """The place of a message, whatever its envelope is worth; None for one that the publisher did not write."""
    texts = _texts(message)
    try:
        place = int(texts["ce_position"]), int(texts["ce_prevposition"])
    except (KeyError, ValueError):
        return None
    try:
        return Place(*place, events_pb2.PublishedEvent.FromString(message.value or b"").envelope)
    except DecodeError:
        return Place(*place, b"")


def read_message(message: Message) -> PublishedEvent:
    """The event of a message.

    One whose envelope cannot be read, or differs from the headers, has UNREADABLE for its type: it stops its record.
    Raises MalformedMessage where not even key and headers say which record that is.
    """
    texts = _texts(message)
    try:
        return _readable(message, texts)
    except (DecodeError, EnvelopeFault, KeyError, ValueError) as fault:
        return _unreadable(message, texts, type(fault).__name__)


def _readable(message: Message, texts: dict[str, str]) -> PublishedEvent:
    published = events_pb2.PublishedEvent.FromString(message.value or b"")
    envelope = whole(published.envelope)
    hospital, _, position = texts["ce_id"].rpartition("/")
    event = PublishedEvent(
        hospital=hospital,
        origin=envelope.origin,
        position=int(position),
        stream_id=UUID(bytes=envelope.stream_id),
        version=envelope.stream_version,
        type=envelope.type,
        recorded_at=envelope.recorded_at,
        envelope=published.envelope,
        body=published.body,
        partition=message.partition,
        prev_position=int(texts["ce_prevposition"]),
        next_offset=message.offset + 1,
        traceparent=texts.get("traceparent"),
    )
    _require_same(event, message, texts)
    return event


def _require_same(event: PublishedEvent, message: Message, texts: dict[str, str]) -> None:
    """Key and headers say again what the envelope says: a reader that goes by them must not be led elsewhere."""
    for name, wanted in headers_of(event):
        # A publisher of another release that did not know the type has written no code.
        if texts.get(name) != wanted.decode() and (name != "ce_isocode" or name in texts):
            raise ValueError(f"header {name} differs from the envelope")
    if message.key != event.stream_id.bytes:
        raise ValueError("the key is not the envelope's stream")
    if event.origin.split("/")[-2:-1] != [event.hospital]:
        raise ValueError("the hospital is not the origin's")


def _unreadable(message: Message, texts: dict[str, str], fault: str) -> PublishedEvent:
    envelope, body = _raw(message)
    try:
        return PublishedEvent(
            hospital=texts["ce_id"].rpartition("/")[0],
            origin=texts["ce_source"],
            position=int(texts["ce_position"]),
            stream_id=UUID(bytes=message.key or b""),
            version=int(texts["ce_recordversion"]),
            type=UNREADABLE,
            recorded_at=int(datetime.fromisoformat(texts["ce_time"]).timestamp() * 1_000_000),
            envelope=envelope,
            body=body,
            partition=message.partition,
            prev_position=int(texts["ce_prevposition"]),
            next_offset=message.offset + 1,
            traceparent=texts.get("traceparent"),
        )
    except (KeyError, ValueError) as error:
        raise MalformedMessage(message.partition, message.offset, fault) from error


def _raw(message: Message) -> tuple[bytes, bytes]:
    """Envelope and body as they are where they can be told apart and the envelope is none; else the whole value as
    the body, so that nobody takes an envelope that its headers contradict for the event's."""
    value = message.value or b""
    try:
        published = events_pb2.PublishedEvent.FromString(value)
    except DecodeError:
        return b"", value
    try:
        decode(published.envelope)
    except EnvelopeFault:
        return published.envelope, published.body
    return b"", value


def _texts(message: Message) -> dict[str, str]:
    return {name: data.decode("utf-8", "replace") for name, data in message.headers}
