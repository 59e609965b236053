"""One import from beginning to end: scan, plan, deliver, report."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import grpc.aio

from importers.fhir.delivery import Delivery
from importers.fhir.patience import Patience
from importers.fhir.plan import Plan, make_plan
from importers.fhir.report import Report
from importers.fhir.requests import Requests
from importers.fhir.scan import scan

SOURCE_SYSTEM = "fhir"
"""Source system where the caller names none."""


def prepare(directory: Path, now: datetime) -> Plan:
    """Checks all files of a directory and plans their import. Raises UnusableInput with every fault."""
    return make_plan(scan(directory), now)


async def import_plan(
    plan: Plan,
    channel: grpc.aio.Channel,
    hospital: str,
    *,
    source_system: str = SOURCE_SYSTEM,
    progressed: Callable[[int], None] = lambda _: None,
    patience: Patience | None = None,
) -> Report:
    """Imports a plan into a hospital and says what became of every line.

    Raises ServiceLost where the service goes away for long; starting the import again goes on where it was.
    """
    began = time.monotonic()
    report = Report(plan.catalogue.lines, subjects_unresolved=plan.subjects_unresolved)
    for item, outcome, reason in plan.settled:
        report.settle([item.type], outcome, reason)
    requests = Requests(hospital, source_system)
    delivery = Delivery(channel, requests, plan, report, progressed=progressed, patience=patience)
    await delivery.deliver()
    report.seconds = time.monotonic() - began
    return report
