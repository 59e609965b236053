"""Who archives: the records office, or the doctor whose confirmation ends a visit on the short path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.refusal import Violation
from ledger.domain.state import RecordState


def _role_fault(_: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    name = "archive_short_path" if record.visit_type in facts.pack.short_path else "archive_record"
    if not facts.may(name):
        yield Violation("context.actor.role", ROLE_ARCHIVES.rule, ROLE_ARCHIVES.demand)


ROLE_ARCHIVES = CommandGuard(
    "ROLE_NOT_ALLOWED", "a role that the pack in force names", _role_fault, asks_roles=True, of_actor=True
)
