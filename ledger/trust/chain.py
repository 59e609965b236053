"""The chain of one stream: every event names the leaf hash of the one before it.

A chain that holds says that nothing between its first and its last event was altered, removed, added or reordered.
It does not say that nothing follows the last one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import Glance, glance
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import is_at_or_after


class FaultKind(Enum):
    """What is wrong with an event in its stream."""

    ENVELOPE = "the envelope's bytes are not well formed"
    ORIGIN = "the origin is neither that of the event before nor of a log that succeeded it"
    STREAM = "the event belongs to another stream"
    VERSION = "the version does not follow the one before"
    PREV_LEAF = "prev_leaf is not the leaf hash of the event before"
    TIME = "recorded_at is earlier than that of the event before"
    BODY = "the body's digest is not the one in the envelope"
    LEAF = "the leaf hash kept beside the event is not that of its envelope"


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first fault of a stream."""

    kind: FaultKind
    version: int
    """Version at which the event was expected."""
    position: int | None
    """Position in the ledger, where the caller knew it."""


@dataclass(frozen=True, slots=True)
class Link:
    """One stored event as the chain sees it."""

    envelope: bytes
    body: bytes
    position: int | None = None
    kept_leaf: bytes | None = None
    """Leaf hash kept beside the event; None where there is no copy to compare."""


@dataclass(slots=True)
class ChainWalk:
    """Walks a stream event by event, from version 1 or from a known (version, leaf hash).

    Constant memory: a stream of any length can be walked while it is read.
    """

    stream_id: bytes
    version: int = 0
    head_leaf: bytes = b""
    recorded_at: int = 0
    """Of the last event, Unix microseconds."""
    origin: str = field(default="", init=False)
    """Of the last event."""
    position: int = field(default=0, init=False)
    """Of the last event in the ledger, where a walk over a ledger keeps it."""

    def take(self, link: Link) -> ChainFault | None:
        """Checks the next event; afterwards `version` and `head_leaf` are its own. A fault ends the walk."""
        try:
            seen = glance(link.envelope)
        except EnvelopeFault:
            return self._fault(FaultKind.ENVELOPE, link)
        leaf = leaf_hash(link.envelope)
        expected = self.version + 1
        kind = self.follow(seen, link.body, leaf)
        if kind is None and link.kept_leaf not in (None, leaf):
            kind = FaultKind.LEAF
        return ChainFault(kind, expected, link.position) if kind else None

    def follow(self, seen: Glance, body: bytes, leaf: bytes) -> FaultKind | None:
        """As `take`, where envelope and leaf hash are known already; what is wrong, if anything."""
        if seen.stream_id != self.stream_id:
            return FaultKind.STREAM
        if self.origin not in ("", seen.origin) and not is_at_or_after(seen.origin, self.origin):
            return FaultKind.ORIGIN
        if seen.version != self.version + 1:
            return FaultKind.VERSION
        if seen.prev_leaf != self.head_leaf:
            return FaultKind.PREV_LEAF
        if seen.recorded_at < self.recorded_at:
            return FaultKind.TIME
        if seen.body_sha256 != sha256(body).digest():
            return FaultKind.BODY
        self.version, self.head_leaf = seen.version, leaf
        self.origin, self.recorded_at = seen.origin, seen.recorded_at
        return None

    def _fault(self, kind: FaultKind, link: Link) -> ChainFault:
        return ChainFault(kind, self.version + 1, link.position)


def walk_chain(stream_id: bytes, links: Iterable[Link]) -> ChainFault | None:
    """The first fault of a whole stream given from version 1 on; None where the chain holds."""
    walk = ChainWalk(stream_id)
    return next((fault for fault in map(walk.take, links) if fault), None)
