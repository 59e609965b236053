"""The recipient's own ledger, as far as packages go. Every command may be sent again and is done once."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING
from uuid import UUID

import grpc

from consumers.command_ids import step_command_id
from consumers.fork_evidence import Fork
from consumers.patience import Patience
from consumers.receiving_hospital.change import Change
from consumers.receiving_hospital.inspection import Verified
from consumers.receiving_hospital.offer import Offer
from consumers.receiving_hospital.policy import Refusal
from consumers.receiving_hospital.received import Received
from ledger.api.v1.common_pb2 import Actor, CommandContext
from ledger.api.v1.transfers_pb2 import (
    AnswerPackageRequest,
    GetPackageRequest,
    MarkPackageOutdatedRequest,
    MarkPackageSinceForkRequest,
    PackageFault,
    PackageVerdict,
    ReceivedPackage,
    ReceivePackageRequest,
)

if TYPE_CHECKING:
    from ledger.api.v1.transfers_pb2_grpc import TransferServiceAsyncStub


class OwnLedger:
    """Reads and writes the received-package streams of one hospital."""

    def __init__(self, stub: TransferServiceAsyncStub, hospital: str, actor: Actor, patience: Patience) -> None:
        self._stub = stub
        self._hospital = hospital
        self._actor = actor
        self._patience = patience

    async def package(self, transfer_id: UUID) -> ReceivedPackage | None:
        """The package of a transfer as it stands; None where it never arrived."""
        request = GetPackageRequest(hospital=self._hospital, transfer_id=str(transfer_id))
        try:
            response = await self._patience.call(
                "GetPackage", lambda seconds: self._stub.GetPackage(request, timeout=seconds)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return response.package

    async def mark_outdated(self, change: Change, package_id: str) -> None:
        """Writes down that the sender has changed the record since."""
        context = self._context(change.transfer_id, "outdated")
        request = MarkPackageOutdatedRequest(context=context, package_id=package_id)
        await self._once(
            self._patience.call(
                "MarkPackageOutdated", lambda seconds: self._stub.MarkPackageOutdated(request, timeout=seconds)
            )
        )

    async def mark_since_fork(self, transfer_id: UUID, package_id: str, fork: Fork) -> None:
        """Writes down that the package came since its sender's log forked; once for each fork."""
        context = self._context(transfer_id, f"since-fork {fork.digest} {fork.common_size}")
        request = MarkPackageSinceForkRequest(
            context=context, package_id=package_id, log=fork.origin, common_size=fork.common_size
        )
        await self._once(
            self._patience.call(
                "MarkPackageSinceFork", lambda seconds: self._stub.MarkPackageSinceFork(request, timeout=seconds)
            )
        )

    async def receive(self, offer: Offer, received: Received) -> None:
        """Writes down that the package arrived, and what its check said."""
        request = ReceivePackageRequest(
            context=self._context(offer.transfer_id, "receive"),
            transfer_id=str(offer.transfer_id),
            sender=offer.sender,
            sender_origin=offer.sender_origin,
            sender_record_id=str(offer.record_id),
            kind=offer.kind,
            record_version=offer.record_version,
            package_sha256=received.sha256,
            package_size=received.size,
        )
        match received.check:
            case Verified(events, head_leaf):
                request.verified.CopyFrom(PackageVerdict(events=events, head_leaf=head_leaf))
            case rejection:
                request.fault.CopyFrom(PackageFault(code=rejection.code.name, text=rejection.text))
        await self._once(
            self._patience.call("ReceivePackage", lambda seconds: self._stub.ReceivePackage(request, timeout=seconds))
        )

    async def answer(self, offer: Offer, package_id: str, refusal: Refusal | None) -> None:
        """Accepts the package, or rejects it by the hospital's own rule."""
        request = AnswerPackageRequest(
            context=self._context(offer.transfer_id, "answer"),
            package_id=package_id,
            accept=refusal is None,
            code=refusal.code if refusal else "",
            text=refusal.text if refusal else "",
        )
        await self._once(
            self._patience.call("AnswerPackage", lambda seconds: self._stub.AnswerPackage(request, timeout=seconds))
        )

    async def _once(self, command: Awaitable[object]) -> None:
        try:
            await command
        except grpc.aio.AioRpcError as error:
            # An earlier run took this step and saw something else then, for example the offer not yet expired. What
            # it wrote stands; the caller reads the ledger again and goes on from there.
            if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise

    def _context(self, transfer_id: UUID, step: str) -> CommandContext:
        return CommandContext(
            hospital=self._hospital,
            command_id=step_command_id(self._hospital, transfer_id, step),
            actor=self._actor,
            correlation_id=str(transfer_id),
        )
