"""What a sender's log says of an offer, under a head that the policy accepts and that grew from the one seen before."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path

from consumers.accepted_head import accepted_head
from consumers.checkpoints import EndNotRead, LogHasEnded, NotConsistent, SeenCheckpoints
from consumers.log_over_http import LogOverHttp, LogUnreachable
from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.rejection import RejectCode, Rejection
from consumers.waiting_room import NotNow
from ledger.log.log_proofs import inclusion_proof, kept_leaf_hash
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.lineage import first_of, number_of
from ledger.trust.merkle_check import check_inclusion
from ledger.trust.policy import Peer, Policy

_ANSWER_SECONDS_MAX = 5.0
_ASK_SECONDS_MAX = 10.0
"""For all that one offer needs of a log: those of other senders wait behind it."""
_PAUSE_SECONDS = 30.0
"""So long a log is not asked again that gave no head to go by, whatever waits for it."""


class GrowthUnproven(NotNow):
    """The log does not prove that it grew from the head seen before; it is asked again, and both sides are told."""


class SendersLogs:
    """The logs of a policy, each at the URL of its line. What was seen of them lies in the receiver's own folder."""

    def __init__(self, policy: Policy, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that only grow."""
        self._logs = policy.logs
        self._seen = SeenCheckpoints(folder, policy)
        self._clock = clock
        self._resting: dict[str, tuple[float, type[NotNow], str]] = {}
        """By URL of a log until when it is left alone, and why."""

    @property
    def is_forked(self) -> bool:
        """Whether one of them has shown two trees, and no person has decided yet."""
        return self._seen.is_forked

    @property
    def is_unproven(self) -> bool:
        """Whether one of them has not proven that its head grew from the one seen before."""
        return self._seen.is_unproven

    async def rejection(self, offer: Offer) -> Rejection | None:
        """None where the sender's newest head covers the offer and its log holds it.

        NotNow where the log does not answer, has no quorum yet or is behind the offer; GrowthUnproven;
        LogForked where it has shown two trees.
        """
        log = self._log_of(offer.sender_origin)
        if log is None:
            raise NotNow(f"the policy, asked for a log of {offer.sender_origin},", "NO_LOG")
        who = f"the log of {offer.sender_origin}"
        until, refusal, why = self._resting.get(log.url, (-math.inf, NotNow, ""))
        if self._clock() < until:
            raise refusal(who, why)
        try:
            return await asyncio.to_thread(self._ask, log, offer)
        except (LogUnreachable, NotConsistent, LogHasEnded, EndNotRead, FormatFault) as error:
            kind = "UNREACHABLE" if isinstance(error, LogUnreachable) else type(error).__name__
            refusal = GrowthUnproven if isinstance(error, NotConsistent) else NotNow
            self._resting[log.url] = self._clock() + _PAUSE_SECONDS, refusal, f"{kind}: {error}"
            raise refusal(who, f"{kind}: {error}") from error

    def _ask(self, peer: Peer, offer: Offer) -> Rejection | None:
        with LogOverHttp(peer.url, seconds_max=_ANSWER_SECONDS_MAX, in_all_max=_ASK_SECONDS_MAX) as log:
            head = accepted_head(log, self._seen)
            if head.size < offer.position:
                raise NotNow(f"the log of {offer.sender_origin}", f"BEHIND: {head.size} of {offer.position}")
            return _rejection(log, head, offer)

    def _log_of(self, origin: str) -> Peer | None:
        """The last one of the sender's ledger that the policy knows: it goes on for those before it."""
        logs = [each for each in self._logs if first_of(each.key.name) == first_of(origin) and each.url]
        return max(logs, key=lambda each: number_of(each.key.name), default=None)


def _rejection(log: LogOverHttp, head: Checkpoint, offer: Offer) -> Rejection | None:
    """What the signed tree has in the offer's place. Raises ProofFault where the tiles do not lead to its root."""
    index = offer.position - 1
    leaf = kept_leaf_hash(log, index, head.size)
    check_inclusion(leaf, index, head.size, inclusion_proof(log, index, head.size), head.root)
    return None if leaf == offer.leaf else Rejection(RejectCode.NOT_IN_LOG, f"position {offer.position}")
