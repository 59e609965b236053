"""Checks a whole ledger, or a contiguous range of it, event by event: positions, envelopes, bodies, chains, copies.

Pure: the rows may come from PostgreSQL, from Kafka or from archived files. What it says is chain-level: nothing inside
the range was altered, removed, added or reordered. Without a signed checkpoint it cannot say that the end is the end.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from ledger.trust.chain import ChainWalk, FaultKind
from ledger.trust.claimed_times import NOTHING_CLAIMED, ClaimedTimes, claimed
from ledger.trust.envelope import Envelope
from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import Glance, glance, head_of
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import LOG_SUCCEEDED, Succession, is_successor
from ledger.trust.usual_rows import PAGE_ROWS, Fields, Said, said_by, usual_fields


class RowFault(Enum):
    """What is wrong with a row beyond the chain of its stream, or with the rows that are kept beside the events."""

    POSITION = "the position does not follow the one before"
    LEDGER_ORIGIN = "the origin differs from that of the ledger, and no LogSucceeded says why"
    COLUMN = "a column beside the envelope differs from it"
    LEDGER_HEAD = "the row that says where the ledger stands differs from the last event"
    STREAM_HEAD = "the row that says where the stream stands differs from its last event"
    SIGNED_ROOT = "the events up to here do not lead to the root that was signed"
    AFTER_END = "a log has signed more, or other, than the head with which it ended"
    BEHIND = "a signed checkpoint has more events: the ledger was cut or rolled back"


class Copies(NamedTuple):
    """The columns kept beside an envelope; each must say what the envelope says."""

    stream_id: bytes
    version: int
    type: str
    recorded_at: int
    """Unix microseconds."""
    leaf_hash: bytes


class Row(NamedTuple):
    """One stored event with its position."""

    position: int
    envelope: bytes
    body: bytes
    copies: Copies | None = None
    """None where the source keeps no columns beside the envelope."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first fault of a ledger."""

    kind: FaultKind | RowFault
    position: int
    """Position at which it was found: for RowFault.POSITION the one that was expected."""
    stream_id: bytes
    """16 bytes; empty where the row names none that can be read."""
    version: int
    """Version that the stream should have had there; 0 where the stream is not known."""

    def __str__(self) -> str:
        record = self.stream_id.hex() or "unknown"
        return (
            f"{self.kind.name} at position {self.position}, record {record}, version {self.version}: {self.kind.value}"
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """What was checked and holds."""

    events: int
    streams: int
    first_position: int
    """0 for an empty range."""
    last_position: int
    origin: str
    """Of the last event."""
    digest: bytes
    """Running digest over every event in order: equal digests, equal ledgers. Empty where the root alone says it."""
    recorded_at: int = field(default=0, compare=False)
    """The latest time that an event claims, Unix microseconds; 0 without events."""
    successions: tuple[Succession, ...] = field(default=(), compare=False)
    """Where a log ended and another went on, in order."""
    times: ClaimedTimes = field(default=NOTHING_CLAIMED, compare=False)
    """Whether these times go on with the positions."""


class LedgerWalk:
    """Walks rows in order of position. Memory grows with the number of streams, not of events."""

    def __init__(
        self,
        *,
        position: int = 0,
        origin: str = "",
        digest: bytes = b"",
        digesting: bool = True,
        chain_of: Callable[[Glance], ChainWalk] = lambda seen: ChainWalk(seen.stream_id),
    ) -> None:
        """Begins after `position`, with the running digest up to there.

        An empty `origin` takes the first row's. `chain_of` gives a stream's walk at its first event in the range: a
        range that does not begin at position 1 hands in where each stream stands. Without `digesting` the running
        digest stays as it is: who joins ranges computes it from the leaf hashes.
        """
        self.position: int = position
        self.origin = origin
        self._chain_of = chain_of
        self.chains: dict[bytes, ChainWalk] = {}
        """Where each stream of the range stands, by its 16 bytes."""
        self.leaf = b""
        """Leaf hash of the last event taken."""
        self.first_origin = origin
        self.successions: list[Succession] = []
        self.times = NOTHING_CLAIMED
        self._head = b""
        """How an envelope of this origin begins."""
        self._begun_after = position
        self._digest = digest
        self._digesting = digesting

    def take(self, row: Row) -> Fault | None:
        """Checks the next row. A fault ends the walk, which then stays where it was."""
        return self.take_all((row,))[1]

    def take_all(self, rows: Iterable[Row]) -> tuple[list[bytes], Fault | None]:
        """Checks the next rows: the leaf hashes of those that hold, and the first fault, if there is one."""
        leaves: list[bytes] = []
        begun, rest, fault = self.position, iter(rows), None
        while fault is None and (page := list(islice(rest, PAGE_ROWS))):
            fault = self._take_page(page, leaves)
        if self._digesting:
            self._digest = digested(self._digest, begun, leaves)
        return leaves, fault

    def _take_page(self, page: list[Row], leaves: list[bytes]) -> Fault | None:
        """Stretches of rows of the usual form are taken at once, each row between them by itself."""
        matched = self._head
        fields, begin, fault = [*usual_fields(matched, [row.envelope for row in page]), None], 0, None
        while fault is None and begin < len(page):
            if self._head != matched:
                # A log was succeeded: what follows here was matched with the beginning of the one that ended.
                return self._take_each(page[begin:], leaves)
            end = fields.index(None, begin)
            usual = [each for each in fields[begin:end] if each]
            fault = self._take_usual(page[begin:end], usual, leaves) if usual else None
            fault = fault or self._take_each(page[end : end + 1], leaves)
            begin = end + 1
        return fault

    def _take_usual(self, rows: list[Row], fields: list[Fields], leaves: list[bytes]) -> Fault | None:
        """Compares columns of many rows at once, then chains. What is not plain goes to `_take_any`, which names it."""
        positions, envelopes, bodies, copies = zip(*rows, strict=True)
        found = said_by(fields, envelopes, bodies)
        in_order = positions == tuple(range(self.position + 1, self.position + len(rows) + 1))
        if found is None or not in_order or not _fit(copies, found.said):
            return self._take_each(rows, leaves)
        chains, origin, keep, begun = self.chains, self.origin, leaves.append, positions[0]
        for (stream_id, version, _, recorded_at, leaf), prev_leaf, row in zip(*found, rows, strict=True):
            chain = chains.get(stream_id)
            if (
                chain is None
                or prev_leaf != chain.head_leaf
                or version != chain.version + 1
                or recorded_at < chain.recorded_at
                or origin != chain.origin
            ):
                if fault := self._take_any(row):
                    return fault
            else:
                self.position = chain.position = row[0]
                chain.version, chain.head_leaf, chain.recorded_at = version, leaf, recorded_at
            keep(leaf)
        self.leaf = leaves[-1]
        self.times = self.times.followed_by(claimed(begun, [each[3] for each in found.said]))
        return None

    def _take_each(self, rows: list[Row], leaves: list[bytes]) -> Fault | None:
        for row in rows:
            if fault := self._take_any(row):
                return fault
            leaves.append(self.leaf)
        return None

    def _take_any(self, row: Row) -> Fault | None:
        if row.position != self.position + 1:
            return self._fault(RowFault.POSITION, self.position + 1)
        try:
            seen = glance(row.envelope)
        except EnvelopeFault:
            return self._fault(FaultKind.ENVELOPE, row.position, row.copies.stream_id if row.copies else b"")
        leaf = leaf_hash(row.envelope)
        fault = self._fault_in_ledger(row, seen, leaf) or self._fault_in_stream(row, seen, leaf)
        if fault is None:
            if seen.origin != self.origin:
                self._change_origin(row.position, seen)
            self.position, self.leaf, self._head = row.position, leaf, head_of(row.envelope)
            self.times = self.times.followed_by(claimed(row.position, (seen.recorded_at,)))
        return fault

    def summary(self) -> Summary:
        """What holds so far."""
        events = self.position - self._begun_after
        return Summary(
            events=events,
            streams=len(self.chains),
            first_position=self._begun_after + 1 if events else 0,
            last_position=self.position,
            origin=self.origin,
            digest=self._digest,
            recorded_at=max((chain.recorded_at for chain in self.chains.values()), default=0),
            successions=tuple(self.successions),
            times=self.times,
        )

    def _change_origin(self, position: int, seen: Glance) -> None:
        if seen.type == LOG_SUCCEEDED:
            self.successions.append(Succession(position, self.origin, seen.origin))
        self.first_origin = self.first_origin or seen.origin
        self.origin = seen.origin

    def _fault_in_ledger(self, row: Row, seen: Glance, leaf: bytes) -> Fault | None:
        if self.origin not in ("", seen.origin) and not _succeeds(seen, self.origin):
            return self._fault(RowFault.LEDGER_ORIGIN, row.position, seen.stream_id)
        said = seen.stream_id, seen.version, seen.type, seen.recorded_at, leaf
        if row.copies is not None and row.copies != said:
            return self._fault(RowFault.COLUMN, row.position, seen.stream_id)
        return None

    def _fault_in_stream(self, row: Row, seen: Glance, leaf: bytes) -> Fault | None:
        known = self.chains.get(seen.stream_id)
        chain = known or self._chain_of(seen)
        kind = chain.follow(seen, row.body, leaf)
        if kind:
            return Fault(kind, row.position, seen.stream_id, chain.version + 1)
        chain.position = row.position
        if known is None:
            self.chains[seen.stream_id] = chain
        return None

    def _fault(self, kind: FaultKind | RowFault, position: int, stream_id: bytes = b"") -> Fault:
        chain = self.chains.get(stream_id)
        return Fault(kind, position, stream_id, chain.version + 1 if chain else 0)


def _fit(copies: Sequence[Copies | None], said: list[Said]) -> bool:
    """Whether the columns beside envelopes say what these say, or there are none."""
    return said == [*copies] or copies.count(None) == len(copies)


def _succeeds(seen: Glance, origin: str) -> bool:
    """Whether this event is the one with which the next log of the ledger begins."""
    return seen.type == LOG_SUCCEEDED and is_successor(seen.origin, origin)


def running_digest(before: bytes, position: int, leaf: bytes) -> bytes:
    """SHA-256(before || position as 8 bytes big-endian || leaf hash); `before` is empty for the first event."""
    return sha256(before + position.to_bytes(8, "big") + leaf).digest()


def digested(before: bytes, position: int, leaves: Iterable[bytes]) -> bytes:
    """The running digest after these leaves, the first of them behind `position`."""
    digest = before
    for at, leaf in enumerate(leaves, position + 1):
        digest = sha256(digest + at.to_bytes(8, "big") + leaf).digest()  # running_digest, unrolled
    return digest


def copies_of(envelope: Envelope, envelope_bytes: bytes) -> Copies:
    """What the columns beside an envelope must say."""
    return Copies(
        stream_id=envelope.stream_id,
        version=envelope.stream_version,
        type=envelope.type,
        recorded_at=envelope.recorded_at,
        leaf_hash=leaf_hash(envelope_bytes),
    )


def verify_rows(rows: Iterable[Row]) -> Fault | Summary:
    """The first fault of a ledger given from position 1 on in order of position, or what was checked."""
    walk = LedgerWalk()
    return walk.take_all(rows)[1] or walk.summary()
