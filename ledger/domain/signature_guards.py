"""When a login may be said to have signed: never before there was anything to sign in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.role_kinds import INTERFACE
from ledger.domain.state import RecordState


def _signed_before(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    attestation = command.attestation
    # What another system holds was signed there, whenever that was: an earlier one's record, a laboratory's result.
    elsewhere = facts.context.historical or facts.context.actor.role == INTERFACE
    if attestation is None or attestation.signed_at is None or elsewhere:
        return
    # Care that is entered once it has begun may be signed in words of then. Clocks differ as much back as ahead.
    begins = [each for each in (record.registered_at, record.started_at) if each is not None]
    if begins and attestation.signed_at < min(begins) - facts.pack.ahead_max:
        yield Violation("attestation.signed_at", SIGNED_SINCE.rule, SIGNED_SINCE.demand)


SIGNED_SINCE = CommandGuard(
    "SIGNED_BEFORE_RECORD",
    "by login nobody signed before the record was registered and care began, but for what clocks differ",
    _signed_before,
    RefusalKind.INVALID,
)
