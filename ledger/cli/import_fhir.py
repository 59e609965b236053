"""`ledger import fhir`: takes a directory of FHIR R4 NDJSON over into a hospital's ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import grpc.aio
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from importers.fhir.faults import UnusableInput
from importers.fhir.importing import SOURCE_SYSTEM, import_plan, prepare
from importers.fhir.patience import CommandRefused, ServiceLost
from importers.fhir.plan import Plan
from importers.fhir.report import Outcome, Report
from ledger.cli.service_address import address_option
from ledger.cli.shown_tables import table_console

_ALIKE_SHOWN = 10
_PLAIN_STEPS = 10
"""Progress lines where there is no terminal."""


@click.group("import")
def import_() -> None:
    """Take over what an earlier system holds."""


@import_.command("fhir")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--hospital", required=True, help="Hospital that takes it over.")
@address_option
@click.option(
    "--system",
    "--source-system",
    "source_system",
    default=SOURCE_SYSTEM,
    show_default=True,
    help="Name of the system it comes from.",
)
def import_fhir(directory: Path, hospital: str, address: str, source_system: str) -> None:
    """Import the FHIR R4 NDJSON files of DIRECTORY.

    Everything is checked before anything is written. Doing it again adds only what is new or has changed.
    """
    console = table_console()
    try:
        plan = prepare(directory, datetime.now(UTC))
        report = asyncio.run(run_import(plan, address, hospital, source_system, console))
    except UnusableInput as error:
        raise click.ClickException(str(error)) from error
    except CommandRefused as error:
        raise click.ClickException(f"the service refuses the import: {error.reason}") from error
    except ServiceLost as error:
        raise click.ClickException(str(error)) from error
    print_report(report, console)
    if not report.good():
        raise SystemExit(1)


async def run_import(plan: Plan, address: str, hospital: str, source_system: str, console: Console) -> Report:
    """Imports a plan and shows its progress: a bar on a terminal, plain lines elsewhere."""
    async with grpc.aio.insecure_channel(address) as channel:
        return await show_import(plan, channel, hospital, source_system, console)


async def show_import(
    plan: Plan, channel: grpc.aio.Channel, hospital: str, source_system: str, console: Console
) -> Report:
    """The same over a channel that is there."""

    async def run(progressed: Callable[[int], None]) -> Report:
        return await import_plan(plan, channel, hospital, source_system=source_system, progressed=progressed)

    if console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task("importing", total=plan.commands)
            return await run(lambda count: bar.advance(task, count))
    return await run(_PlainLines(plan.commands, console).advance)


class _Rate(ProgressColumn):
    """Commands per second."""

    @override
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    return Progress(*columns, console=console)


class _PlainLines:
    """A line for each tenth that is done."""

    def __init__(self, total: int, console: Console) -> None:
        self._total = total
        self._console = console
        self._done = 0
        self._said = 0
        self._began = time.monotonic()

    def advance(self, count: int) -> None:
        """Takes up that `count` more are done."""
        self._done += count
        step = self._done * _PLAIN_STEPS // max(self._total, 1)
        if step > self._said:
            self._said = step
            rate = self._done / max(time.monotonic() - self._began, 1e-6)
            left = timedelta(seconds=round((self._total - self._done) / rate))
            self._console.print(
                f"importing: {self._done:,} of {self._total:,} commands, {rate:,.0f}/s, {left} left", highlight=False
            )


def print_report(report: Report, console: Console) -> None:
    """Prints what became of every line: a table by type, the reasons, and one closing line."""
    console.print(_counts(report))
    if report.reasons:
        console.print(_reasons(report))
    if report.subjects_unresolved:
        console.print(
            f"{report.subjects_unresolved:,} lines name a patient who is not among the files; "
            "they are filed by their encounter."
        )
    for line in _to_look_at(report):
        console.print(line)
    console.print(_closing(report))


def _counts(report: Report) -> Table:
    table = Table(title="Import", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("resource", no_wrap=True)
    for heading in ("lines", *(outcome.value for outcome in Outcome)):
        table.add_column(heading, justify="right")
    for type_ in sorted(report.lines):
        row = (report.counts[type_, outcome] for outcome in Outcome)
        table.add_row(type_, f"{report.lines[type_]:,}", *(f"{count:,}" if count else "" for count in row))
    table.add_section()
    table.add_row("all", f"{report.lines_total():,}", *(f"{report.total(outcome):,}" for outcome in Outcome))
    return table


def _reasons(report: Report) -> Table:
    table = Table("resource", "outcome", "lines", "reason", title="Left out or refused", box=SIMPLE_HEAD)
    for (type_, outcome, reason), count in sorted(report.reasons.items()):
        table.add_row(type_, outcome.value, f"{count:,}", reason)
    return table


def _to_look_at(report: Report) -> Iterator[str]:
    """What a person must decide."""
    if report.alike:
        yield (
            f"{len(report.alike):,} patients share name, birth date and gender with one registered before; nothing was "
            "filed there, a person may link them:"
        )
        for patient_id, others in report.alike[:_ALIKE_SHOWN]:
            yield f"  {patient_id} may be {', '.join(others)}"
    if report.still_twice:
        yield (
            f"{report.still_twice:,} entries go on showing a result that the source moved: the record takes no change."
        )


def _closing(report: Report) -> str:
    rate = report.commands / report.seconds if report.seconds else 0.0
    sums = "the counts add up" if report.adds_up() else "THE COUNTS DO NOT ADD UP"
    unexpected = f"; {report.unexpected():,} REFUSED UNEXPECTEDLY" if report.unexpected() else ""
    return (
        f"{report.commands:,} commands in {report.seconds:.1f} s ({rate:,.0f}/s), {report.events:,} events added, "
        f"{report.entries:,} entries; {sums}{unexpected}."
    )
