"""One event as a line of an archive file."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from ledger.api.v1.stream_pb2 import StoredEvent
from ledger.trust.envelope import Envelope, decode
from ledger.trust.iso21089 import UnknownEventType, iso_code
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Opened, Opening
from ledger.trust.verify import Copies, Row
from ledger.views.bodies import BODIES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadArchiveLine(Exception):
    """A line of an archive file that is none."""


def archive_line(event: StoredEvent, opening: Opening) -> bytes:
    """The event as one line of JSON, newline included; the envelope must be well formed."""
    envelope = decode(event.envelope)
    row = {
        "position": event.position,
        "record": str(UUID(bytes=envelope.stream_id)),
        "version": envelope.stream_version,
        "type": envelope.type,
        "recorded_at": recorded_at(envelope).isoformat(timespec="microseconds"),
        "iso_code": _iso_code(envelope.type),
        "leaf_hash": leaf_hash(event.envelope).hex(),
        "envelope": b64encode(event.envelope).decode(),
        "body": b64encode(event.body).decode(),
        "body_json": _body_json(envelope, opening),
    }
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_line(line: bytes) -> Row:
    """The event of a line, with what the line says beside the envelope; BadArchiveLine for any other line."""
    try:
        row = json.loads(line)
        envelope = b64decode(row["envelope"], validate=True)
        return Row(
            position=int(row["position"]),
            envelope=envelope,
            body=b64decode(row["body"], validate=True),
            copies=Copies(
                stream_id=UUID(row["record"]).bytes,
                version=int(row["version"]),
                type=str(row["type"]),
                recorded_at=_microseconds(datetime.fromisoformat(row["recorded_at"])),
                leaf_hash=bytes.fromhex(row["leaf_hash"]),
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadArchiveLine from error


def event_type(line: bytes) -> str:
    """The stored event name of a line of ours."""
    return str(json.loads(line)["type"])


def without_body(line: bytes) -> bytes:
    """The line as it is where the body cannot be opened."""
    return (
        json.dumps({**json.loads(line), "body_json": None}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    )


def recorded_at(envelope: Envelope) -> datetime:
    """The server time of an event."""
    return _EPOCH + timedelta(microseconds=envelope.recorded_at)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _iso_code(event_type: str) -> str | None:
    try:
        return iso_code(event_type)
    except UnknownEventType:
        return None


def _body_json(envelope: Envelope, opening: Opening) -> dict[str, Any] | None:
    """The body for people; None where it cannot be opened or read: the sealed bytes are what is kept."""
    message_type = BODIES.get(envelope.type)
    if not isinstance(opening, Opened) or message_type is None:
        return None
    try:
        return MessageToDict(message_type.FromString(opening.plaintext), preserving_proto_field_name=True)
    except DecodeError:
        return None
