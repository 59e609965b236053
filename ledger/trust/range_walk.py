"""A ledger checked in ranges side by side, then joined: each range by itself, then each stream from range to range.

What a range says of a stream is where it must have stood before and where it stands after. Joined in order, the ranges
say what one walk over all of them says, and name the same first fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from struct import iter_unpack
from typing import NamedTuple

from ledger.trust.chain import ChainWalk, FaultKind
from ledger.trust.claimed_times import NOTHING_CLAIMED, ClaimedTimes
from ledger.trust.glance import Glance
from ledger.trust.lineage import Succession, is_successor
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Fault, LedgerWalk, Row, RowFault, Summary, digested


class Stood(NamedTuple):
    """Where a stream stands after some events."""

    version: int
    leaf: bytes
    recorded_at: int
    first_position: int
    last_position: int


class Joint(NamedTuple):
    """What one range holds of one stream."""

    version_before: int
    leaf_before: bytes
    first_recorded_at: int
    after: Stood


@dataclass(frozen=True, slots=True)
class RangeFound:
    """What a range holds: small enough to be handed from process to process."""

    first_position: int
    last_position: int
    first_origin: str
    origin: str
    """Of the last event."""
    leaves: bytes
    """Leaf hashes in order of position, joined."""
    joints: dict[bytes, Joint]
    fault: Fault | None
    """The first fault inside the range; everything else is of the events before it."""
    successions: tuple[Succession, ...] = ()
    times: ClaimedTimes = NOTHING_CLAIMED


class RangeWalk:
    """Walks the rows above a position; each needs its copies. A stream may begin in the middle here."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._walk = LedgerWalk(position=after, digesting=False, chain_of=self._opened)
        self._leaves: list[bytes] = []
        self._before: dict[bytes, tuple[int, bytes, int]] = {}
        self._first: dict[bytes, int] = {}
        self._fault: Fault | None = None

    def take(self, row: Row) -> Fault | None:
        """Checks the next row. A fault ends the walk."""
        return self.take_all((row,))

    def take_all(self, rows: Iterable[Row]) -> Fault | None:
        """Checks the next rows. A fault ends the walk."""
        leaves, self._fault = self._walk.take_all(rows)
        self._leaves += leaves
        return self._fault

    def found(self) -> RangeFound:
        """What the rows so far say."""
        joints = {stream_id: self._joint(stream_id, chain) for stream_id, chain in self._walk.chains.items()}
        return RangeFound(
            first_position=self._after + 1,
            last_position=self._walk.position,
            first_origin=self._walk.first_origin,
            origin=self._walk.origin,
            leaves=b"".join(self._leaves),
            joints=joints,
            fault=self._fault,
            successions=tuple(self._walk.successions),
            times=self._walk.times,
        )

    def _opened(self, seen: Glance) -> ChainWalk:
        self._first[seen.stream_id] = self._walk.position + 1
        self._before[seen.stream_id] = seen.version - 1, seen.prev_leaf, seen.recorded_at
        return ChainWalk(seen.stream_id, seen.version - 1, seen.prev_leaf)

    def _joint(self, stream_id: bytes, chain: ChainWalk) -> Joint:
        stood = Stood(chain.version, chain.head_leaf, chain.recorded_at, self._first[stream_id], chain.position)
        return Joint(*self._before[stream_id], stood)


class RangeJoin:
    """Joins ranges in order of position. Memory grows with the number of streams."""

    def __init__(self, watch: RootWatch, *, digesting: bool = False) -> None:
        """Without `digesting` the root of `watch` alone says which events they were, as the running digest would."""
        self._digesting = digesting
        self.streams: dict[bytes, Stood] = {}
        self.watch = watch
        self.position = 0
        self.leaf = b""
        """Leaf hash of the last event; empty before the first."""
        self._origin = ""
        self._successions: list[Succession] = []
        self._digest = b""
        self._events = 0
        self._times = NOTHING_CLAIMED

    def known(self, streams: dict[bytes, Stood], leaves: list[bytes], origin: str = "") -> Fault | None:
        """Begins after events that were verified earlier; SIGNED_ROOT where they are not what was signed.

        `origin`: of the last of them, where it was read; what follows must go on from it.
        """
        self.streams, self._origin = streams, origin
        self._times = ClaimedTimes(latest=self.recorded_at(), earliest=self.recorded_at())
        self._advance(leaves)
        return self.watch.take(leaves)

    def take(self, found: RangeFound) -> Fault | None:
        """The next range."""
        if found.first_position != self.position + 1:
            return Fault(RowFault.POSITION, self.position + 1, b"", 0)
        faults = [fault for each in found.joints.items() if (fault := self._fault_between(*each))]
        if found.first_origin and self._origin not in ("", found.first_origin) and not self._is_succeeded_by(found):
            faults.append(Fault(RowFault.LEDGER_ORIGIN, found.first_position, b"", 0))
        faults += [self._placed(found.fault)] if found.fault else []
        if faults:
            return min(faults, key=lambda fault: fault.position)
        # A range that begins with a LogSucceeded cannot know which log it follows.
        self._successions += [each._replace(ended=each.ended or self._origin) for each in found.successions]
        self._origin = found.origin or self._origin
        self.streams.update({stream_id: self._after(stream_id, joint) for stream_id, joint in found.joints.items()})
        leaves = [leaf for (leaf,) in iter_unpack(f"{HASH_BYTES}s", found.leaves)]
        self._advance(leaves)
        self._events += len(leaves)
        self._times = self._times.followed_by(found.times)
        return self.watch.take(leaves)

    def recorded_at(self) -> int:
        """The latest time that an event claims, Unix microseconds; 0 without events."""
        return max((each.recorded_at for each in self.streams.values()), default=0)

    def summary(self) -> Summary:
        """What holds so far; the events alone that were looked at whole."""
        first = self.position - self._events + 1 if self._events else 0
        return Summary(
            events=self._events,
            streams=len(self.streams),
            first_position=first,
            last_position=self.position,
            origin=self._origin,
            digest=self._digest,
            recorded_at=self.recorded_at(),
            successions=tuple(self._successions),
            times=self._times,
        )

    def _is_succeeded_by(self, found: RangeFound) -> bool:
        at_once = bool(found.successions) and found.successions[0].position == found.first_position
        return at_once and is_successor(found.first_origin, self._origin)

    def _advance(self, leaves: list[bytes]) -> None:
        if self._digesting:
            self._digest = digested(self._digest, self.position, leaves)
        self.position += len(leaves)
        self.leaf = leaves[-1] if leaves else self.leaf

    def _after(self, stream_id: bytes, joint: Joint) -> Stood:
        before = self.streams.get(stream_id)
        after = joint.after
        if before is None:
            return after
        return Stood(after.version, after.leaf, after.recorded_at, before.first_position, after.last_position)

    def _placed(self, fault: Fault) -> Fault:
        """The fault with the version that the stream should have had, where the range alone could not know it."""
        stood = self.streams.get(fault.stream_id)
        return replace(fault, version=stood.version + 1) if stood and fault.version == 0 else fault

    def _fault_between(self, stream_id: bytes, joint: Joint) -> Fault | None:
        before = self.streams.get(stream_id) or Stood(0, b"", 0, 0, 0)
        checks: tuple[tuple[bool, FaultKind], ...] = (
            (before.version == joint.version_before, FaultKind.VERSION),
            (before.leaf == joint.leaf_before, FaultKind.PREV_LEAF),
            (before.recorded_at <= joint.first_recorded_at, FaultKind.TIME),
        )
        kind = next((kind for holds, kind in checks if not holds), None)
        return Fault(kind, joint.after.first_position, stream_id, before.version + 1) if kind else None


Progress = Callable[[int, int], None]
"""Called with events done and events in all."""


def no_progress(_done: int, _of: int) -> None:
    """Nobody watches."""
