"""The chain of one stream: every event names the leaf hash of the one before it.

A chain that holds says that nothing between its first and its last event was altered, removed, added or reordered.
It does not say that nothing follows the last one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from ledger.trust.envelope import Envelope, decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.leaf import leaf_hash


class FaultKind(Enum):
    """What is wrong with an event in its stream."""

    ENVELOPE = "the envelope's bytes are not well formed"
    ORIGIN = "the origin differs from that of the event before"
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
    _origin: str = field(default="", init=False)
    _recorded_at: int = field(default=0, init=False)

    def take(self, link: Link) -> ChainFault | None:
        """Checks the next event; afterwards `version` and `head_leaf` are its own. A fault ends the walk."""
        try:
            envelope = decode(link.envelope)
        except EnvelopeFault:
            return self._fault(FaultKind.ENVELOPE, link)
        leaf = leaf_hash(link.envelope)
        kind = self._kind_of_fault(envelope, link, leaf)
        if kind:
            return self._fault(kind, link)
        self.version, self.head_leaf = envelope.stream_version, leaf
        self._origin, self._recorded_at = envelope.origin, envelope.recorded_at
        return None

    def _kind_of_fault(self, envelope: Envelope, link: Link, leaf: bytes) -> FaultKind | None:
        checks = (
            (envelope.stream_id == self.stream_id, FaultKind.STREAM),
            (self._origin in ("", envelope.origin), FaultKind.ORIGIN),
            (envelope.stream_version == self.version + 1, FaultKind.VERSION),
            (envelope.prev_leaf == self.head_leaf, FaultKind.PREV_LEAF),
            (envelope.recorded_at >= self._recorded_at, FaultKind.TIME),
            (envelope.body_sha256 == sha256(link.body).digest(), FaultKind.BODY),
            (link.kept_leaf is None or link.kept_leaf == leaf, FaultKind.LEAF),
        )
        return next((kind for holds, kind in checks if not holds), None)

    def _fault(self, kind: FaultKind, link: Link) -> ChainFault:
        return ChainFault(kind, self.version + 1, link.position)


def walk_chain(stream_id: bytes, links: Iterable[Link]) -> ChainFault | None:
    """The first fault of a whole stream given from version 1 on; None where the chain holds."""
    walk = ChainWalk(stream_id)
    return next((fault for fault in map(walk.take, links) if fault), None)
