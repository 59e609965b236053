"""`ledger dispose` as a process against a real server: killed in the middle, started again, started twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1.keeping_values_pb2 import DISPOSAL_OPINION_DESTROY, DISPOSAL_OPINION_KEEP
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.disposal_values import DisposalListPhase
from ledger.domain.values import Phase
from tests.contract.edge import requests
from tests.eventually import eventually_async
from tests.integration.application.disposal_ground import APPROVER, EXECUTOR, FIRST, LEGAL, PROPOSER, Office
from tests.integration.application.written import HOSPITAL, execute
from tests.services.postgres import Database
from tests.services.serve_process import serve_environment, serving

RECORDS = 24


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """A ledger with the keys of the server beside it."""
    settings = load(serve_environment(database))
    async with bodies_with_keys(settings) as bodies:
        opened = await Ledger.open(settings, bodies.sealer, bodies.opener)
        await opened.add_hospital(HOSPITAL, 1, "")
        yield opened
        await opened.close()


@pytest.fixture
def address(database: Database, ledger: Ledger, tmp_path: Path) -> Iterator[str]:
    """A server process on the ledger's database."""
    del ledger
    with serving(serve_environment(database), tmp_path / "server") as found:
        yield found


def start(address: str, list_id: str, *more: str) -> subprocess.Popen[str]:
    """The program, just started."""
    people = ["--executor", _said(EXECUTOR)]
    command = [sys.executable, "-m", "ledger.cli.main", "dispose", list_id, "--address", address]
    return subprocess.Popen(
        [*command, "--hospital", HOSPITAL, *people, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "180"},
    )


def _said(who: object) -> str:
    return ",".join(getattr(who, name) for name in ("id", "name", "role"))


def ended(program: subprocess.Popen[str]) -> str:
    """What it printed, once it has ended well."""
    printed, _ = program.communicate(timeout=60)
    assert program.returncode == 0, printed
    return printed


async def test_a_killed_execution_goes_on_where_it_was(ledger: Ledger, address: str) -> None:
    """kill -9 in the middle: each record is gone once or named as left out, the report is complete and printed."""
    office = Office(ledger)
    people = [await office.patient() for _ in range(RECORDS)]
    due = [await office.due(each) for each in people]
    list_id = await office.approved(due)
    held = await office.do(keeping.PlaceHoldRequest(record_id=due[-1], mandate="case 7", authority="court"), LEGAL)
    assert held.events == 1
    await execute(ledger, requests.register_record(people[-2], 2))
    before = await ledger.head(HOSPITAL)
    killed = start(address, list_id, "--covers", "paper", "--covers", "recipients_copies")

    async def some_are_gone() -> bool:
        # One look, and nothing is waited for behind it: the program goes on meanwhile.
        return await ledger.head(HOSPITAL) >= before + 2

    await eventually_async(some_are_gone, seconds_max=60, what="some records are gone")
    killed.kill()
    killed.communicate(timeout=30)
    gone = len(await _gone(ledger, due))
    assert gone < RECORDS - 2, "it was killed before its end"
    assert (await _state(ledger, list_id)).phase is DisposalListPhase.APPROVED
    printed = ended(start(address, list_id, "--covers", "paper", "--covers", "recipients_copies"))
    assert await _gone(ledger, due) == due[:-2]
    state = await _state(ledger, list_id)
    assert [each.destroyed for each in state.outcomes] == [True] * (RECORDS - 2) + [False, False]
    assert state.outcomes[-1].rules == ("HELD",)
    assert "OPEN_STAY" in state.outcomes[-2].rules
    assert f"{RECORDS - 2} destroyed, 2 left out" in printed
    assert "HELD" in printed
    covered = [(str(each.record_id), each.covers) for each in state.covered]
    assert covered == [(each, ("paper", "recipients_copies")) for each in due[:-2]]
    assert printed.count("paper, recipients copies") == RECORDS - 2
    assert ended(start(address, list_id)) == printed, "an executed list is shown, and nothing is done"
    assert ended(start(address, list_id, "--show")) == printed


async def test_two_executions_at_once_make_one_report(ledger: Ledger, address: str) -> None:
    """Somebody starts it twice: every record is destroyed once, and both print the same report."""
    office = Office(ledger)
    due = [await office.due(await office.patient()) for _ in range(8)]
    list_id = await office.approved(due)
    first, second = [start(address, list_id) for _ in range(2)]
    assert ended(first) == ended(second)
    assert [each.destroyed for each in (await _state(ledger, list_id)).outcomes] == [True] * 8
    for each in due:
        assert (await ledger.record(HOSPITAL, UUID(each))).state.phase is Phase.DESTROYED


async def test_what_was_appraised_otherwise_since_is_left_out(ledger: Ledger, address: str) -> None:
    """Rejected, judged anew, or to be kept: each is named with its rule, and the rest of the list is executed."""
    office = Office(ledger)
    due = [await office.due(await office.patient()) for _ in range(4)]
    list_id = await office.approved(due)
    for record_id in due[:3]:
        await office.do(keeping.RejectAppraisalRequest(record_id=record_id, reason="of interest after all"), APPROVER)
    for record_id, opinion in ((due[1], DISPOSAL_OPINION_DESTROY), (due[2], DISPOSAL_OPINION_KEEP)):
        appraise = keeping.AppraiseDisposalRequest(record_id=record_id, opinion=opinion, reason="looked at again")
        await office.do(appraise, PROPOSER)
    ended(start(address, list_id))
    outcomes = (await _state(ledger, list_id)).outcomes
    assert [each.rules for each in outcomes] == [
        ("NOT_APPRAISED",),
        ("APPRAISED_SINCE_LIST",),
        ("APPRAISED_SINCE_LIST", "NOT_APPLICABLE"),
        (),
    ]
    assert await _gone(ledger, due) == due[3:]


async def test_an_execution_that_is_wrong_itself_leaves_nothing_out(ledger: Ledger, address: str) -> None:
    """Not approved, not signed for, executed by a supervisor: told, nothing destroyed, nothing reported."""
    office = Office(ledger)
    due = [await office.due(await office.patient())]
    drawn_up = await office.drawn_up(due)
    program = start(address, drawn_up)
    assert "not approved" in program.communicate(timeout=60)[0]
    await office.pass_and_authorise(drawn_up)
    assert "Two supervisors sign" in start(address, drawn_up).communicate(timeout=60)[0]
    list_id = await office.approved(due)
    by_supervisor = start(address, list_id, "--executor", _said(FIRST))
    assert "SAME_PERSON" in by_supervisor.communicate(timeout=60)[0]
    assert by_supervisor.returncode == 1
    assert await _gone(ledger, due) == []
    assert (await _state(ledger, list_id)).phase is DisposalListPhase.APPROVED


async def _gone(ledger: Ledger, record_ids: list[str]) -> list[str]:
    views = [(each, await ledger.record(HOSPITAL, UUID(each))) for each in record_ids]
    return [each for each, view in views if view.state.phase is Phase.DESTROYED]


async def _state(ledger: Ledger, list_id: str) -> DisposalListState:
    return (await ledger.disposal_list(HOSPITAL, UUID(list_id))).state
