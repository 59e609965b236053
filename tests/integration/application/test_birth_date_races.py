"""A birth date that is corrected in the moment of a destruction keeps a minor's record, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import records_pb2 as records
from ledger.application.errors import Contention
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.domain.refusal import Refused
from ledger.domain.values import Phase
from tests.contract.edge import requests
from tests.contract.edge.rulebook_requests import choose
from tests.integration.application.disposal_ground import PROPOSER, Office
from tests.integration.application.written import HOSPITAL, execute

ROUNDS = 16
GROWN_UP, MINOR = "1950-01-31", "1999-05-01"
"""At the visit of the year 2000: us-generic keeps a minor's record until the age of 30 (docs/lifecycle.md)."""

Correction = Callable[[], Awaitable[Outcome]]
Race = Callable[[Office, Office], Awaitable[tuple[str, Correction]]]


def _told(item: common.SourceItem, digest: int, born: str) -> records.RegisterPatientRequest:
    """What a source says of a patient, under its number there."""
    said = requests.register_patient(case_number=item.id)
    said.context.CopyFrom(requests.taken_over())
    said.context.historical = False
    said.context.source.CopyFrom(item)
    said.context.source.content_sha256 = bytes([digest]) * 32
    said.details.birth_date = born
    return said


async def _by_the_desk(office: Office, other: Office) -> tuple[str, Correction]:
    """Somebody looks at the passport."""
    amend = records.AmendPatientRequest(patient_id=await office.patient(), reason="as in the passport")
    amend.details.CopyFrom(requests.register_patient().details)
    amend.details.birth_date = MINOR
    return amend.patient_id, lambda: other.do(amend, PROPOSER)


async def _by_its_source(office: Office, other: Office) -> tuple[str, Correction]:
    """The system that registered the patient says something else now."""
    item = common.SourceItem(system="his", type="Patient", id=uuid4().hex)
    patient = await execute(office.ledger, _told(item, 1, GROWN_UP))
    return str(patient.record_id), lambda: execute(other.ledger, _told(item, 2, MINOR))


async def _of_a_linked_identity(office: Office, other: Office) -> tuple[str, Correction]:
    """Under another name the same person was younger."""
    amend = records.AmendPatientRequest(patient_id=await office.patient(), reason="as in the passport")
    amend.details.CopyFrom(requests.register_patient().details)
    amend.details.birth_date = MINOR
    patient_id = await office.patient()
    link = identity.LinkPatientsRequest(patient_id=patient_id, other_id=amend.patient_id, reason="same person")
    await office.do(link, PROPOSER)
    return patient_id, lambda: other.do(amend, PROPOSER)


@pytest.mark.parametrize("race", [_by_the_desk, _by_its_source, _of_a_linked_identity])
async def test_no_minors_record_is_destroyed_beside_a_birth_date_that_was_there_before(
    ledger: Ledger, other: Ledger, race: Race
) -> None:
    """In every round the birth date is taken; the record is gone only where its destruction came first."""
    await ledger.execute("ledger.api.v1.RulebookService/ChooseRulePack", choose("us-generic"))
    won = 0
    for number in range(ROUNDS):
        office, rival = Office(ledger), Office(other)
        patient_id, corrects = await race(office, rival)
        record_id, list_id = await office.condemned(patient_id)
        both = [_outcome(office.destroy(record_id, list_id)), _outcome(corrects())]
        # Whoever starts first has the lead: each has it in half of the rounds.
        done = await asyncio.gather(*(both if number % 2 else reversed(both)))
        destroyed, corrected = done if number % 2 else reversed(done)
        assert isinstance(corrected, Outcome), "who a patient is waits for no archive rule"
        view = await ledger.record(HOSPITAL, UUID(record_id))
        if isinstance(destroyed, Outcome):
            assert destroyed.position < corrected.position
            assert view.state.phase is Phase.DESTROYED
        else:
            won += 1
            assert view.state.phase is Phase.DUE
            assert destroyed == {"TERM_NOT_OVER"}
    assert won, "the birth date was first in no round: nothing was raced"


async def _outcome(doing: Awaitable[Any]) -> Outcome | set[str]:
    try:
        return await doing
    except Refused as refused:
        return {each.rule for each in refused.violations}
    except Contention:
        return {"CONTENTION"}
