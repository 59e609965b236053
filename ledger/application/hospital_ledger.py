"""One hospital's ledger as an application of the `eventsourcing` library, with an asynchronous save.

The library's parts are used where they fit: its Application holds mapper, recorder and event store. Its own save, retry
decorator and notification log are not: they hold a table lock through the commit or repeat an insert whose outcome is
unknown (docs/adr/0003). Nor is its ProcessingEvent: asking of every event whether it keeps a run-time protocol took a
twentieth of a command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    ProcessRecorder,
    Tracking,
    TrackingRecorder,
)
from eventsourcing.utils import Environment

from ledger.application.body_codec import UndecodableBody, UnknownType, encode_body
from ledger.application.errors import BodyUnreadable, ChainBroken, RecordDestroyed, UnknownEventVersion
from ledger.application.message_codec import micros_of, time_of
from ledger.application.recorded_event import LedgerMapper, Place, RecordedEvent, draft, record
from ledger.application.stream_cache import Loaded, StreamCache
from ledger.domain.decision import Decision
from ledger.domain.events import Event, stored_name
from ledger.domain.evolve import evolve
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.domain.state import StreamState, nothing_left
from ledger.store.append import NewEvent
from ledger.store.reading import FEW_ROWS, EventReader, StoredRow, is_last_page
from ledger.telemetry.trace import current_traceparent
from ledger.trust.envelope import prev_leaf_of
from ledger.trust.fault import EnvelopeFault, UnknownFormat
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealed_body import PLAINTEXT_BYTES_MAX
from ledger.trust.sealing import (
    CannotSeal,
    Destroyed,
    Draft,
    Opened,
    Opener,
    Opening,
    Sealed,
    Sealer,
    SealFault,
    SealFaultKind,
)

BODY_BYTES_MAX = PLAINTEXT_BYTES_MAX
EVENTS_PER_COMMAND_MAX = 100
LOAD_BATCH = 1000
_TICK = timedelta(microseconds=1)


class LedgerInfrastructure(InfrastructureFactory[TrackingRecorder]):
    """The library's factory over our mapper and recorder; it opens no connection by itself."""

    def __init__(self, env: Environment, recorder: ApplicationRecorder) -> None:
        super().__init__(env)
        self._recorder = recorder

    def mapper(self, *_: Any, **__: Any) -> Mapper[Any]:
        """Events to envelope and body."""
        return LedgerMapper()

    def aggregate_recorder(self, purpose: str = "events") -> ApplicationRecorder:  # noqa: ARG002  # the library names it
        """The one recorder of the ledger."""
        return self._recorder

    def application_recorder(self) -> ApplicationRecorder:
        """The one recorder of the ledger."""
        return self._recorder

    def tracking_recorder(self, tracking_recorder_class: type[Any] | None = None) -> TrackingRecorder:  # noqa: ARG002  # as above
        """Views keep their checkpoints themselves."""
        raise NotSupported(Tracking)

    def process_recorder(self) -> ProcessRecorder:
        """Views keep their checkpoints themselves."""
        raise NotSupported(ProcessRecorder)


class NotSupported(TypeError):
    """The ledger does not keep this kind of the library's recorders."""


@dataclass(frozen=True)
class Prepared:
    """Events ready to be appended: as recorded here, and as the store takes them."""

    recorded: tuple[RecordedEvent, ...]
    rows: tuple[NewEvent, ...]


@dataclass(frozen=True, slots=True)
class PlacedDecision:
    """What a decision appends, before it is sealed."""

    made: list[tuple[Event, Place]]
    bodies: list[bytes]
    kinds: dict[UUID, str]
    """The kind of each of its streams."""


class HospitalLedger(Application[UUID]):
    """Loads streams and prepares what a decision appends, for one hospital."""

    def __init__(
        self,
        hospital: str,
        origin: str,
        reader: EventReader,
        recorder: ApplicationRecorder,
        sealer: Sealer,
        opener: Opener,
        cache: StreamCache,
    ) -> None:
        self.hospital = hospital
        self.origin = origin
        self._reader = reader
        self._ledger_recorder = recorder
        self._sealer = sealer
        self._opener = opener
        self._cache = cache
        super().__init__(env={})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[TrackingRecorder]:
        """Our recorder behind the library's factory."""
        return LedgerInfrastructure(env, self._ledger_recorder)

    async def load(self, stream_id: UUID) -> Loaded | None:
        """The stream as it stands, from the cache and the events since; None where there is no such stream."""
        cached = self._cache.get(stream_id)
        try:
            loaded = await self._fold(stream_id, cached)
        except ChainBroken:
            if cached is None:
                raise
            # What this process remembers is no part of the stream: the database was put back. The stored bytes decide.
            self._cache.drop(stream_id)
            loaded = await self._fold(stream_id, None)
        if loaded is not None:
            self._cache.put(loaded)
        return loaded

    def known(self, stream_id: UUID) -> Loaded | None:
        """The stream as this process last saw it; the append finds out whether that still holds."""
        return self._cache.get(stream_id)

    def forget(self, stream_id: UUID) -> None:
        """Drops what this process remembers of a stream; the next load begins with its first event."""
        self._cache.drop(stream_id)

    def remember(self, loaded: Loaded) -> None:
        """Keeps a stream's state after an append."""
        self._cache.put(loaded)

    async def load_as_of(self, stream_id: UUID, version: int | None, time: datetime | None) -> Loaded | None:
        """The stream as of a version or a server time, from its first event."""
        return await self._fold(stream_id, None, version, None if time is None else micros_of(time))

    async def opened_body(self, stream_id: UUID, version: int) -> bytes:
        """The body of one event as it was before it was sealed. Raises RecordDestroyed, BodyUnreadable."""
        rows = await self._reader.read_stream(self.hospital, stream_id, version - 1, 1)
        for opening in await self._opener.open([(row.envelope, row.body) for row in rows]):
            match opening:
                case Destroyed():
                    raise RecordDestroyed(stream_id)
                case SealFault(kind=kind):
                    raise BodyUnreadable(stream_id, version, kind.name)
                case _:
                    return opening.plaintext
        raise BodyUnreadable(stream_id, version)

    async def _fold(
        self, stream_id: UUID, loaded: Loaded | None, version: int | None = None, micros: int | None = None
    ) -> Loaded | None:
        # What is known already is rarely far behind, and few rows are read by a cheaper statement.
        batch = LOAD_BATCH if loaded is None else FEW_ROWS
        while True:
            after = loaded.version if loaded else 0
            limit = batch if version is None else min(batch, version - after)
            rows = await self._reader.read_stream(self.hospital, stream_id, after, limit) if limit > 0 else []
            wanted = rows if micros is None else [row for row in rows if row.recorded_at <= micros]
            openings = await self._opener.open([(row.envelope, row.body) for row in wanted])
            for row, opening in zip(wanted, openings, strict=True):
                _check_follows(loaded, row)
                loaded = self._after(loaded, row, opening)
            if limit <= 0 or is_last_page(rows, limit) or len(wanted) < len(rows):
                return loaded
            batch = LOAD_BATCH

    def _after(self, loaded: Loaded | None, row: StoredRow, opening: Opening) -> Loaded:
        if isinstance(opening, Destroyed):
            # What this process knew of it before goes as well: the key did, and so does whatever was read with it.
            leaf, time = leaf_hash(row.envelope), time_of(row.recorded_at)
            return Loaded(row.stream_id, nothing_left(row.version), row.version, leaf, time)
        return self.advance(loaded, self._read(row, opening))

    def _read(self, row: StoredRow, opening: Opened | SealFault) -> RecordedEvent:
        if opening == SealFault(SealFaultKind.LATER):
            raise UnknownEventVersion(row.type)
        if isinstance(opening, SealFault):
            raise BodyUnreadable(row.stream_id, row.version, opening.kind.name)
        try:
            return cast("LedgerMapper", self.mapper).read(row.envelope, row.body, opening.plaintext)
        except (UnknownType, UnknownFormat) as error:
            raise UnknownEventVersion(row.type) from error
        except (UndecodableBody, EnvelopeFault) as error:
            raise BodyUnreadable(row.stream_id, row.version) from error

    @staticmethod
    def advance(loaded: Loaded | None, recorded: RecordedEvent) -> Loaded:
        """The stream after one more event."""
        before: StreamState | None = loaded.state if loaded else None
        state = evolve(before, recorded.event, recorded.originator_version, recorded.recorded_at)
        return Loaded(recorded.originator_id, state, recorded.originator_version, recorded.leaf, recorded.recorded_at)

    async def prepare(
        self, decision: Decision, loaded: Loaded | None, now: datetime, beside: Loaded | None = None
    ) -> Prepared:
        """Seals a decision's events and gives them their places. Raises Refused where a limit is exceeded.

        `loaded` and `beside` are the streams of the decision and of its second part as they stand.
        """
        return (await self.seal([self.place(decision, loaded, now, beside)]))[0]

    def place(
        self, decision: Decision, loaded: Loaded | None, now: datetime, beside: Loaded | None = None
    ) -> PlacedDecision:
        """A decision's events at their places, with their bodies still in the clear. Raises as `prepare`."""
        made = self._placed(decision.stream_id, decision.events, loaded, now)
        for part in decision.beside:
            made += self._placed(part.stream_id, part.events, beside, now)
        bodies = [encode_body(event) for event, _ in made]
        _check_limits(bodies)
        kinds = {decision.stream_id: decision.kind} | {part.stream_id: part.kind for part in decision.beside}
        return PlacedDecision(made, bodies, kinds)

    async def prepare_streams(self, stream_ids: Sequence[UUID]) -> None:
        """Makes durable what the first events of new streams will need. Raises what sealing raises."""
        await self._sealer.prepare(self.origin, [each.bytes for each in stream_ids])

    async def seal(self, placed: Sequence[PlacedDecision]) -> list[Prepared]:
        """Seals all events at once, each following the one before of its stream."""
        drafts = [draft(*made, body) for each in placed for made, body in zip(each.made, each.bodies, strict=True)]
        sealed = iter(await self._seal(drafts))
        return [_prepared(each, islice(sealed, len(each.made))) for each in placed]

    async def _seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        try:
            return await self._sealer.seal(drafts)
        except CannotSeal as error:
            stream_id = UUID(bytes=error.stream_id)
            if isinstance(error.why, Destroyed):
                raise RecordDestroyed(stream_id) from error
            raise BodyUnreadable(stream_id, error.version, error.why.kind.name) from error

    def _placed(
        self, stream_id: UUID, events: Sequence[Event], loaded: Loaded | None, now: datetime
    ) -> list[tuple[Event, Place]]:
        version, head = (loaded.version, loaded.head_leaf) if loaded else (0, b"")
        # Time goes on with every command of a stream, even where another server's clock was ahead: by it the commands
        # of a record can be counted from envelopes, after its bodies are gone too.
        recorded_at = max(now, loaded.recorded_at + _TICK) if loaded else now
        places = [
            Place(self.origin, stream_id, version + index, recorded_at, head) for index in range(1, len(events) + 1)
        ]
        return list(zip(events, places, strict=True))


def _check_follows(loaded: Loaded | None, row: StoredRow) -> None:
    version, head = (loaded.version, loaded.head_leaf) if loaded else (0, b"")
    if row.version != version + 1 or prev_leaf_of(row.envelope) != head:
        raise ChainBroken(row.stream_id, row.version)


def _prepared(placed: PlacedDecision, sealed: Iterable[Sealed]) -> Prepared:
    recorded = tuple([record(*made, stored) for made, stored in zip(placed.made, sealed, strict=True)])
    return Prepared(recorded, tuple([_row(each, placed.kinds[each.originator_id]) for each in recorded]))


def _row(recorded: RecordedEvent, kind: str) -> NewEvent:
    event: Event = recorded.event
    return NewEvent(
        stream_id=recorded.originator_id,
        kind=kind,
        version=recorded.originator_version,
        type=stored_name(type(event)),
        recorded_at=micros_of(recorded.recorded_at),
        envelope=recorded.envelope,
        body=recorded.body,
        leaf_hash=recorded.leaf,
        traceparent=current_traceparent.get(),
    )


def _check_limits(bodies: Sequence[bytes]) -> None:
    faults: list[Violation] = []
    if len(bodies) > EVENTS_PER_COMMAND_MAX:
        faults.append(Violation("", "TOO_MANY_EVENTS", f"at most {EVENTS_PER_COMMAND_MAX} events a command"))
    if any(len(body) > BODY_BYTES_MAX for body in bodies):
        faults.append(Violation("content", "BODY_TOO_LARGE", f"at most {BODY_BYTES_MAX} bytes"))
    if faults:
        raise Refused(RefusalKind.INVALID, tuple(faults))
