"""The rule against forks at a receiving hospital.

Nothing is taken that the sender's log does not hold, be it an offer, an answer or news of a package, and after a fork
nothing at all until a person has decided; what came since is marked, and both sides are told.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import grpc

from consumers.checkpoints import LogForked
from consumers.fork_evidence import Fork, fork_in
from consumers.leaf_place import LeafPlace
from consumers.patience import Patience, ServiceUnavailable
from consumers.reader_report import ReaderReport
from consumers.receiving_hospital.fetching import OpenChannel
from consumers.receiving_hospital.kept_packages import KeptPackages
from consumers.receiving_hospital.own_ledger import OwnLedger
from consumers.receiving_hospital.senders_logs import GrowthUnproven, SendersLogs
from consumers.registry import KnownHospital
from consumers.waiting_room import NotNow
from ledger.api.v1.common_pb2 import TRANSFER_STATE_ACCEPTED, TRANSFER_STATE_VERIFIED
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.trust.lineage import first_of

_TELL_ATTEMPTS_MAX = 2
FORKED, UNPROVEN, RUNNING = "forked", "unproven", "running"
_HELD = (TRANSFER_STATE_VERIFIED, TRANSFER_STATE_ACCEPTED)
_log = logging.getLogger(__name__)


class SenderForked(NotNow):
    """The sender's log has shown two trees, and a person decides."""

    def __init__(self, origin: str, seen: LogForked, fork: Fork | None) -> None:
        super().__init__(f"the log of {origin}", f"FORKED: {seen}")
        self.fork = fork


class ForkRule:
    """What one hospital holds its senders to."""

    def __init__(
        self,
        hospital: str,
        logs: SendersLogs,
        *,
        kept: KeptPackages,
        own_ledger: OwnLedger,
        open_channel: OpenChannel,
        patience: Patience,
        only_at: str = "",
    ) -> None:
        """`only_at`: only hospitals at this address are held to it; empty: every one."""
        self._only_at = only_at
        self._hospital = hospital
        self._logs = logs
        self._kept = kept
        self._own_ledger = own_ledger
        self._open_channel = open_channel
        # Whoever cannot be told is told another time: the offers of others wait behind this one.
        self._patience = replace(patience, attempts_max=_TELL_ATTEMPTS_MAX)
        self._marked: set[tuple[str, int]] = set()
        self._told: dict[str, str] = {}

    @property
    def state(self) -> str:
        """`forked` while a fork waits for a person, `unproven` while a log proves no growth, else `running`."""
        if self._logs.is_forked:
            return FORKED
        return UNPROVEN if self._logs.is_unproven else RUNNING

    async def holds(self, place: LeafPlace, sender: KnownHospital) -> bool:
        """Whether the sender's log holds the message in its place. NotNow where it waits, SenderForked among them."""
        if self._only_at and sender.address != self._only_at:
            return True
        try:
            held = await self._logs.holds(place)
        except LogForked as seen:
            fork = fork_in(seen.kept)
            if fork is not None:
                await self._mark(fork, sender.id)
            await self._tell(sender, FORKED)
            raise SenderForked(place.origin, seen, fork) from seen
        except GrowthUnproven:
            await self._tell(sender, UNPROVEN)
            raise
        await self._tell(sender, RUNNING)
        return held

    async def _mark(self, fork: Fork, sender: str) -> None:
        """Each package whose offer lies beyond what both trees have; one of which nobody knows where it lies, too."""
        if (fork.digest, fork.common_size) in self._marked:
            return
        for transfer_id in self._kept.transfers():
            place = self._kept.place(transfer_id)
            if place is not None and (
                first_of(place.origin) != first_of(fork.origin) or place.position <= fork.common_size
            ):
                continue
            known = await self._own_ledger.package(transfer_id)
            if known is not None and known.sender == sender and known.state in _HELD:
                await self._own_ledger.mark_since_fork(transfer_id, known.package_id, fork)
        self._marked.add((fork.digest, fork.common_size))

    async def _tell(self, sender: KnownHospital, state: str) -> None:
        """Shows the sender's service how its log fares here; where it does not answer, what was found stays found."""
        if self._told.get(sender.id) == state:
            return
        try:
            async with self._open_channel(sender.address) as channel:
                stub = OperationsServiceStub(channel)
                await ReaderReport(stub, sender.id, f"recipient:{self._hospital}", self._patience).say(state)
            self._told[sender.id] = state
        except (ServiceUnavailable, grpc.RpcError) as error:
            _log.warning("a sender could not be told", extra={"sender": sender.id, "why": type(error).__name__})
