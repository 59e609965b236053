"""Writes answers into the sender's records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from consumers.command_ids import step_command_id
from consumers.patience import Patience
from consumers.receiving_hospital.fork_rule import ForkRule
from consumers.registry import KnownHospital, Registry
from consumers.transfer_answers.answer import Answer, read_answer
from consumers.transfer_message import PoisonMessage, TransferMessage
from consumers.waiting_room import NotNow, WaitEnd
from ledger.api.v1.common_pb2 import (
    TRANSFER_STATE_COMPLETED,
    TRANSFER_STATE_EXPIRED,
    TRANSFER_STATE_REJECTED,
    TRANSFER_STATE_SUPERSEDED,
    TRANSFER_STATE_WITHDRAWN,
    Actor,
    CommandContext,
)
from ledger.api.v1.records_pb2 import GetRecordRequest
from ledger.api.v1.transfers_pb2 import RecordTransferAnswerRequest, TransferAnswer

if TYPE_CHECKING:
    from ledger.api.v1.records_pb2_grpc import RecordServiceAsyncStub
    from ledger.api.v1.transfers_pb2_grpc import TransferServiceAsyncStub


_REFUSED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.NOT_FOUND,
)
_OVER = (
    TRANSFER_STATE_WITHDRAWN,
    TRANSFER_STATE_EXPIRED,
    TRANSFER_STATE_SUPERSEDED,
    TRANSFER_STATE_REJECTED,
    TRANSFER_STATE_COMPLETED,
)


class AnswerRecorder:
    """Handles the messages of one hospital's own transfer topic, as the sender."""

    def __init__(
        self,
        hospital: str,
        *,
        stub: TransferServiceAsyncStub,
        records: RecordServiceAsyncStub,
        registry: Registry,
        actor: Actor,
        patience: Patience,
        fork_rule: ForkRule | None = None,
    ) -> None:
        """Without a `fork_rule` no log of a recipient is asked."""
        self._hospital = hospital
        self._stub = stub
        self._records = records
        self._registry = registry
        self._actor = actor
        self._patience = patience
        self._fork_rule = fork_rule

    async def handle(self, message: TransferMessage) -> None:
        """Writes an answer into its record, once; other messages are none of its business.

        PoisonMessage where it can never be written, NotNow where the recipient's log does not hold it yet or has
        forked; ServiceUnavailable where the service does not answer.
        """
        answer = read_answer(message)
        if answer is None:
            return
        known = await self._recipient(answer)
        if self._fork_rule and not await self._fork_rule.holds(message.place, known):
            raise PoisonMessage("NOT_IN_LOG: the recipient's log has something else in the place of the answer")
        recipient = known.id
        request = self._request(answer, recipient)
        try:
            await self._patience.call(
                "RecordTransferAnswer", lambda seconds: self._stub.RecordTransferAnswer(request, timeout=seconds)
            )
        except grpc.aio.AioRpcError as error:
            if error.code() not in _REFUSED:
                raise
            if error.code() == grpc.StatusCode.FAILED_PRECONDITION and await self._is_over(answer, recipient):
                # The answer crossed a withdrawal or a later version on its way: nothing waits for it any more.
                return
            raise PoisonMessage(f"REFUSED: the own ledger answered {error.code().name}") from error

    async def give_up(self, message: TransferMessage, end: WaitEnd, later: NotNow) -> bool:  # noqa: ARG002  # no answer to an answer
        """Nobody waits for a word on an answer: a person looks, and meanwhile it waits on."""
        return False

    async def _is_over(self, answer: Answer, recipient: str) -> bool:
        request = GetRecordRequest(hospital=self._hospital, record_id=str(answer.record_id))
        response = await self._patience.call(
            "GetRecord", lambda seconds: self._records.GetRecord(request, timeout=seconds)
        )
        return any(
            each.transfer_id == str(answer.transfer_id) and each.counterpart == recipient and each.state in _OVER
            for each in response.record.transfers
        )

    async def _recipient(self, answer: Answer) -> KnownHospital:
        """Who answers: the body does not say it, the ledger from which the answer comes does."""
        if answer.sender != self._hospital:
            raise PoisonMessage("WRONG_SENDER: the answer is for another hospital")
        recipient = await self._registry.by_origin(answer.origin)
        if recipient is None:
            raise PoisonMessage("RECIPIENT_UNKNOWN: the registry knows no hospital with this origin")
        return recipient

    def _request(self, answer: Answer, recipient: str) -> RecordTransferAnswerRequest:
        return RecordTransferAnswerRequest(
            context=CommandContext(
                hospital=self._hospital,
                command_id=step_command_id(
                    self._hospital, answer.transfer_id, f"{recipient}/{TransferAnswer.Name(answer.kind)}"
                ),
                actor=self._actor,
                correlation_id=str(answer.transfer_id),
            ),
            record_id=str(answer.record_id),
            transfer_id=str(answer.transfer_id),
            recipient=recipient,
            answer=answer.kind,
            code=answer.code,
            text=answer.text,
        )
