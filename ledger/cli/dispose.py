"""`ledger dispose`: executes an approved destruction list, and prints the list with what became of each record."""

from __future__ import annotations

import asyncio
from datetime import UTC

import click
import grpc.aio
from rich.table import Table

from consumers.disposal.execution import (
    ExecutionRefused,
    Executors,
    ListExecution,
    ListNotApproved,
    ListNotSupervised,
)
from consumers.patience import ServiceUnavailable
from ledger.api.v1.common_pb2 import Actor, VisitType
from ledger.api.v1.disposal_pb2 import DisposalList
from ledger.api.v1.disposal_values_pb2 import (
    DISPOSAL_LIST_PHASE_EXECUTED,
    DisposalListPhase,
    ListedRecord,
    ReportedRecord,
)
from ledger.cli.errors_shown import shown_errors
from ledger.cli.person import Person
from ledger.cli.service_address import address_option
from ledger.cli.shown_tables import table_console

_PLAIN_COLUMNS = 180
_COVERS = click.Choice(["paper", "films", "recipients_copies"])


@click.command()
@click.argument("list_id", metavar="LIST")
@address_option
@click.option("--hospital", required=True, help="Hospital of the list.")
@click.option("--executor", type=Person(), help="Who destroys.")
@click.option("--covers", type=_COVERS, multiple=True, help="What else goes with the records.")
@click.option("--show", is_flag=True, help="Print the list as it stands, and destroy nothing.")
def dispose(
    list_id: str,
    address: str,
    hospital: str,
    executor: Actor | None,
    covers: tuple[str, ...],
    show: bool,
) -> None:
    """Destroy the records of an approved LIST, leave out what has a reason against it, and record the report.

    The head of the hospital has approved it and two supervisors have signed for it before, each by a command of the
    own login. Started again after a crash it goes on where it was.
    """
    if not show and executor is None:
        raise click.UsageError("--executor is required")
    executors = Executors(executor or Actor(), covers)
    try:
        with shown_errors():
            print_list(asyncio.run(_run(address, hospital, list_id, executors, show)))
    except (ListNotApproved, ListNotSupervised, ExecutionRefused, ServiceUnavailable) as error:
        raise click.ClickException(str(error)) from error


async def _run(address: str, hospital: str, list_id: str, executors: Executors, show: bool) -> DisposalList:
    async with grpc.aio.insecure_channel(address) as channel:
        execution = ListExecution(channel, hospital, executors)
        return await (execution.read(list_id) if show else execution.execute(list_id))


def print_list(listed: DisposalList) -> None:
    """Prints the list: its records, what became of each, the counts and the people."""
    console = table_console(_PLAIN_COLUMNS)
    outcomes = {each.record_id: each for each in listed.outcomes}
    columns = ("record", "case number", "visit", "care ended", "retained until", "became", "because", "with it")
    covered = {each.record_id: ", ".join(each.covers).replace("_", " ") for each in listed.covered}
    table = Table(*columns, title=f"{listed.title} ({_phase(listed)})")
    for record in listed.records:
        table.add_row(*_row(record, outcomes.get(record.record_id)), covered.get(record.record_id, ""))
    console.print(table)
    console.print(f"drawn up {_when(listed, 'drawn_up_at')} by {listed.proposed_by.name}")
    if listed.HasField("approved_by"):
        console.print(f"passed {_when(listed, 'approved_at')} by {listed.approved_by.name}")
    if listed.HasField("authorised_at"):
        console.print(f"approved {_when(listed, 'authorised_at')} by {listed.approver.name}")
    watched = " and ".join(each.name for each in listed.supervisors)
    if watched:
        console.print(f"signed for its execution: {watched}")
    if listed.phase == DISPOSAL_LIST_PHASE_EXECUTED:
        gone = sum(each.destroyed for each in listed.outcomes)
        console.print(f"executed {_when(listed, 'executed_at')} under {watched}")
        console.print(f"{gone} destroyed, {len(listed.outcomes) - gone} left out")


def _row(record: ListedRecord, outcome: ReportedRecord | None) -> tuple[str, ...]:
    became = "" if outcome is None else "destroyed" if outcome.destroyed else "left out"
    visit = f"{VisitType.Name(record.visit_type).removeprefix('VISIT_TYPE_').lower()} {record.visit_sequence}"
    dates = (record.ended_on, record.retain_until)
    return record.record_id, record.case_number, visit, *dates, became, ", ".join(outcome.rules if outcome else ())


def _phase(listed: DisposalList) -> str:
    return DisposalListPhase.Name(listed.phase).removeprefix("DISPOSAL_LIST_PHASE_").lower().replace("_", " ")


def _when(listed: DisposalList, field: str) -> str:
    return getattr(listed, field).ToDatetime(tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
