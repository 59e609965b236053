"""Commands of many callers at once: executed together, and nobody is answered otherwise for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from google.protobuf.message import Message
from psycopg.sql import SQL, Identifier

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.server.error_status import reason_of
from ledger.telemetry.trace import current_traceparent
from ledger.trust.chain import Link, walk_chain
from tests.contract.edge import requests
from tests.integration.application.written import HOSPITAL, execute, record_under_care
from tests.services.postgres import Database

RECORDS = 24


def _entry(record_id: UUID, **fields: Any) -> records.RecordEntryRequest:
    request = requests.record_entry(str(record_id))
    request.context.MergeFrom(common.CommandContext(**fields))
    return request


async def _records(ledger: Ledger, count: int = RECORDS) -> list[UUID]:
    return [await record_under_care(ledger) for _ in range(count)]


async def _together(ledger: Ledger, commands: Sequence[Message]) -> list[Outcome | BaseException]:
    return await asyncio.gather(*(execute(ledger, each) for each in commands), return_exceptions=True)


def _told(answers: Sequence[Outcome | BaseException]) -> list[object]:
    """What callers are told, without ids and positions."""
    return [
        (each.record_version, each.repeated, each.events) if isinstance(each, Outcome) else _reason(each)
        for each in answers
    ]


def _reason(error: BaseException) -> str:
    assert isinstance(error, Exception)
    return reason_of(error)


async def _check_chains(ledger: Ledger, record_ids: Sequence[UUID]) -> None:
    for record_id in record_ids:
        rows = await ledger.read_stream(HOSPITAL, record_id, 0, 1000)
        links = [Link(row.envelope, row.body, row.position, row.leaf_hash) for row in rows]
        assert walk_chain(record_id.bytes, links) is None


async def test_many_callers_share_a_transaction(ledger: Ledger, database: Database) -> None:
    """Each is told its own position, every event is there once, and what is remembered then is right."""
    record_ids = await _records(ledger)
    before = await ledger.head(HOSPITAL)
    rounds = [await _together(ledger, [_entry(each) for each in record_ids]) for _ in range(4)]
    outcomes = [each for answers in rounds for each in answers]
    assert all(isinstance(each, Outcome) and not each.repeated for each in outcomes), outcomes
    positions = [each.position for each in outcomes if isinstance(each, Outcome)]
    assert sorted(positions) == list(range(before + 1, before + 1 + 4 * RECORDS))
    for outcome in (each for each in outcomes if isinstance(each, Outcome)):
        assert await ledger.stream_at(HOSPITAL, outcome.position) == (outcome.record_id, outcome.record_version)
    await _check_chains(ledger, record_ids)
    assert len({transaction for _, transaction in _stored(database, before)}) < RECORDS


async def test_each_is_answered_as_it_would_be_by_itself(ledger: Ledger) -> None:
    """Beside others that are right: what is refused, was sent before, comes with an id of another, expects another
    version, names nobody's record, or has to be asked about more than its record."""
    outcomes: list[list[object]] = []
    for one_by_one in (False, True):
        record_ids = await _records(ledger)
        done = [_entry(each) for each in record_ids]
        await _together(ledger, done)
        commands: list[Message] = [_entry(each) for each in record_ids]
        commands[1] = deepcopy(done[1])
        commands[2] = _entry(record_ids[2], command_id=done[2].context.command_id)
        commands[2].content.sections[0].text = "Another."
        commands[3] = _entry(record_ids[3], expected_version=2)
        commands[4] = _entry(record_ids[4], expected_version=3)
        commands[5] = _entry(uuid4())
        commands[6] = requests.start_care(str(record_ids[6]))
        commands[7] = _entry(record_ids[7])
        commands[7].content.sections[0].code = "nowhere"
        commands[8] = _entry(record_ids[8], source=requests.old_item())
        commands[9] = requests.record_entry("no id")
        commands[10] = records.EndCareRequest(
            context=requests.context(), record_id=str(record_ids[10]), disposition=common.DISPOSITION_HOME
        )
        told = [
            (await _together(ledger, [each]))[0] for each in commands
        ] if one_by_one else await _together(ledger, commands)  # fmt: skip
        outcomes.append(_told(told))
        await _check_chains(ledger, record_ids)
    assert outcomes[0] == outcomes[1]
    assert len({str(each) for each in outcomes[0]}) >= 6, "they are told different things"


async def test_callers_of_one_record_wait_for_each_other(ledger: Ledger) -> None:
    """However many come at once, beside others: nobody is told that others were faster, and no version is left out."""
    busy, *others = await _records(ledger)
    commands = [_entry(busy) for _ in range(40)] + [_entry(each) for each in others]
    answers = await _together(ledger, commands)
    versions = sorted(each.record_version for each in answers[:40] if isinstance(each, Outcome))
    assert versions == list(range(3, 43)), answers
    assert all(isinstance(each, Outcome) for each in answers)
    await _check_chains(ledger, [busy, *others])


async def test_another_process_on_the_same_records_makes_nobody_fail(ledger: Ledger, other: Ledger) -> None:
    """Both are behind again and again; every command is done once."""
    record_ids = await _records(ledger, 8)
    for _ in range(4):
        both = await asyncio.gather(*(_together(each, [_entry(of) for of in record_ids]) for each in (ledger, other)))
        assert all(isinstance(each, Outcome) for answers in both for each in answers), both
    for record_id in record_ids:
        assert (await ledger.record(HOSPITAL, record_id)).version == 10
    await _check_chains(ledger, record_ids)


async def test_each_event_keeps_the_trace_of_its_own_caller(ledger: Ledger, database: Database) -> None:
    """Though one task appends for all of them."""
    record_ids = await _records(ledger)
    before = await ledger.head(HOSPITAL)
    traced: dict[UUID, str] = {each: f"00-{index:032x}-{1:016x}-01" for index, each in enumerate(record_ids, 1)}

    async def call(record_id: UUID) -> Outcome:
        current_traceparent.set(traced[record_id])
        return await execute(ledger, _entry(record_id))

    tasks = [asyncio.create_task(call(each), context=copy_context()) for each in record_ids]
    await asyncio.gather(*tasks)
    with psycopg.connect(database.url) as connection:
        query = SQL("SELECT stream_id, traceparent FROM {} WHERE position > %s")
        found = connection.execute(query.format(Identifier(f"h_{HOSPITAL}", "events")), (before,)).fetchall()
    assert dict(found) == traced


async def test_a_caller_that_leaves_leaves_the_others_alone(ledger: Ledger) -> None:
    """Of those who wait for one turn some give up; what they asked for is done or not, and the others are answered."""
    record_ids = await _records(ledger)
    tasks = [asyncio.create_task(execute(ledger, _entry(each))) for each in record_ids]
    await asyncio.sleep(0)
    for each in tasks[::3]:
        each.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    stayed = [each for index, each in enumerate(answers) if index % 3]
    assert all(isinstance(each, Outcome) for each in stayed), stayed
    await _check_chains(ledger, record_ids)
    assert all(isinstance(each, Outcome) for each in await _together(ledger, [_entry(each) for each in record_ids]))


@pytest.mark.parametrize("fault", [psycopg.OperationalError("cut"), ValueError("a defect")])
async def test_a_turn_that_breaks_off_is_done_one_by_one(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """Whatever stops it before anything is sent: it is said, and every caller gets what it came for."""
    record_ids = await _records(ledger)
    tenant = await ledger._tenants.of(HOSPITAL)  # pyright: ignore[reportPrivateUsage] # to break it from inside

    async def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr(tenant.together, "_append_apart", broken)
    answers = await _together(ledger, [_entry(each) for each in record_ids])
    assert all(isinstance(each, Outcome) and not each.repeated for each in answers), answers
    assert "executed one by one" in caplog.text
    await _check_chains(ledger, record_ids)


def _stored(database: Database, after: int) -> list[tuple[int, str]]:
    """Position and transaction of each event above a position."""
    with psycopg.connect(database.url) as connection:
        query = SQL("SELECT position, xmin::text FROM {} WHERE position > %s")
        return connection.execute(query.format(Identifier(f"h_{HOSPITAL}", "events")), (after,)).fetchall()
