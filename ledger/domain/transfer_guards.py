"""Guards on an offer to another hospital that is answered, taken back, or runs out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.transfer_state import OPEN, UNANSWERED, run_out
from ledger.domain.values import TransferState


def _unknown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    if command.transfer_id not in record.transfers:
        yield Violation("transfer_id", TRANSFER_KNOWN.rule, TRANSFER_KNOWN.demand)


def _open_in(states: frozenset[TransferState]) -> CommandGuard:
    def faults(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
        transfer = record.transfers.get(command.transfer_id)
        if transfer is not None and transfer.state not in states:
            yield Violation("transfer_id", "TRANSFER_NOT_OPEN", f"the transfer is {transfer.state}")

    return CommandGuard("TRANSFER_NOT_OPEN", f"the transfer is {', '.join(sorted(states))}", faults)


def _still_stands(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    transfer = record.transfers.get(command.transfer_id)
    if transfer is not None and transfer.state in UNANSWERED and not run_out(transfer, facts.now):
        yield Violation("transfer_id", HAS_RUN_OUT.rule, HAS_RUN_OUT.demand)


def _of_another(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    transfer = record.transfers.get(command.transfer_id)
    if transfer is not None and transfer.counterpart != command.recipient:
        yield Violation("recipient", BY_RECIPIENT.rule, BY_RECIPIENT.demand)


TRANSFER_KNOWN = CommandGuard("UNKNOWN_TRANSFER", "no such transfer of this record", _unknown, RefusalKind.NOT_FOUND)
OPEN_TO_WITHDRAW = _open_in(OPEN)
OPEN_TO_EXPIRE = _open_in(UNANSWERED | {TransferState.EXPIRED})
HAS_RUN_OUT = CommandGuard("NOT_EXPIRED", "its end has come", _still_stands)
BY_RECIPIENT = CommandGuard("NOT_THE_RECIPIENT", "the hospital answers to which the offer went", _of_another)
