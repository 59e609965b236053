"""Rules added by one server process count in every other at its next command, and for ever after a restart."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import records_pb2 as records
from ledger.application import rules_in_force
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.config import Settings
from ledger.domain.refusal import Refused
from tests.contract.edge import requests
from tests.contract.edge.rulebook_requests import HOUSE, add_pack, add_templates, choose, triage_note
from tests.integration.application.written import HOSPITAL, execute, record_under_care
from tests.services.sealed import FIXED_KEY


async def write(ledger: Ledger, *commands: Message) -> list[Outcome]:
    """Commands on the rulebook, one after the other."""
    names = [type(each).__name__.removesuffix("Request") for each in commands]
    rpcs = [f"ledger.api.v1.RulebookService/{name}" for name in names]
    return [await ledger.execute(rpc, each) for rpc, each in zip(rpcs, commands, strict=True)]


async def test_another_process_goes_by_the_choice_at_its_next_registration(ledger: Ledger, other: Ledger) -> None:
    """It read the rules a moment ago: registrations ask for the newest ones all the same."""
    old = await record_under_care(other)
    await write(ledger, add_templates(), add_pack(), choose())
    new = await record_under_care(other)
    states = [(await other.record(HOSPITAL, each)).state for each in (old, new)]
    assert [(each.rule_pack, each.retention_class) for each in states] == [("cn-2010", "inpatient"), ("house", "house")]


async def test_another_process_finds_what_it_has_never_heard_of(ledger: Ledger, other: Ledger) -> None:
    """A record's pack and an entry's template are looked for before they are refused, however fresh its rules are."""
    await record_under_care(other)
    await write(ledger, add_templates(), add_pack(), choose())
    record_id = await record_under_care(ledger)
    assert (await execute(other, triage_note(str(record_id)))).events == 1
    await record_under_care(other)
    newer = add_templates(add_templates().text.replace("version = 1", "version = 2"))
    await write(ledger, newer)
    again = triage_note(str(record_id))
    again.content.template_version = 2
    assert (await execute(other, again)).events == 1
    await write(ledger, add_templates(add_templates().text.replace("triage_note", "dusk_note")))
    reopening = keeping.RequestReopenRequest(
        context=requests.context(), record_id=str(record_id), reason="why", templates=["dusk_note", "no_note"]
    )
    with pytest.raises(Refused) as refused:
        await other.execute("ledger.api.v1.KeepingService/RequestReopen", reopening)
    unknown = [each.field for each in refused.value.violations if each.rule == "UNKNOWN_TEMPLATE"]
    assert unknown == ["templates[1]"]


async def test_what_names_no_rule_goes_by_rules_of_at_most_a_second_ago(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far a time may lie ahead on a patient's stream: within the second as before, after it as chosen."""
    patient = requests.register_patient()
    patient.context.occurred_at.CopyFrom(requests.ahead(1))
    monkeypatch.setattr(rules_in_force, "FRESH_SECONDS", float("inf"))
    await record_under_care(other)
    ahead = 'ahead_seconds_max = { figure = 7200, source = "x", unconfirmed = true }\n'
    await write(ledger, add_pack(f'id = "villa"\nversion = 1\nextends = "cn-2010@1"\n{ahead}'), choose("villa"))
    with pytest.raises(Refused) as refused:
        await execute(other, patient)
    assert [each.rule for each in refused.value.violations] == ["TIME_IN_FUTURE"]
    monkeypatch.setattr(rules_in_force, "FRESH_SECONDS", 0.0)
    assert (await execute(other, patient)).events == 1


async def test_every_reader_finds_the_pack_after_a_restart(settings: Settings, ledger: Ledger) -> None:
    """Deadlines, retention, allowed actions and what is missing at submission, from the stored events alone."""
    await write(ledger, add_templates(), add_pack(), choose())
    record_id = await record_under_care(ledger)
    started = await Ledger.open(settings, FIXED_KEY, FIXED_KEY)
    try:
        outlook = await started.outlook(HOSPITAL)
        found = await outlook.deadlines(record_id)
        assert "triage" in {each.rule for each, _ in found.deadlines}
        _, actions = await outlook.allowed_actions(record_id)
        assert actions
        await _end_care(started, record_id)
        retention = await outlook.retention(record_id)
        ended = (await started.record(HOSPITAL, record_id)).state.ended_at
        assert ended is not None
        assert retention.computed.until[:4] == str(ended.year + 40)
        assert "triage_note" in await _missing(started, record_id)
    finally:
        await started.close()


async def test_a_record_keeps_its_pack_when_the_hospital_chooses_another(ledger: Ledger, other: Ledger) -> None:
    """A later version of the pack and then another pack: the record is handed in by the one it was registered with."""
    await write(ledger, add_templates(), add_pack(), choose())
    record_id = await record_under_care(ledger)
    without = HOUSE.partition("[[mandatory]]")[0].replace("version = 1", "version = 2")
    await write(ledger, add_pack(without), choose("house", 2), choose("us-generic", 1))
    await _end_care(other, record_id)
    assert "triage_note" in await _missing(other, record_id)
    fresh = await record_under_care(other)
    assert (await other.record(HOSPITAL, fresh)).state.rule_pack == "us-generic"
    await _end_care(other, fresh)
    assert "triage_note" not in await _missing(other, fresh)


async def test_two_processes_that_open_the_rulebook_at_once_have_one(ledger: Ledger, other: Ledger) -> None:
    """The one that was slower goes on in the other's stream; both texts are there."""
    second = 'id = "villa"\nversion = 1\nextends = "cn-2010@1"\n'
    first, later = await asyncio.gather(write(ledger, add_templates()), write(other, add_pack(second)))
    assert first[0].record_id == later[0].record_id
    rules = await ledger.rules(HOSPITAL)
    assert rules.pack_text(("villa", 1)) is not None
    assert rules.template(("triage_note", 1)) is not None
    assert {each.stream_id for each in await ledger.read_positions(HOSPITAL, 0, 10)} == {first[0].record_id}


async def test_the_rulebook_is_no_record(ledger: Ledger) -> None:
    """A command on a record that names it is refused, and it stands in no list of records."""
    (added,) = await write(ledger, add_templates())
    assert await ledger.list_records(HOSPITAL, 0, 10) == []
    with pytest.raises(Refused) as refused:
        await execute(ledger, requests.start_care(str(added.record_id)))
    assert [each.rule for each in refused.value.violations] == ["WRONG_STREAM"]


async def _end_care(ledger: Ledger, record_id: UUID) -> None:
    end = records.EndCareRequest(
        context=requests.context(), record_id=str(record_id), disposition=common.DISPOSITION_HOME
    )
    await execute(ledger, end)


async def _missing(ledger: Ledger, record_id: UUID) -> str:
    """What is said of the record when it is handed in."""
    with pytest.raises(Refused) as refused:
        await execute(ledger, records.SubmitRecordRequest(context=requests.context(), record_id=str(record_id)))
    return " ".join(f"{each.field} {each.rule} {each.text}" for each in refused.value.violations)
