"""Builds the handlers of a hospital's transfer topic: what its service, its folders and its policies are joined in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio

from consumers.both_sides import BothSides
from consumers.follower import Desk, Say
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
from ledger.cli.senders_trust import SendersTrust

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
        trust: SendersTrust | None = None,
    ) -> None:
        """`trust`: in the logs of other hospitals; without it they are not asked."""
        self._trust = trust
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

    async def both_sides(self, hospital: str) -> Desk:
        """Offers and answers, under one memory of what logs have shown."""
        rule = await self._fork_rule(hospital, self._folder / hospital / CHECKPOINTS)
        return BothSides(await self._desk(hospital, rule), await self._recorder(hospital, rule))

    async def receiving(self, hospital: str) -> Desk:
        """Offers to the hospital."""
        return await self._desk(hospital, await self._fork_rule(hospital, self._folder / hospital / CHECKPOINTS))

    async def answers(self, hospital: str) -> Desk:
        """Answers to the hospital's offers."""
        # A program of its own has a memory of its own: two would write over each other's.
        folder = self._folder / hospital / "transfer-answers" / CHECKPOINTS
        return await self._recorder(hospital, await self._fork_rule(hospital, folder))

    async def _fork_rule(self, hospital: str, folder: Path) -> ForkRule | None:
        if self._trust is None:
            return None
        rule = ForkRule(
            hospital,
            SendersLogs(self._trust.policy, folder),
            kept=self._kept(hospital),
            own_ledger=await self._own_ledger(hospital),
            open_channel=open_channel,
            patience=self._patience,
            only_at=self._trust.only_at,
        )
        self._fork_rules[hospital] = rule
        return rule

    async def _own_ledger(self, hospital: str) -> OwnLedger:
        actor = await program_actor(self._patients, hospital, "receiving-hospital", self._patience)
        return OwnLedger(self._transfers, hospital, actor, self._patience)

    def _kept(self, hospital: str) -> KeptPackages:
        return KeptPackages(self._folder / hospital / "packages")

    async def _desk(self, hospital: str, fork_rule: ForkRule | None) -> ReceivingDesk:
        return ReceivingDesk(
            hospital,
            own_ledger=await self._own_ledger(hospital),
            registry=self.registry,
            kept=self._kept(hospital),
            open_channel=open_channel,
            patience=self._patience,
            clock=self._clock,
            policy=self._policy,
            fork_rule=fork_rule,
        )

    async def _recorder(self, hospital: str, fork_rule: ForkRule | None) -> AnswerRecorder:
        actor = await program_actor(self._patients, hospital, "transfer-answers", self._patience)
        return AnswerRecorder(
            hospital,
            stub=self._transfers,
            records=self._records,
            registry=self.registry,
            actor=actor,
            patience=self._patience,
            fork_rule=fork_rule,
        )
