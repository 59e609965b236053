"""Refusals outside the declaration that nothing else shows."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain import decide_entry, decide_rulebook
from ledger.domain.commands import RecordEntry
from ledger.domain.refusal import Refused
from ledger.domain.rule_packs import RulePacks
from ledger.domain.rulebook_commands import ChooseRulePack
from tests.unit.domain.given import RECORD, active, note, signed
from tests.unit.domain.refusals_of_decide import BOOK_FAULTS, FAULTY, Faulty
from tests.unit.domain.test_rulebook import Book


@pytest.mark.parametrize("case", FAULTY, ids=str)
def test_what_a_command_brings_is_refused_by_its_rule(case: Faulty) -> None:
    """At the field that is wrong."""
    stream, command = case.build()
    assert (case.place, case.rule) in stream.refused(command, **case.facts)[1]


@pytest.mark.parametrize(("field", "rule", "command", "known"), BOOK_FAULTS)
def test_what_a_command_on_the_rulebook_brings_is_refused(
    field: str, rule: str, command: Any, known: dict[str, Any]
) -> None:
    """By the rule of its field."""
    assert (field, rule) in [fault[:2] for fault in Book().refused(command, **known)]


def test_a_record_that_is_full_takes_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes 20,000 entries here: the limit is made small."""
    stream = active()
    stream.entry()
    monkeypatch.setattr(decide_entry, "ENTRIES_MAX", 1)
    refused = stream.refused(RecordEntry(RECORD, note(), signed()))
    assert refused[1] == [("record_id", "TOO_MANY_ENTRIES")]


def test_a_pack_that_this_release_cannot_read_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later release wrote it into the rulebook."""
    monkeypatch.setattr(decide_rulebook, "_is_readable", _never)
    refused = Book().refused(ChooseRulePack("cn-2010", 1, "in force"))
    assert [fault[:2] for fault in refused] == [("version", "UNREADABLE_RULE_PACK")]


def _never(_: object) -> bool:
    return False


def test_a_pack_that_is_not_there_has_no_newest_version() -> None:
    """Refused by name."""
    with pytest.raises(Refused) as refused:
        RulePacks.of(()).newest("mars-1")
    assert [each.rule for each in refused.value.violations] == ["UNKNOWN_RULE_PACK"]
