"""Of records that are led to each other in one moment not all are, on real PostgreSQL, between two memories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.api.v1 import records_pb2 as records
from ledger.application.errors import Contention
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.domain.refusal import Refused
from tests.contract.edge import requests
from tests.integration.application.disposal_ground import Office, person
from tests.integration.application.written import HOSPITAL, execute, record_under_care, registered_patient

ROUNDS = 12
ANOTHER = person(21, "Dr. Qin", "attending")


async def _written(ledger: Ledger) -> common.EntryPlace:
    """A record with an entry."""
    record_id = str(await record_under_care(ledger))
    entry = await execute(ledger, requests.record_entry(record_id))
    return common.EntryPlace(record_id=record_id, entry_id=str(entry.result["entry_id"]))


def _retraction(gone: common.EntryPlace, there: common.EntryPlace) -> Message:
    return records.RetractEntryRequest(
        record_id=gone.record_id, entry_id=gone.entry_id, reason="wrong patient", recorded_again=there
    )


@pytest.mark.parametrize("count", [2, 3])
async def test_no_entries_are_led_round_in_a_circle(ledger: Ledger, other: Ledger, count: int) -> None:
    """Each names the next one, the last the first: what was said of somebody stands somewhere still."""
    for number in range(ROUNDS):
        there = [await _written(ledger) for _ in range(count)]
        offices = (Office(ledger), Office(other))
        asked = [_retraction(each, there[(index + 1) % count]) for index, each in enumerate(there)]
        done = await _at_once(offices, asked, number)
        refused = [each for each in done if isinstance(each, set)]
        assert refused
        assert all(each == {"NOT_RECORDED_THERE"} for each in refused)
        assert len(refused) < count, "whoever is first finds the other as it was"
        stands = [await _stands(ledger, each) for each in there]
        assert stands.count(True) == len(refused)


async def _stands(ledger: Ledger, place: common.EntryPlace) -> bool:
    view = await ledger.record(HOSPITAL, UUID(place.record_id))
    return not view.state.entries[UUID(place.entry_id)].retracted


async def test_of_two_records_each_is_given_up_for_the_other_by_one_alone(ledger: Ledger, other: Ledger) -> None:
    """A duplicate is given up for the right record; that one is not given up for the duplicate meanwhile."""
    patient_id = await registered_patient(ledger)
    for number in range(ROUNDS):
        twins = [
            str((await execute(ledger, requests.register_record(patient_id, 2 * number + each))).record_id)
            for each in (1, 2)
        ]
        asked = [
            course.DeclareEnteredInErrorRequest(
                record_id=wrong, reason="duplicate", confirmed_by=ANOTHER, correct_record_id=right
            )
            for wrong, right in (twins, reversed(twins))
        ]
        for wrong, right in (twins, reversed(twins)):
            await Office(ledger).do(_endorsement(wrong, right), ANOTHER)
        done = await _at_once((Office(ledger), Office(other)), asked, number)
        assert [each for each in done if isinstance(each, set)] == [{"NOT_A_RIGHT_RECORD"}]


def _endorsement(wrong: str, right: str) -> Message:
    return course.EndorseActRequest(
        record_id=wrong, act=values.ENDORSED_ACT_RECORD_IN_ERROR, subject_id=right, reason="looked at both"
    )


async def _at_once(offices: tuple[Office, Office], asked: list[Any], number: int) -> list[Outcome | set[str]]:
    """Through one memory and the other in turn; each starts first in half of the rounds."""
    doing = [_outcome(offices[index % 2].do(each, requests.PHYSICIAN)) for index, each in enumerate(asked)]
    return list(await asyncio.gather(*(doing if number % 2 else reversed(doing))))


async def _outcome(doing: Awaitable[Any]) -> Outcome | set[str]:
    try:
        return await doing
    except Refused as refused:
        return {each.rule for each in refused.violations}
    except Contention:
        return {"CONTENTION"}
