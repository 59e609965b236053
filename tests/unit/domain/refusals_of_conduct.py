"""Refusals by the declaration: what is nobody's to do, or nobody's any more; whom nothing is lent to or left to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.domain import course_commands as course
from ledger.domain.commands import Command
from tests.unit.domain.given import RECORD, SUPERIOR, Stream, emptied, nowhere
from tests.unit.domain.refusals import Case, asked, hold, seal, with_entry


def _in_error_after(do: Callable[[Stream], Any]) -> Callable[[Stream], Command]:
    """A declaration of a record whose every entry was retracted, that something stands on."""

    def command(stream: Stream) -> Command:
        do(stream)
        return course.DeclareEnteredInError(RECORD, "wrong patient", SUPERIOR, None, nowhere(stream.record))

    return command


OF_CONDUCT: list[Case] = [
    Case("HELD", with_entry(emptied, _in_error_after(hold))),
    Case("SEALED", with_entry(emptied, _in_error_after(seal))),
    Case("OPEN_REQUEST", with_entry(emptied, _in_error_after(asked))),
]
"""Each is refused by the rule of its command alone, whatever else the command may lack."""
