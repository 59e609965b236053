"""What a sender's log says of an offer, under a head that the policy accepts and that grew from the one seen before."""

from __future__ import annotations

import asyncio
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
"""Offers of other senders wait behind this one."""


class GrowthUnproven(NotNow):
    """The log does not prove that it grew from the head seen before; it is asked again, and both sides are told."""


class SendersLogs:
    """The logs of a policy, each at the URL of its line. What was seen of them lies in the receiver's own folder."""

    def __init__(self, policy: Policy, folder: Path) -> None:
        self._logs = policy.logs
        self._seen = SeenCheckpoints(folder, policy)

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
        try:
            return await asyncio.to_thread(self._ask, log, offer)
        except LogUnreachable as error:
            raise NotNow(f"the log of {offer.sender_origin}", f"UNREACHABLE: {error}") from error
        except NotConsistent as error:
            raise GrowthUnproven(f"the log of {offer.sender_origin}", f"NotConsistent: {error}") from error
        except (LogHasEnded, EndNotRead, FormatFault) as error:
            raise NotNow(f"the log of {offer.sender_origin}", f"{type(error).__name__}: {error}") from error

    def _ask(self, peer: Peer, offer: Offer) -> Rejection | None:
        with LogOverHttp(peer.url, seconds_max=_ANSWER_SECONDS_MAX) as log:
            head = accepted_head(log, peer.url, self._seen)
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
