"""Whether a sender's log holds what a message says.

Under a head that the policy accepts and that grew from the one seen before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consumers.accepted_head import accepted_head
from consumers.checkpoints import EndNotRead, LogForked, LogHasEnded, NotConsistent, SeenCheckpoints
from consumers.fork_evidence import fork_in, is_forked, is_unproven
from consumers.leaf_place import LeafPlace
from consumers.log_over_http import LogOverHttp, LogUnreachable
from consumers.waiting_room import NotNow
from ledger.log.log_proofs import inclusion_proof, kept_leaf_hash
from ledger.trust.format_fault import FormatFault
from ledger.trust.lineage import first_of, number_of
from ledger.trust.merkle_check import check_inclusion
from ledger.trust.policy import Peer, Policy

_ANSWER_SECONDS_MAX = 5.0
_ASK_SECONDS_MAX = 10.0
"""For all that one message needs of a log: those of other senders wait behind it."""
_PAUSE_SECONDS = 30.0
"""So long a log is not asked again that gave no head to go by, whatever waits for it."""
_QUICK_SECONDS = 1.0
_REST_PER_ASK = 3.0
"""A log that takes longer rests three times as long: what waits for it takes a quarter of the time at most."""


ReadPolicy = Callable[[], Policy]
"""The policy as it is now; NotNow where it cannot be read for the moment."""


class GrowthUnproven(NotNow):
    """The log does not prove that it grew from the head seen before; it is asked again, and both sides are told."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """A log that is left alone."""

    until: float
    refusal: type[NotNow]
    why: str
    fork: LogForked | None = None


class SendersLogs:
    """The logs of a policy, each at the URL of its line. What was seen of them lies in the receiver's own folder."""

    def __init__(self, policy: ReadPolicy, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that only grow."""
        self._policy = policy
        self._folder = folder
        self._clock = clock
        self._resting: dict[str, _Rest] = {}
        """By URL of a log."""

    @property
    def is_forked(self) -> bool:
        """Whether one of them has shown two trees, and no person has decided yet."""
        return is_forked(self._folder)

    @property
    def is_unproven(self) -> bool:
        """Whether one of them has not proven that its head grew from the one seen before."""
        return is_unproven(self._folder)

    async def holds(self, place: LeafPlace) -> bool:
        """Whether the log, under its newest head, holds the leaf in its place.

        NotNow where the log does not answer, has no quorum yet or is behind the place; GrowthUnproven;
        LogForked where it has shown two trees.
        """
        policy = self._policy()
        log = _log_of(place.origin, policy)
        if log is None:
            raise NotNow(f"the policy, asked for a log of {place.origin},", "NO_LOG")
        who, begun = f"the log of {place.origin}", self._clock()
        self._refuse_at_rest(log, who)
        try:
            held = await asyncio.to_thread(_ask, log, SeenCheckpoints(self._folder, policy), place)
        except LogForked as fork:
            self._resting[log.url] = _Rest(self._clock() + _PAUSE_SECONDS, NotNow, "", fork)
            raise
        except (LogUnreachable, NotConsistent, LogHasEnded, EndNotRead, FormatFault) as error:
            kind = "UNREACHABLE" if isinstance(error, LogUnreachable) else type(error).__name__
            refusal = GrowthUnproven if isinstance(error, NotConsistent) else NotNow
            self._resting[log.url] = _Rest(self._clock() + _PAUSE_SECONDS, refusal, f"{kind}: {error}")
            raise refusal(who, f"{kind}: {error}") from error
        if (taken := self._clock() - begun) > _QUICK_SECONDS:
            rest = _Rest(self._clock() + _REST_PER_ASK * taken, NotNow, f"SLOW: {taken:.0f} s for an answer")
            self._resting[log.url] = rest
        return held

    def _refuse_at_rest(self, log: Peer, who: str) -> None:
        rest = self._resting.get(log.url)
        if rest is None or self._clock() >= rest.until:
            return
        if rest.fork is None:
            raise rest.refusal(who, rest.why)
        # What a person has decided of meanwhile is asked for at once.
        if fork_in(rest.fork.kept) is not None:
            raise LogForked(rest.fork.origin, rest.fork.consistent_size, rest.fork.kept)


def _log_of(origin: str, policy: Policy) -> Peer | None:
    """The last one of the sender's ledger that the policy knows: it goes on for those before it."""
    logs = [each for each in policy.logs if first_of(each.key.name) == first_of(origin) and each.url]
    return max(logs, key=lambda each: number_of(each.key.name), default=None)


def _ask(peer: Peer, seen: SeenCheckpoints, place: LeafPlace) -> bool:
    """What the signed tree has in the place. Raises ProofFault where the tiles do not lead to its root."""
    with LogOverHttp(peer.url, seconds_max=_ANSWER_SECONDS_MAX, in_all_max=_ASK_SECONDS_MAX) as log:
        head = accepted_head(log, seen)
        if head.size < place.position:
            raise NotNow(f"the log of {place.origin}", f"BEHIND: {head.size} of {place.position}")
        index = place.position - 1
        leaf = kept_leaf_hash(log, index, head.size)
        check_inclusion(leaf, index, head.size, inclusion_proof(log, index, head.size), head.root)
        return leaf == place.leaf
