"""What a command lists: nothing twice, or a copy would be printed with it twice and an event say it twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState

REPEATED = "REPEATED"


def _named_once(field: str, demand: str) -> CommandGuard:
    def faults(command: Any, _: RecordState, __: Facts) -> Iterable[Violation]:
        seen: set[Any] = set()
        for index, each in enumerate(getattr(command, field)):
            if each in seen:
                yield Violation(f"{field}[{index}]", REPEATED, demand)
            seen.add(each)

    return CommandGuard(REPEATED, demand, faults, RefusalKind.INVALID)


ENTRIES_ONCE = _named_once("entry_ids", "an entry is named once")
TEMPLATES_ONCE = _named_once("templates", "a template is named once")
VERSIONS_ONCE = _named_once("versions", "a version of an entry is named once")
