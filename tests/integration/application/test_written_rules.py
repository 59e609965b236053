"""What records go by stands in the hospital's ledger before them, whatever a crash or another server does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.application import known_codes, rules_in_force, written_rules
from ledger.application.ledger import Ledger
from ledger.application.who_icd10 import SYSTEM, who_icd10
from ledger.domain.hospital_rules import HospitalRules
from ledger.domain.refusal import Refused
from ledger.store.append import Append, Verdict
from ledger.store.committer import GroupCommitter
from ledger.store.errors import StoreUnavailable
from ledger.store.reading import EventReader
from tests.contract.edge import requests
from tests.contract.edge.rulebook_requests import choose
from tests.integration.application.written import HOSPITAL, execute, record_under_care, registered_patient

OPENING = ["RulePackAdded", "RulePackChosen", "TemplatesAdded"]
CHOOSE = "ledger.api.v1.RulebookService/ChooseRulePack"


async def test_what_a_record_goes_by_stands_before_it(ledger: Ledger, other: Ledger) -> None:
    """The release's pack and templates, once in a hospital, in one stream; nothing is left for any other process."""
    first = await record_under_care(ledger)
    await record_under_care(other)
    await execute(other, requests.record_entry(str(first)))
    assert await _types(ledger) == [
        *("PatientRegistered", *OPENING, "RecordRegistered", "CareStarted"),
        *("PatientRegistered", "RecordRegistered", "CareStarted", "EntryRecorded"),
    ]
    rules = await ledger.rules(HOSPITAL)
    assert (rules.in_force, rules.book.chosen, rules.unwritten_templates) == (("cn-2010", 1), ("cn-2010", 1), set())
    assert {each.added_by.role for each in rules.book.packs.values()} == {"system"}


async def test_two_servers_at_once_open_one_rulebook(ledger: Ledger, other: Ledger) -> None:
    """Ten first records at either: one of the servers writes, all go on."""
    await asyncio.gather(*(record_under_care(each) for _ in range(10) for each in (ledger, other)))
    found = await _types(ledger)
    assert [each for each in found if each in OPENING] == OPENING
    assert found.index("TemplatesAdded") < found.index("RecordRegistered")


async def test_who_is_refused_writes_no_rules(ledger: Ledger) -> None:
    """The first registration of a hospital, of a patient whom nobody knows."""
    with pytest.raises(Refused):
        await execute(ledger, requests.register_record(str(UUID(int=7))))
    assert await ledger.head(HOSPITAL) == 0


async def test_rules_are_whole_or_not_there(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is lost before and after they are written: the command is not done, and done whole when sent again."""
    patient_id = await registered_patient(ledger)
    first = requests.register_record(patient_id)
    append = GroupCommitter.append

    def lost(*, of_rules: bool) -> Any:
        async def lost(self: GroupCommitter, work: Append) -> Verdict:
            if (work.rpc == written_rules.RPC) is of_rules:
                raise StoreUnavailable
            return await append(self, work)

        return lost

    for of_rules, there in ((True, []), (False, OPENING)):
        monkeypatch.setattr(GroupCommitter, "append", lost(of_rules=of_rules))
        with pytest.raises(StoreUnavailable):
            await execute(ledger, first)
        assert await _types(ledger) == ["PatientRegistered", *there]
    monkeypatch.undo()
    await execute(ledger, first)
    assert await _types(ledger) == ["PatientRegistered", *OPENING, "RecordRegistered"]


async def test_a_hospital_that_chose_has_the_templates_too(ledger: Ledger) -> None:
    """Its choice stands, and what its entries may name is written beside it."""
    await ledger.execute(CHOOSE, choose("us-generic", 1))
    record_id = await record_under_care(ledger)
    found = await _types(ledger)
    assert [each for each in found if each in OPENING] == OPENING
    assert found.index("RulePackChosen") < found.index("PatientRegistered") < found.index("TemplatesAdded")
    assert (await ledger.record(HOSPITAL, record_id)).state.rule_pack == "us-generic"


async def test_templates_of_a_later_release_stand_before_the_first_entry(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry is enough: nobody need be registered under it. A batch hands it on to be done by itself."""
    record_id = await record_under_care(ledger)
    monkeypatch.setattr(HospitalRules, "unwritten_templates", property(_without_last_release))
    entries = [requests.record_entry(str(record_id), text) for text in ("one", "two")]
    calls = [("ledger.api.v1.RecordService/RecordEntry", each) for each in entries]
    assert await other.execute_together(HOSPITAL, calls) == [None, None]
    await execute(other, entries[0])
    assert (await _types(ledger))[-2:] == ["TemplatesAdded", "EntryRecorded"]
    outcomes = await other.execute_together(HOSPITAL, [calls[1], _call(requests.record_entry(str(record_id)))])
    assert [each and each.events for each in outcomes] == [1, 1]


def _without_last_release(self: HospitalRules) -> frozenset[tuple[str, int]]:
    """As if the rulebook had been written by a release that had no general note."""
    return frozenset({("general", 1)}) if len(self.book.templates) < 2 else frozenset()


async def test_a_table_of_codes_is_noted_before_the_first_entry(ledger: Ledger, other: Ledger) -> None:
    """Once, whichever server is asked; the code stands there with its version and title."""
    record_id = await record_under_care(ledger)
    await execute(other, _coded(record_id))
    await execute(ledger, _coded(record_id))
    assert (await _types(ledger))[-3:] == ["CodeTableNoted", "EntryRecorded", "EntryRecorded"]
    table = who_icd10()
    assert (await ledger.rules(HOSPITAL)).book.tables == {(SYSTEM, table.version): table.sha256}
    view = await ledger.record(HOSPITAL, record_id)
    codings = [each.last.content.sections[0].fields[0].coding for each in view.state.entries.values()]
    assert {(each.version, each.display) for each in codings if each} == {("2019", table.codes["I21.0"])}


async def test_another_table_under_a_noted_version_is_refused(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a server that has another file, and however lately the first was noted; words are taken all the same."""
    record_id = await record_under_care(other)
    await record_under_care(ledger)
    await execute(ledger, _coded(record_id))
    monkeypatch.setattr(known_codes, "who_icd10", lambda: replace(who_icd10(), sha256=bytes(32)))
    with pytest.raises(Refused) as refused:
        await execute(other, _coded(record_id))
    assert [each.rule for each in refused.value.violations] == ["CODE_TABLE_CHANGED"]
    await execute(other, requests.record_entry(str(record_id)))


async def test_a_command_costs_what_it_did(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the rules stand, an entry is one append and no look at the rulebook, a registration one read of it."""
    monkeypatch.setattr(rules_in_force, "FRESH_SECONDS", float("inf"))
    patient_id = await registered_patient(ledger)
    record_id = str((await execute(ledger, requests.register_record(patient_id))).record_id)
    await execute(ledger, requests.start_care(record_id))
    (book,) = {row.stream_id for row in await ledger.read_positions(HOSPITAL, 1, 3)}
    done: list[tuple[str, object]] = []
    _noted(monkeypatch, done, EventReader, ("read_stream", "reservation", "reservation_many", "stream_head"))
    _noted(monkeypatch, done, GroupCommitter, ("append",))
    await execute(ledger, requests.record_entry(record_id))
    assert [name for name, _ in done] == ["append"]
    done.clear()
    await execute(ledger, requests.register_record(patient_id, 2))
    of_book = [name for name, of in done if of == book]
    assert (of_book, [name for name, _ in done].count("append")) == (["read_stream"], 1)


def _noted(
    monkeypatch: pytest.MonkeyPatch, done: list[tuple[str, object]], of: type[Any], names: tuple[str, ...]
) -> None:
    def noting(name: str, call: Any) -> Any:
        async def noted(self: Any, *args: Any, **named: Any) -> Any:
            done.append((name, args[1] if len(args) > 1 else None))
            return await call(self, *args, **named)

        return noted

    made: Mapping[str, Any] = {name: noting(name, getattr(of, name)) for name in names}
    for name, call in made.items():
        monkeypatch.setattr(of, name, call)


def _coded(record_id: UUID) -> records.RecordEntryRequest:
    entry = requests.record_entry(str(record_id))
    coding = common.Coding(system=SYSTEM, code="I21.0")
    entry.content.sections[0].fields.append(common.Field(code="diagnosis", coding=coding))
    return entry


def _call(request: records.RecordEntryRequest) -> tuple[str, records.RecordEntryRequest]:
    return "ledger.api.v1.RecordService/RecordEntry", request


async def _types(ledger: Ledger) -> list[str]:
    return [row.type.removeprefix("ledger.v1.") for row in await ledger.read_positions(HOSPITAL, 0, 200)]
