"""Of a link and a merge that would make a mother her child one is done, on real PostgreSQL, between two memories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import identity_pb2 as identity
from ledger.application.errors import Contention
from ledger.application.ledger import Ledger
from ledger.application.outcome import Outcome
from ledger.domain.refusal import Refused
from tests.integration.application.disposal_ground import PROPOSER, Office
from tests.integration.application.written import HOSPITAL, record_under_care

ROUNDS = 8


async def _linked(office: Office, record_id: str, subject_id: str, patient_id: str) -> Outcome:
    link = course.LinkNewbornRequest(record_id=record_id, subject_id=subject_id, patient_id=patient_id, reason="told")
    return await office.do(link, PROPOSER)


async def _born(office: Office, record_id: str, number: int) -> str:
    born = await office.do(course.RegisterNewbornRequest(record_id=record_id, number=number), PROPOSER)
    return str(born.result["subject_id"])


async def _merged(office: Office, patient_id: str, survivor_id: str) -> Outcome:
    merge = identity.MergePatientsRequest(patient_id=patient_id, survivor_id=survivor_id, reason="same name")
    return await office.do(merge, PROPOSER)


@pytest.mark.parametrize("restored", [False, True], ids=["linked", "restored"])
async def test_of_a_link_and_a_merge_one_is_done(ledger: Ledger, other: Ledger, *, restored: bool) -> None:
    """A newborn that is linked, or that stands again, against the merge of its patient with the mother."""
    for number in range(ROUNDS):
        office, rival = Office(ledger), Office(other)
        record = await record_under_care(ledger)
        record_id, child = str(record), await office.patient()
        mother = str((await ledger.record(HOSPITAL, record)).state.patient_id)
        born = await _born(office, record_id, 1)
        if restored:
            await _linked(office, record_id, born, child)
            withdraw = course.WithdrawNewbornRequest(record_id=record_id, subject_id=born, reason="nobody was born")
            await office.do(withdraw, PROPOSER)
        restore = course.RestoreNewbornRequest(record_id=record_id, subject_id=born, reason="somebody was")
        family = rival.do(restore, PROPOSER) if restored else _linked(rival, record_id, born, child)
        both = {"family": _outcome(family), "merge": _outcome(_merged(office, child, mother))}
        # Whoever starts first has the lead: each has it in half of the rounds.
        names = sorted(both, reverse=bool(number % 2))
        ended = dict(zip(names, await asyncio.gather(*(both[each] for each in names)), strict=True))
        (won,) = (name for name, each in ended.items() if isinstance(each, Outcome))
        lost = ended["merge" if won == "family" else "family"]
        assert isinstance(lost, set)
        assert "NOT_ITS_OWN" in lost
        assert lost <= {"NOT_ITS_OWN", "MERGED"}


async def _outcome(doing: Awaitable[Any]) -> Outcome | set[str]:
    try:
        return await doing
    except Refused as refused:
        return {each.rule for each in refused.violations}
    except Contention:
        return {"CONTENTION"}
