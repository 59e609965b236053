"""Builds the handlers of a hospital's transfer topic: what its service, its folders and its policies are joined in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio

from consumers.both_sides import BothSides
from consumers.follower import Handle, Say
from consumers.patience import Patience
from consumers.program_actor import program_actor
from consumers.receiving_hospital.desk import ReceivingDesk
from consumers.receiving_hospital.fork_rule import RUNNING, ForkRule
from consumers.receiving_hospital.kept_packages import KeptPackages
from consumers.receiving_hospital.own_ledger import OwnLedger
from consumers.receiving_hospital.policy import AnswerPolicy, accept_verified
from consumers.receiving_hospital.senders_logs import SendersLogs
from consumers.registry import Registry
from consumers.transfer_answers.recorder import AnswerRecorder
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.trust.policy import Policy

CHECKPOINTS = "checkpoints"
"""Where a receiver keeps what logs have shown, in its own folder."""
PATIENCE = Patience()
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]


def open_channel(address: str) -> grpc.aio.Channel:
    """A channel to a service."""
    # Every listener is loopback only until authentication exists; then this becomes a secure channel.
    return grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)


def clock() -> datetime:
    """Of the programs that follow topics."""
    return datetime.now(UTC)


class Desks:
    """Builds the handlers of a hospital's topic on one service."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        address: str,
        folder: Path,
        clock: Callable[[], datetime] = clock,
        policy: AnswerPolicy = accept_verified,
        patience: Patience = PATIENCE,
        log_policy: Policy | None = None,
    ) -> None:
        """`log_policy`: of the senders' logs; without one they are not asked."""
        self._log_policy = log_policy
        self._fork_rules: dict[str, ForkRule] = {}
        self._patience = patience
        self._folder = folder
        self._clock = clock
        self._policy = policy
        self.registry = Registry(HospitalServiceStub(channel), address, patience)
        self._patients = PatientServiceStub(channel)
        self._records = RecordServiceStub(channel)
        self._transfers = TransferServiceStub(channel)

    def say_for(self, hospital: str, say: Say) -> Say:
        """What its reader says, with `forked` for as long as a fork of a sender's log waits for a person."""

        async def said(state: str, dead_letters: int, waiting: int) -> None:
            rule = self._fork_rules.get(hospital)
            await say(rule.state if rule and state == RUNNING else state, dead_letters, waiting)

        return said

    async def both_sides(self, hospital: str) -> Handle:
        """Offers and answers."""
        return BothSides(await self._desk(hospital), await self._recorder(hospital)).handle

    async def receiving(self, hospital: str) -> Handle:
        """Offers to the hospital."""
        return (await self._desk(hospital)).handle

    async def answers(self, hospital: str) -> Handle:
        """Answers to the hospital's offers."""
        return (await self._recorder(hospital)).handle

    async def _desk(self, hospital: str) -> ReceivingDesk:
        actor = await program_actor(self._patients, hospital, "receiving-hospital", self._patience)
        own_ledger = OwnLedger(self._transfers, hospital, actor, self._patience)
        kept = KeptPackages(self._folder / hospital / "packages")
        if self._log_policy:
            logs = SendersLogs(self._log_policy, self._folder / hospital / CHECKPOINTS)
            self._fork_rules[hospital] = ForkRule(
                hospital, logs, kept=kept, own_ledger=own_ledger, open_channel=open_channel, patience=self._patience
            )
        return ReceivingDesk(
            hospital,
            own_ledger=own_ledger,
            registry=self.registry,
            kept=kept,
            open_channel=open_channel,
            patience=self._patience,
            clock=self._clock,
            policy=self._policy,
            fork_rule=self._fork_rules.get(hospital),
        )

    async def _recorder(self, hospital: str) -> AnswerRecorder:
        actor = await program_actor(self._patients, hospital, "transfer-answers", self._patience)
        return AnswerRecorder(
            hospital,
            stub=self._transfers,
            records=self._records,
            registry=self.registry,
            actor=actor,
            patience=self._patience,
        )
