"""What is appended, and what became of it."""

from dataclasses import dataclass
from uuid import UUID

from ledger.trust.envelope import ENVELOPE_BYTES_MAX, prev_leaf_of
from ledger.trust.sealed_body import SEALED_BYTES_MAX, lies_in_the_clear

BODY_BYTES_MAX = SEALED_BYTES_MAX
"""A body as stored; 33 bytes above what it may say."""
EVENTS_MAX = 100
"""Events one command may append."""

CLOCK_SKEW_MAX_US = 5_000_000
"""How far `recorded_at` may lie off the database's clock, where nobody set another bound."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One sealed event. `leaf_hash` is that of `envelope`; `recorded_at` in Unix microseconds."""

    stream_id: UUID
    kind: str
    """Kind of stream: record, patient, package or ledger."""
    version: int
    type: str
    recorded_at: int
    envelope: bytes
    body: bytes
    leaf_hash: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """(kind, key) must not exist yet; it will, holding value, stream and group."""

    kind: str
    key: bytes
    value: bytes = b""
    stream_id: UUID | None = None
    group: bytes | None = None


@dataclass(frozen=True, slots=True)
class Swap:
    """The value of (kind, key) must still be `expected`; it becomes `value`."""

    kind: str
    key: bytes
    expected: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Bump:
    """The counter (kind, key) must be `expected` (absent counts as 0); it becomes expected + 1."""

    kind: str
    key: bytes
    expected: int


Reservation = Claim | Swap | Bump


@dataclass(frozen=True, slots=True)
class Append:
    """One command's events and reservations: all of it is appended, or nothing.

    Events of one stream stand in order of version. Without events it is a proven no-op, which is remembered too.
    """

    command_id: UUID
    content: bytes
    """32 bytes: digest of RPC name and request; tells a repetition from another command under the same id."""
    rpc: str
    stream_id: UUID
    """The primary stream."""
    events: tuple[NewEvent, ...]
    reservations: tuple[Reservation, ...] = ()
    result: bytes = b""
    """Kept with the command and handed back when it is repeated."""
    result_version: int = 0
    """Version of the primary stream afterwards."""
    clock_skew_us_max: int = CLOCK_SKEW_MAX_US
    """How far `recorded_at` may lie off the database's clock. A group goes by the strictest of its commands."""
    any_clock: bool = False
    """Leaves out the comparison with the database's clock (restored or rebuilt ledgers)."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Durable. Positions are 0 for a no-op."""

    first_position: int
    last_position: int
    stream_id: UUID
    version: int
    result: bytes


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same command was appended before; this is what it got then."""

    first_position: int
    last_position: int
    stream_id: UUID
    version: int
    result: bytes


@dataclass(frozen=True, slots=True)
class CommandIdReused:
    """The command id belongs to another content."""


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """The stream is not at the version, or its last leaf not the one, that the events follow."""

    stream_id: UUID
    actual: int


@dataclass(frozen=True, slots=True)
class ReservationConflict:
    """A claim is taken, a value was swapped or a counter bumped by somebody else.

    Value and counter as they stand; empty and 0 where there is no row.
    """

    kind: str
    key: bytes
    stream_id: UUID | None
    value: bytes
    counter: int = 0


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """`recorded_at` lies too far off the database's clock (Unix microseconds): decide again."""

    database_now: int


Verdict = Appended | Repeated | CommandIdReused | VersionConflict | ReservationConflict | ClockSkew


class MalformedAppend(Exception):
    """An append that no store may take: a defect of the caller."""


def check_append(append: Append) -> None:
    """MalformedAppend unless every body is sealed, and sizes, versions and reservations fit together."""
    if len(append.events) > EVENTS_MAX:
        raise MalformedAppend(f"{len(append.events)} events in one command")
    versions: dict[int, int] = {}
    for event in append.events:
        before = versions.get(event.stream_id.int, event.version - 1)
        if event.version < 1 or event.version != before + 1:
            raise MalformedAppend(f"versions of {event.stream_id} do not follow each other at {event.version}")
        _check_event(event)
        versions[event.stream_id.int] = event.version
    if len({(held.kind, held.key) for held in append.reservations}) != len(append.reservations):
        raise MalformedAppend("two reservations of one key in one command")


def _check_event(event: NewEvent) -> None:
    if len(event.envelope) > ENVELOPE_BYTES_MAX:
        raise MalformedAppend(f"an envelope of {len(event.envelope)} bytes")
    if event.version > 1 and not prev_leaf_of(event.envelope):
        raise MalformedAppend(f"the envelope of {event.stream_id} at {event.version} names no event before it")
    if lies_in_the_clear(event.envelope, event.body):
        raise MalformedAppend(f"the body of {event.stream_id} at {event.version} lies in the clear")
    if len(event.body) > BODY_BYTES_MAX:
        raise MalformedAppend(f"a body of {len(event.body)} bytes")
