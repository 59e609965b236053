"""A bulk load and the same commands one by one: two ways to one ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from copy import deepcopy
from typing import Any, cast
from uuid import UUID, uuid4

from google.protobuf.message import Message
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.application.body_codec import decode_body
from ledger.application.ledger import Ledger
from ledger.config import Settings
from ledger.server.bulk_load import BulkLoad
from ledger.server.commands import Commands
from ledger.server.error_status import reason_of
from ledger.server.head_watch import HeadWatch
from ledger.server.limits import Limits
from ledger.store.reading import StoredRow
from ledger.trust.chain import Link, walk_chain
from tests.contract.edge import requests
from tests.integration.application.written import HOSPITAL, execute, record_under_care
from tests.services.sealed import open_ledger, plaintext_of

RECORDS = 3
_FIELD_OF: dict[type[Message], str] = {
    records.RecordEntryRequest: "record_entry",
    records.StartCareRequest: "start_care",
    records.AmendEntryRequest: "amend_entry",
    records.EndCareRequest: "end_care",
}
_EXAMPLES = 8
_RPC = "ledger.api.v1.RecordService/RecordEntry"


def _entry(record_id: str, number: int, **fields: Any) -> records.RecordEntryRequest:
    request = requests.record_entry(record_id, f"note {number}")
    request.context.MergeFrom(common.CommandContext(**fields))
    return request


def _command(  # noqa: C901 # one case for each way
    kind: str, record_id: str, number: int, before: Sequence[Message]
) -> Message:
    """A command that is right as it stands, is refused, or was sent before, each in one of the ways there are."""
    match kind:
        case "again":
            return deepcopy(before[number % len(before)]) if before else _entry(record_id, number)
        case "reused":
            # Of the same record: between records a load keeps no order.
            same = [each for each in before if cast("Any", each).record_id == record_id]
            request = _entry(record_id, number)
            return _entry(record_id, number, command_id=cast("Any", same[-1]).context.command_id) if same else request
        case "conditional":
            return _entry(record_id, number, expected_version=2 + number % 4)
        case "from a source":
            return _entry(record_id, number, source=requests.old_item())
        case "source again":
            named = [each for each in before if cast("Any", each).context.HasField("source")]
            mine = [each for each in named if cast("Any", each).record_id == record_id]
            source = cast("Any", mine[-1]).context.source if mine else requests.old_item()
            changed = common.SourceItem(system=source.system, type=source.type, id=source.id)
            changed.content_sha256 = bytes([number % 2]) * 32
            return _entry(record_id, number, source=changed)
        case "nobody's":
            return _entry(str(uuid4()), number)
        case "malformed":
            return _entry("no id", number)
        case "of no entry":
            entry = requests.record_entry(record_id)
            return records.AmendEntryRequest(
                context=requests.context(), record_id=record_id, entry_id=str(uuid4()), reason="a slip",
                kind=common.AMENDMENT_KIND_CORRECTION, content=entry.content, attestation=entry.attestation,
            )  # fmt: skip
        case "care again":
            return requests.start_care(record_id)
        case "end of care":
            return records.EndCareRequest(
                context=requests.context(), record_id=record_id, disposition=common.DISPOSITION_HOME
            )
        case _:
            return _entry(record_id, number)


KINDS = (
    *("again", "reused", "conditional", "nobody's", "malformed", "of no entry", "care again", "end of care"),
    *["from a source", "source again"] * 2,
    *["entry"] * 12,
)
plans = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, RECORDS - 1)), min_size=1, max_size=40)


def _planned(plan: Sequence[tuple[str, int]], record_ids: Sequence[UUID]) -> list[Message]:
    made: list[Message] = []
    for number, (kind, at) in enumerate(plan):
        made.append(_command(kind, str(record_ids[at]), number, made))
    return made


async def _loaded(ledger: Ledger, commands: Sequence[Message]) -> records.BulkLoadResponse:
    async def stream() -> AsyncIterator[records.BulkLoadRequest]:
        for each in commands:
            yield records.BulkLoadRequest(**cast("Any", {_FIELD_OF[type(each)]: each}))

    return await BulkLoad(Commands(ledger, HeadWatch(ledger.head)), Limits()).bulk_load(stream())


async def _one_by_one(ledger: Ledger, commands: Sequence[Message]) -> records.BulkLoadResponse:
    answer = records.BulkLoadResponse()
    for index, each in enumerate(commands):
        try:
            outcome = await execute(ledger, each)
        except Exception as error:  # noqa: BLE001 # whatever is refused is compared
            answer.failures.add(index=index, reason=reason_of(error))
            answer.refused += 1
        else:
            answer.repeated_commands += outcome.repeated
            answer.appended += not outcome.repeated
            answer.position = max(answer.position, 0 if outcome.repeated else outcome.position)
    return answer


async def _record(ledger: Ledger, record_id: UUID) -> list[tuple[int, str, str]]:
    """What was stored of a record, without the ids that chance made; its chain holds."""
    rows = await ledger.read_stream(HOSPITAL, record_id, 0, 1000)
    links = [Link(row.envelope, row.body, row.position, row.leaf_hash) for row in rows]
    assert walk_chain(record_id.bytes, links) is None
    return [(row.version, row.type, _said(row)) for row in rows]


def _said(row: StoredRow) -> str:
    event = decode_body(row.type, plaintext_of(row.envelope, row.body))
    content = getattr(event, "content", None)
    return content.sections[0].text if content is not None else ""


def _told(answer: records.BulkLoadResponse) -> tuple[int, int, int, list[tuple[int, str]]]:
    failures = sorted((each.index, each.reason) for each in answer.failures)
    return answer.appended, answer.repeated_commands, answer.refused, failures


@hypothesis_settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans)
def test_a_bulk_load_leaves_the_ledger_that_the_same_commands_leave_one_by_one(settings: Settings, plan: Any) -> None:
    """The same answers, refusals by their index, and the same events of each record in the same order."""

    async def both() -> None:
        ledger = await open_ledger(settings)
        try:
            await ledger.add_hospital(HOSPITAL, 1, "")
            bulk_ids = [await record_under_care(ledger) for _ in range(RECORDS)]
            single_ids = [await record_under_care(ledger) for _ in range(RECORDS)]
            told = _told(await _loaded(ledger, _planned(plan, bulk_ids)))
            assert told == _told(await _one_by_one(ledger, _planned(plan, single_ids)))
            for bulk_id, single_id in zip(bulk_ids, single_ids, strict=True):
                assert await _record(ledger, bulk_id) == await _record(ledger, single_id)
            head = await ledger.head(HOSPITAL)
            rows = await ledger.read_positions(HOSPITAL, max(0, head - 500), 1000)
            assert [row.position for row in rows] == list(range(head - len(rows) + 1, head + 1))
        finally:
            await ledger.close()

    asyncio.run(both())


async def test_many_commands_of_one_record_go_into_one_transaction(ledger: Ledger) -> None:
    """Each follows the one before it, whose event is not stored yet; other records go with them."""
    busy, other = await record_under_care(ledger), await record_under_care(ledger)
    entries = [_entry(str(busy), number) for number in range(15)]
    entries += [_entry(str(busy), number, source=requests.old_item()) for number in range(15)]
    entries.insert(7, _entry(str(other), 0))
    outcomes = await ledger.execute_together(HOSPITAL, [(_RPC, each) for each in entries])
    head = await ledger.head(HOSPITAL)
    assert [each.position for each in outcomes if each is not None] == list(range(head - 30, head + 1))
    assert [version for version, _, _ in await _record(ledger, busy)] == list(range(1, 33))
    assert (await ledger.record(HOSPITAL, busy)).version == 32
    assert not (await execute(ledger, _entry(str(busy), 31))).repeated


async def test_a_memory_that_another_process_has_overtaken_refuses_nothing(ledger: Ledger, other: Ledger) -> None:
    """All are handed back, nothing of them is stored; executed by themselves they are done."""
    record_id = await record_under_care(ledger)
    await execute(other, _entry(str(record_id), 0))
    commands = [(_RPC, _entry(str(record_id), number)) for number in range(3)]
    head = await ledger.head(HOSPITAL)
    assert await ledger.execute_together(HOSPITAL, commands) == [None, None, None]
    assert await ledger.head(HOSPITAL) == head
    assert [not (await execute(ledger, each)).repeated for _, each in commands] == [True, True, True]


async def test_what_was_done_before_is_told_though_its_batch_is_not_appended(ledger: Ledger) -> None:
    """A load that is sent again is answered without executing each command anew."""
    record_id = await record_under_care(ledger)
    commands = [(_RPC, _entry(str(record_id), number)) for number in range(4)]
    first = await ledger.execute_together(HOSPITAL, commands[:3])
    again = await ledger.execute_together(HOSPITAL, commands)
    assert [each.repeated for each in again if each is not None] == [True, True, True]
    assert [each.position for each in again if each is not None] == [
        each.position for each in first if each is not None
    ]
    assert again[3] is None
