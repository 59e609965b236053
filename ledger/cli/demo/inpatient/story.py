"""The story as a whole, chapter by chapter."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import grpc.aio
from rich.console import Console

from ledger.api.v1.course_pb2 import GetAllowedActionsRequest
from ledger.cli.demo.inpatient.end_of_term import destroy, hold_and_condemn, readmit
from ledger.cli.demo.inpatient.first_stay import Case, admit, consult, move_and_discharge, write_notes
from ledger.cli.demo.inpatient.people import register_people
from ledger.cli.demo.inpatient.records_office import hand_over, lend, reopen, seal_and_copy, submit
from ledger.cli.demo.inpatient.timeline import Timeline
from ledger.cli.printed_copy.command import read_copy
from ledger.cli.printed_copy.copied_record import CopiedRecord
from ledger.cli.printed_copy.pdf_pages import pdf_copy
from ledger.trust.sealing import Opener

_PHASE = "PHASE_NOT_ALLOWED"


@dataclass(frozen=True)
class Recounted:
    """What the story left behind."""

    record_id: str
    events: int
    refusals: int


async def tell_inpatient_story(
    channel: grpc.aio.Channel, hospital: str, recipient: str, opener: Opener, printed: Path, console: Console
) -> Recounted:
    """One record from registration to destruction, through the public API, and its timeline.

    The copy that is handed out on the way is printed into a file, which outlives the record as a recipient's does.
    """
    tale = Timeline(channel, hospital, opener)
    case = await admit(tale, await register_people(channel, hospital))
    admission_id = await write_notes(case)
    await consult(case)
    under_care = await _allowed(case, case.people.attending.role)
    discharge_id = await move_and_discharge(case)
    await submit(case, discharge_id)
    copied = await read_copy(channel, hospital, UUID(case.record_id), UUID(await seal_and_copy(case)))
    await asyncio.to_thread(_print, copied, printed)
    await lend(case)
    await reopen(case, admission_id)
    await hand_over(case, recipient)
    await readmit(case)
    hold_id, list_id = await hold_and_condemn(case)
    condemned = await _allowed(case, case.people.archivist.role)
    case_number = (await tale.record(case.record_id)).case_number
    await destroy(case, hold_id, list_id)
    tale.print(f"The inpatient story of case {case_number} in {hospital}", console)
    console.print(
        "Times are when it happened in the world, as its people say; the ledger recorded all of it today, and what it"
        " guards by its own clock (windows, answers of other hospitals) runs by that.",
        highlight=False,
    )
    console.print(f"The copy that was handed out: {printed}, of version {copied.version}", highlight=False)
    _print_allowed("What the record accepted of the attending under care", under_care, console)
    what = "What it accepted of the records office once its destruction was approved, while the hold stood"
    _print_allowed(what, condemned, console)
    events, refusals = tale.counted()
    return Recounted(case.record_id, events, refusals)


def _print(copied: CopiedRecord, printed: Path) -> None:
    printed.write_bytes(pdf_copy(copied))


@dataclass(frozen=True)
class _Accepted:
    allowed: list[str]
    forbidden: list[tuple[str, str]]
    """Actions that the phase would take, each with the rules against it."""
    out_of_phase: int


async def _allowed(case: Case, role: str) -> _Accepted:
    request = GetAllowedActionsRequest(hospital=case.tale.hospital, record_id=case.record_id, role=role)
    actions = (await case.tale.course.GetAllowedActions(request)).actions
    rules = {each.action: dict.fromkeys(reason.rule for reason in each.reasons) for each in actions}
    allowed = [action for action, against in rules.items() if not against]
    forbidden = [(action, ", ".join(against)) for action, against in rules.items() if against and _PHASE not in against]
    return _Accepted(allowed, forbidden, len(rules) - len(allowed) - len(forbidden))


def _print_allowed(title: str, accepted: _Accepted, console: Console) -> None:
    reasons = "; ".join(f"{action} ({rules})" for action, rules in accepted.forbidden)
    console.print(f"\n[bold]{title}[/] (GetAllowedActions)", highlight=False)
    console.print(f"  yes: {', '.join(accepted.allowed)}", highlight=False)
    console.print(f"  no: {reasons}; its phase forbids {accepted.out_of_phase} others", highlight=False)
