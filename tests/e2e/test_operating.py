"""Those who run the service: `ledger status`, `/metrics` and `ledger dead-letters`, as programs, on `ledger up`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import grpc.aio
import httpx
import psycopg
import pytest
from click.testing import CliRunner

from ledger.api.v1.boards_pb2 import ListDepartmentsRequest
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub
from ledger.cli import dead_letters
from projections.views import ALL
from tests.contract.edge.clients import GrpcClient
from tests.contract.edge.requests import open_record, register_patient, register_record
from tests.eventually import eventually
from tests.services.whole_service import WholeService

_PROJECT = Path(__file__).parents[2]
_VIEWS = tuple(view.name for view in ALL)
_TABLE = "v_north.department_board_g1_records"
_OPTIONS = ("--hospital", "north", "--view", "department_board", "--reason", "a test")


def _ledger(service: WholeService, *words: str) -> tuple[int, str, str]:
    """Exit status, output and complaints of a command of the program, piped."""
    command = [sys.executable, "-m", "ledger.cli.main", *words]
    at = words.index("--") if "--" in words else len(words)
    command[3 + at : 3 + at] = ["--address", service.grpc]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_PROJECT, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def _metrics(service: WholeService) -> dict[str, float]:
    lines = httpx.get(f"{service.facts['http']}/metrics", timeout=60, trust_env=False).text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def _execute(service: WholeService, statement: str) -> None:
    with psycopg.connect(service.settings.postgres_views_url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def _two_stopped_records(service: WholeService) -> list[int]:
    """A record that is handled, and then two that the board's table does not take; the positions of these."""
    client = GrpcClient(service.grpc)
    await open_record(client)
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        await BoardServiceStub(channel).ListDepartments(ListDepartmentsRequest(hospital="north", min_position=6))
    _execute(service, f"ALTER TABLE {_TABLE} ADD CONSTRAINT no CHECK (department <> 'ICU')")
    positions: list[int] = []
    for _ in range(2):
        patient = await client.call("PatientService/RegisterPatient", register_patient())
        request = register_record(patient.receipt.record_id)
        request.department = "ICU"
        positions.append((await client.call("RecordService/RegisterRecord", request)).receipt.position)
    await client.close()
    return positions


async def test_what_an_operator_sees_and_does(running_service: WholeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two records stop; both pages say so, whole; one is given up, one is tried again until it goes through."""
    service = running_service
    first, second = await _two_stopped_records(service)
    stopped = 'ledger_view_stopped_records{hospital="north",view="department_board"}'
    eventually(lambda: _metrics(service).get(stopped) == 2, what="two records are stopped")
    eventually(lambda: _all_handled(_metrics(service)), what="everything is published, and handled by every view")
    _assert_metrics(_metrics(service))
    status, shown, _ = _ledger(service, "status")
    assert status == 0
    for word in (*_VIEWS, "north", "south", "active", "publish: ", "view:department_board: ", "stopped records"):
        assert word in shown
    status, shown, _ = _ledger(service, "dead-letters", "list", "--hospital", "north")
    assert status == 0
    assert shown.count("department_board") == 2
    assert shown.count("ledger.v1.RecordRegistered") == shown.count("CheckViolation") == 2
    monkeypatch.setattr(dead_letters, "_PAGE_ROWS", 1)
    assert (await asyncio.to_thread(_listed, service)).count("department_board") == 2, "page after page"
    _assert_decided(service, first, second)


def _listed(service: WholeService) -> str:
    words = ["list", "--hospital", "north", "--address", service.grpc]
    return CliRunner().invoke(dead_letters.dead_letters, words).output


def _all_handled(found: dict[str, float]) -> bool:
    views = [found.get(f'ledger_view_events{{hospital="north",view="{view}"}}') for view in _VIEWS]
    return [found['ledger_published_position{hospital="north"}'], *views] == [10] * (1 + len(_VIEWS))


def _assert_metrics(found: dict[str, float]) -> None:
    of_north, of_board = '{hospital="north"}', '{hospital="north",view="department_board"}'
    assert found["ledger_store_answers"] == 1
    assert found["ledger_head_position" + of_north] == 10
    assert found["ledger_append_queue_length" + of_north] == 0
    assert found["ledger_append_group_size" + of_north] >= 1
    assert found["ledger_view_dead_letters" + of_board] == 2
    for view in _VIEWS:
        assert found[f'ledger_view_lag{{hospital="north",view="{view}"}}'] == 0
        assert found[f'ledger_view_events{{hospital="north",view="{view}"}}'] == 10
        assert found[f'ledger_view_position{{hospital="north",view="{view}"}}'] == 10
    leases = [name for name in found if name.startswith('ledger_lease_epoch{holder="') and 'hospital="north"' in name]
    roles = {name.partition('role="')[2].rstrip('"}') for name in leases}
    assert {"publish", *(f"view:{view}" for view in _VIEWS)} <= roles


def _assert_decided(service: WholeService, first: int, second: int) -> None:
    status, said, _ = _ledger(service, "dead-letters", "retry", *_OPTIONS, str(first))
    assert (status, said) == (1, "failed again; 0 events released behind it\n")
    status, said, _ = _ledger(service, "dead-letters", "skip", *_OPTIONS, str(second))
    assert (status, said) == (0, "skipped; 0 events released behind it\n")
    _execute(service, f"ALTER TABLE {_TABLE} DROP CONSTRAINT no")
    status, said, _ = _ledger(service, "dead-letters", "retry", *_OPTIONS, str(first))
    assert (status, said) == (0, "handled; 0 events released behind it\n")
    status, shown, _ = _ledger(service, "dead-letters", "list", "--hospital", "north")
    assert (status, shown.count("department_board")) == (0, 0)
    status, _, complaint = _ledger(service, "dead-letters", "skip", *_OPTIONS, str(second))
    assert status == 1
    assert "NOT_FOUND DEAD_LETTER_ABSENT" in complaint


@pytest.mark.parametrize("position", ["-1", "0", "18446744073709551616", "first"])
@pytest.mark.parametrize("command", ["retry", "skip"])
def test_a_position_that_cannot_be_is_refused_by_the_program(
    running_service: WholeService, command: str, position: str
) -> None:
    """With the usage and status 2, before anything is asked."""
    status, _, complaint = _ledger(running_service, "dead-letters", command, *_OPTIONS, "--", position)
    assert status == 2
    assert "POSITION" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("dead-letters", "list", "--hospital", "nowhere"), "NOT_FOUND UNKNOWN_HOSPITAL"),
        (("dead-letters", "list", "--hospital", "north", "--view", "horoscope"), "NOT_FOUND VIEW_ABSENT"),
        (("status", "--hospital", "nowhere"), "NOT_FOUND UNKNOWN_HOSPITAL"),
    ],
)
def test_what_there_is_not_is_named(running_service: WholeService, words: tuple[str, ...], reason: str) -> None:
    """One line and status 1, not an empty table that says all is well."""
    status, shown, complaint = _ledger(running_service, *words)
    assert (status, shown) == (1, "")
    assert reason in complaint
