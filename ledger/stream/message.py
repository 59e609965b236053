"""A published event as a message: value, key, CloudEvents headers in binary mode; no personal data in the last two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.message import DecodeError

from ledger.api.v1 import events_pb2
from ledger.stream.contract import MalformedMessage, MessageTooLarge, PublishedEvent
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.iso21089 import iso_code

MESSAGE_BYTES_MAX = 1024 * 1024 - 4096
"""What a value may have, so that it fits with headers and framing into a message of 1 MiB."""

CONTENT_TYPE = "application/protobuf"
Headers = list[tuple[str, bytes]]


def value_of(event: PublishedEvent) -> bytes:
    """The message's value. Raises MessageTooLarge: one that the broker refuses would end the producer."""
    value = events_pb2.PublishedEvent(envelope=event.envelope, body=event.body).SerializeToString()
    if len(value) > MESSAGE_BYTES_MAX:
        raise MessageTooLarge(event.position, len(value), MESSAGE_BYTES_MAX)
    return value


def headers_of(event: PublishedEvent, *, refilled: bool = False) -> Headers:
    """CloudEvents headers with our extensions; `refilled` marks what is published again after a loss."""
    time = datetime.fromtimestamp(event.recorded_at / 1_000_000, UTC).isoformat(timespec="microseconds")
    texts = {
        "ce_specversion": "1.0",
        "ce_id": f"{event.hospital}/{event.position}",
        "ce_source": event.origin,
        "ce_type": event.type,
        "ce_subject": str(event.stream_id),
        "ce_time": time.replace("+00:00", "Z"),
        "ce_position": str(event.position),
        "ce_recordversion": str(event.version),
        "ce_isocode": iso_code(event.type),
        "ce_prevposition": str(event.prev_position),
        "content-type": CONTENT_TYPE,
    }
    if event.traceparent:
        texts["traceparent"] = event.traceparent
    if refilled:
        texts["ce_refilled"] = "true"
    return [(name, text.encode()) for name, text in texts.items()]


def read_message(
    partition: int, offset: int, value: bytes | None, headers: Sequence[tuple[str, bytes]]
) -> PublishedEvent:
    """The event of a message. Raises MalformedMessage where it cannot be read or headers and envelope differ."""
    texts = {name: data.decode("utf-8", "replace") for name, data in headers}
    try:
        message = events_pb2.PublishedEvent.FromString(value or b"")
        envelope = decode(message.envelope)
        hospital, _, position = texts["ce_id"].rpartition("/")
        event = PublishedEvent(
            hospital=hospital,
            origin=envelope.origin,
            position=int(position),
            stream_id=UUID(bytes=envelope.stream_id),
            version=envelope.stream_version,
            type=envelope.type,
            recorded_at=envelope.recorded_at,
            envelope=message.envelope,
            body=message.body,
            partition=partition,
            prev_position=int(texts["ce_prevposition"]),
            next_offset=offset + 1,
            traceparent=texts.get("traceparent"),
        )
    except (DecodeError, EnvelopeFault, KeyError, ValueError) as error:
        raise MalformedMessage(partition, offset, type(error).__name__) from error
    _compare(event, texts, partition, offset)
    return event


def _compare(event: PublishedEvent, texts: dict[str, str], partition: int, offset: int) -> None:
    said = {
        "ce_source": event.origin,
        "ce_type": event.type,
        "ce_subject": str(event.stream_id),
        "ce_position": str(event.position),
        "ce_recordversion": str(event.version),
    }
    for name, wanted in said.items():
        if texts.get(name) != wanted:
            raise MalformedMessage(partition, offset, f"header {name} differs from the envelope")
