"""A readmission that races with a destruction wins, on real PostgreSQL, between two processes' memories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import records_pb2 as records
from ledger.application.errors import Contention
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.domain.refusal import Refused
from ledger.domain.values import Phase
from tests.contract.edge import requests
from tests.integration.application.disposal_ground import PROPOSER, Office
from tests.integration.application.written import HOSPITAL, execute

ROUNDS = 24

Race = Callable[[Office, Office, str], Awaitable[Callable[[], Awaitable[Outcome]]]]


async def _readmitted(_: Office, other: Office, patient_id: str) -> Callable[[], Awaitable[Outcome]]:
    """The patient comes again."""
    return lambda: execute(other.ledger, requests.register_record(patient_id, 2))


async def _readmitted_under_another_identity(
    office: Office, other: Office, patient_id: str
) -> Callable[[], Awaitable[Outcome]]:
    """The patient comes again as somebody who is linked with the patient."""
    linked = await office.patient()
    link = identity.LinkPatientsRequest(patient_id=linked, other_id=patient_id, reason="same person")
    await office.do(link, PROPOSER)
    return lambda: execute(other.ledger, requests.register_record(linked, 1))


async def _linked_with_a_stay(office: Office, other: Office, patient_id: str) -> Callable[[], Awaitable[Outcome]]:
    """Somebody who lies in the hospital turns out to be the patient."""
    inpatient = await office.patient()
    await execute(office.ledger, requests.register_record(inpatient, 1))
    link = identity.LinkPatientsRequest(patient_id=inpatient, other_id=patient_id, reason="same person")
    return lambda: other.do(link, PROPOSER)


async def _discharge_withdrawn(office: Office, other: Office, patient_id: str) -> Callable[[], Awaitable[Outcome]]:
    """An old visit of another class, closed and not archived, goes on again."""
    register = requests.register_record(patient_id, 7)
    register.context.CopyFrom(requests.taken_over())
    stay = str((await execute(office.ledger, register)).record_id)
    start = requests.start_care(stay)
    start.context.CopyFrom(requests.taken_over())
    await execute(office.ledger, start)
    end = records.EndCareRequest(
        context=requests.taken_over(),
        record_id=stay,
        disposition=common.DISPOSITION_HOME,
        ended_at=requests.stamp(requests.datetime(1980, 1, 1, tzinfo=requests.UTC)),
    )
    await execute(office.ledger, end)
    resume = course.ResumeCareRequest(record_id=stay, reason="still here")
    return lambda: other.do(resume, requests.PHYSICIAN)


@pytest.mark.parametrize(
    "race", [_readmitted, _readmitted_under_another_identity, _linked_with_a_stay, _discharge_withdrawn]
)
async def test_a_destroyed_record_never_lies_beside_a_stay_that_was_there_before(
    ledger: Ledger, other: Ledger, race: Race
) -> None:
    """In every round the stay is taken; the record is gone only where its destruction came first."""
    won = 0
    for number in range(ROUNDS):
        office, rival = Office(ledger), Office(other)
        patient_id = await office.patient()
        record_id, list_id = await office.condemned(patient_id)
        comes = await race(office, rival, patient_id)
        both = [_outcome(office.destroy(record_id, list_id)), _outcome(comes())]
        # Whoever starts first has the lead: each has it in half of the rounds.
        done = await asyncio.gather(*(both if number % 2 else reversed(both)))
        destroyed, stay = done if number % 2 else reversed(done)
        assert isinstance(stay, Outcome), "care is never refused for an archive rule"
        view = await ledger.record(HOSPITAL, UUID(record_id))
        if isinstance(destroyed, Outcome):
            assert destroyed.position < stay.position
            assert view.state.phase is Phase.DESTROYED
        else:
            won += 1
            assert view.state.phase is Phase.DUE
            assert "OPEN_STAY" in destroyed
    assert won, "the stay was first in no round: nothing was raced"


async def _outcome(doing: Awaitable[Any]) -> Outcome | set[str]:
    try:
        return await doing
    except Refused as refused:
        return {each.rule for each in refused.violations}
    except Contention:
        return {"CONTENTION"}
