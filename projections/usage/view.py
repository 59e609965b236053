"""How events add up to what was used: a row per stream and day, summed when somebody asks."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import events_pb2, identity_events_pb2
from ledger.views.event import ViewEvent
from ledger.views.view import Change, Row, RowKey, Table

_DAYS = "days"
_SHARED = "shared"


class StreamDay(NamedTuple):
    """What one stream got on one day (UTC, by the ledger's clock)."""

    stream_id: UUID
    day: str
    version: int
    commands: int
    """Commands of this stream alone."""
    events: int
    bytes_stored: int
    bytes_published: int
    recorded_at: int
    """Of the last event. A command's events share it and no two commands of a stream do, so each is counted once."""


class SharedCommand(NamedTuple):
    """A command that writes into two streams: counted by its id, once for both."""

    stream_id: UUID
    command_id: str
    version: int
    day: str


class Usage:
    """Metering of a hospital, from envelopes and lengths, so that a destroyed record stays in the figures as it was."""

    name = "usage"
    schema_version = 3
    package = "projections.usage"
    tables = (Table(_DAYS, StreamDay._make, 2), Table(_SHARED, SharedCommand._make, 2))

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The row of the stream and the day."""
        return (_key(event),)

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
        """One event more, and perhaps one command."""
        key = _key(event)
        first = StreamDay(*key.key, version=0, commands=0, events=0, bytes_stored=0, bytes_published=0, recorded_at=0)
        before = cast("StreamDay | None", rows.get(key)) or first
        shared = event.body_class in _IN_TWO_STREAMS
        begins = not shared and (before.events == 0 or event.recorded_at != before.recorded_at)
        yield Change(
            _DAYS,
            before._replace(
                version=event.version,
                commands=before.commands + int(begins),
                events=before.events + 1,
                bytes_stored=before.bytes_stored + len(event.envelope) + len(event.body),
                bytes_published=before.bytes_published + _message_bytes(event),
                recorded_at=event.recorded_at,
            ),
        )
        if shared:
            command_id = cast("Any", event.message).meta.command_id
            yield Change(_SHARED, SharedCommand(event.stream_id, command_id, event.version, key.key[1]))


def _message_bytes(event: ViewEvent) -> int:
    # Key and value. Headers differ with the stream's layout (`ce_prevposition`), and a rebuild must come to the same.
    value = events_pb2.PublishedEvent(envelope=event.envelope, body=event.body)
    return len(event.stream_id.bytes) + value.ByteSize()


def _key(event: ViewEvent) -> RowKey:
    day = datetime.fromtimestamp(event.recorded_at // 1_000_000, UTC).date().isoformat()
    return RowKey(_DAYS, (event.stream_id, day))


_IN_TWO_STREAMS: frozenset[type[Message]] = frozenset(
    {
        identity_events_pb2.PatientLinked,
        identity_events_pb2.PatientUnlinked,
        identity_events_pb2.PatientMerged,
        identity_events_pb2.PatientUnmerged,
    }
)
