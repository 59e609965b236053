"""The same people from a second system: what both say stands once, and what only one says is not lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import grpc.aio
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from importers.fhir.importing import import_plan, prepare
from importers.fhir.report import Outcome, Report
from ledger.cli.demo.checks import Checks
from ledger.cli.demo.second_system import corrections, second_system

_SYSTEM = "laboratory"
_PEOPLE = 25
"""How many of the people the second system knows: enough for every outcome, and soon done."""


async def import_second_system(
    channel: grpc.aio.Channel, hospital: str, files: Path, folder: Path, checks: Checks, console: Console
) -> tuple[Report, ...]:
    """Imports the laboratory's files, then its corrections; the folder is written anew."""
    laboratory = second_system(files, folder / _SYSTEM, _PEOPLE)
    corrected = corrections(laboratory, folder / f"{_SYSTEM}-corrected")
    first, later = [await _import(each, channel, hospital) for each in (laboratory, corrected)]
    console.print(_table({"the laboratory": first, "its corrections": later}))
    checks.say(
        "every line of the second system is accounted for",
        holds=first.good() and later.good(),
        compared=f"{first.lines_total() + later.lines_total():,} lines",
    )
    linked, own = first.total(Outcome.LINKED), first.total(Outcome.RECORDED)
    checks.say(
        "what both systems say is recorded once and linked",
        holds=linked > 0 and own > 0 and first.total(Outcome.AMENDED) == 0,
        compared=f"{linked:,} lines linked, {own:,} that only the laboratory knows recorded, nothing overwritten",
    )
    amended, refused = later.total(Outcome.AMENDED), later.total(Outcome.REFUSED)
    checks.say(
        "a correction amends the system's own results alone, and a result dated ahead is refused",
        holds=amended > 0 and refused == 1 and later.total(Outcome.RECORDED) == 0,
        compared=f"{amended:,} lines amended, {refused:,} refused",
    )
    return first, later


async def _import(files: Path, channel: grpc.aio.Channel, hospital: str) -> Report:
    plan = prepare(files, datetime.now(UTC))
    return await import_plan(plan, channel, hospital, source_system=_SYSTEM, progressed=lambda _: None)


def _table(reports: dict[str, Report]) -> Table:
    table = Table(title=f"A second system of the same hospital, {_PEOPLE} of its people", box=SIMPLE_HEAD)
    table.add_column("import", no_wrap=True)
    for heading in ("resource", "lines", *(outcome.value for outcome in Outcome), "events"):
        table.add_column(heading, justify="left" if heading == "resource" else "right")
    for name, report in reports.items():
        for type_ in sorted(report.lines):
            counts = [report.counts[type_, outcome] for outcome in Outcome]
            table.add_row(
                name, type_, f"{report.lines[type_]:,}", *(f"{each:,}" if each else "" for each in counts), ""
            )
        sums = (f"{report.total(outcome):,}" for outcome in Outcome)
        table.add_row(name, "all", f"{report.lines_total():,}", *sums, f"{report.events:,}", end_section=True)
    return table
