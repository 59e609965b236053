"""Which versions a hold may list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState


def _unknown(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    for index, each in enumerate(command.versions):
        entry = record.entries.get(each.entry_id)
        if entry is None or not 1 <= each.version <= entry.last.version:
            yield Violation(f"versions[{index}]", VERSIONS_KNOWN.rule, VERSIONS_KNOWN.demand)


VERSIONS_KNOWN = CommandGuard("UNKNOWN_ENTRY", "no such version of an entry", _unknown, RefusalKind.NOT_FOUND)
