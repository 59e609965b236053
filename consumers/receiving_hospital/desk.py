"""The desk of the receiving hospital: takes one message at a time from offer to answer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import grpc

from consumers.fork_evidence import Fork
from consumers.leaf_place import LeafPlace
from consumers.patience import Patience
from consumers.receiving_hospital.change import OUTDATED, Change, concerns, read_change
from consumers.receiving_hospital.fetching import SILENT_SECONDS_MAX, OpenChannel
from consumers.receiving_hospital.fork_rule import ForkRule, SenderForked
from consumers.receiving_hospital.hand_overs import HandOvers
from consumers.receiving_hospital.inspection import Verified
from consumers.receiving_hospital.kept_packages import KeptPackages
from consumers.receiving_hospital.offer import OFFERED, Offer, read_offer
from consumers.receiving_hospital.own_ledger import OwnLedger
from consumers.receiving_hospital.policy import AnswerPolicy, accept_verified
from consumers.receiving_hospital.received import Received, received_bytes, received_nothing
from consumers.receiving_hospital.reception import Answer, Circumstances, Fetch, Finished, Refuse, next_step
from consumers.receiving_hospital.rejection import RejectCode, Rejection
from consumers.registry import KnownHospital, Registry
from consumers.transfer_message import PoisonMessage, TransferMessage
from consumers.waiting_room import NotNow, WaitEnd

PACKAGE_BYTES_MAX = 64 * 1024 * 1024
_STEPS_MAX = 4
_REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)


class ReceivingDesk:
    """Handles the messages of one hospital's own transfer topic."""

    def __init__(
        self,
        hospital: str,
        *,
        own_ledger: OwnLedger,
        registry: Registry,
        kept: KeptPackages,
        open_channel: OpenChannel,
        patience: Patience,
        clock: Callable[[], datetime],
        policy: AnswerPolicy = accept_verified,
        fork_rule: ForkRule | None = None,
        package_bytes_max: int = PACKAGE_BYTES_MAX,
    ) -> None:
        """Without a `fork_rule` no log of a sender is asked."""
        self._hospital = hospital
        self._own_ledger = own_ledger
        self._registry = registry
        self._kept = kept
        self._hand_overs = HandOvers(open_channel, replace(patience, call_seconds_max=SILENT_SECONDS_MAX))
        self._clock = clock
        self._policy = policy
        self._fork_rule = fork_rule
        self._package_bytes_max = package_bytes_max
        self._waiting: dict[UUID, Offer] = {}
        """Offers that wait for their sender, by transfer, at most as many as the waiting room takes."""

    async def handle(self, message: TransferMessage) -> None:
        """Takes an offer to its end, and marks a package that its sender has changed since; all else is nobody's here.

        PoisonMessage where it can never be handled, NotNow where the sender does not answer, ServiceUnavailable where
        the own service does not. May be called again with the same message at any time: nothing is done twice.
        """
        kind = message.checked().type
        if kind == OFFERED:
            await _settled(self._take(read_offer(message)))
        elif kind == OUTDATED:
            await _settled(self._mark(read_change(message), message.place))

    async def give_up(self, message: TransferMessage, end: WaitEnd, later: NotNow) -> bool:
        """Rejects an offer that may not wait; writes news of a package down unproven, since it is a warning."""
        kind = message.checked().type
        why = Rejection(RejectCode[end.name], later.status.partition(":")[0])
        if kind == OFFERED:
            await _settled(self._give_back(read_offer(message), why))
        elif kind == OUTDATED:
            await _settled(self._mark_unproven(read_change(message), why))
        return kind in (OFFERED, OUTDATED)

    async def _take(self, offer: Offer) -> None:
        try:
            await self._to_the_end(offer)
        except NotNow:
            self._waiting[offer.transfer_id] = offer
            raise
        except Exception:
            self._hand_overs.drop(offer.transfer_id)
            raise
        self._hand_overs.drop(offer.transfer_id)
        self._waiting.pop(offer.transfer_id, None)

    async def _give_back(self, offer: Offer, why: Rejection) -> None:
        self._hand_overs.drop(offer.transfer_id)
        await self._to_the_end(offer, why)
        self._waiting.pop(offer.transfer_id, None)

    async def _mark(self, change: Change, place: LeafPlace) -> None:
        known = await self._own_ledger.package(change.transfer_id)
        if known is None:
            # A room that is filled anew takes its messages in the order of their ledger, so the offer is tried first.
            if change.transfer_id in self._waiting:
                raise NotNow("the sender of its package", "NOT_RECEIVED")
            return
        sender = await self._registry.by_id(known.sender)
        if not concerns(change, known, self._hospital, sender) or sender is None:
            return
        fork = await self._doubt(place, sender)
        await self._own_ledger.mark_outdated(change, known.package_id)
        if fork is not None:
            await self._own_ledger.mark_since_fork(change.transfer_id, known.package_id, fork)

    async def _doubt(self, place: LeafPlace, sender: KnownHospital) -> Fork | None:
        """The fork since which the news came: a warning is not held back for it, and what it is about is marked."""
        try:
            if self._fork_rule is None or await self._fork_rule.holds(place, sender):
                return None
        except SenderForked as seen:
            if seen.fork is not None:
                return seen.fork
            raise
        raise PoisonMessage(f"NOT_IN_LOG: {RejectCode.NOT_IN_LOG.value}")

    async def _mark_unproven(self, change: Change, why: Rejection) -> None:
        known = await self._own_ledger.package(change.transfer_id)
        if known is None:
            # Its offer waits still, and would be taken without the news: the sender offers what it has now.
            if (offer := self._waiting.get(change.transfer_id)) is not None:
                await self._give_back(offer, why)
            return
        if concerns(change, known, self._hospital, await self._registry.by_id(known.sender)):
            await self._own_ledger.mark_outdated(change, known.package_id)

    async def _to_the_end(self, offer: Offer, instead: Rejection | None = None) -> None:
        """`instead`: of fetching, this is said."""
        for _ in range(_STEPS_MAX):
            known = await self._own_ledger.package(offer.transfer_id)
            match next_step(offer, known, await self._circumstances(offer)):
                case Fetch(sender):
                    received = received_nothing(instead) if instead else await self._receive(offer, sender)
                    await self._own_ledger.receive(offer, received)
                case Refuse(rejection):
                    await self._own_ledger.receive(offer, received_nothing(rejection))
                case Answer(package_id):
                    await self._own_ledger.answer(offer, package_id, self._policy(offer))
                case Finished():
                    return
        raise PoisonMessage("NO_END: the package did not reach an answer")

    async def _circumstances(self, offer: Offer) -> Circumstances:
        sender = await self._registry.by_id(offer.sender)
        return Circumstances(self._hospital, self._clock(), sender, self._package_bytes_max)

    async def _receive(self, offer: Offer, sender: KnownHospital) -> Received:
        """The package as received; when its check says Verified, its bytes are kept for good before this returns."""
        if self._fork_rule and not await self._fork_rule.holds(offer.place, sender):
            return received_nothing(Rejection(RejectCode.NOT_IN_LOG, f"position {offer.position}"))
        self._kept.note_place(offer)
        kept = self._kept.read(offer.transfer_id)
        if kept is not None and isinstance((received := received_bytes(kept, offer)).check, Verified):
            return received
        fetched = await self._hand_overs.fetch(offer, sender.address)
        if isinstance(fetched, Rejection):
            return received_nothing(fetched)
        received = received_bytes(fetched, offer)
        if isinstance(received.check, Verified):
            self._kept.keep(offer.transfer_id, fetched)
        return received


async def _settled(work: Awaitable[None]) -> None:
    """PoisonMessage where a ledger refuses what the message asks for."""
    try:
        await work
    except grpc.aio.AioRpcError as error:
        if error.code() not in _REFUSED:
            raise
        raise PoisonMessage(f"REFUSED: a ledger answered {error.code().name}") from error
