"""A record amended, closed, archived; and what the archive refuses."""

from __future__ import annotations

import uuid

import grpc
from rich.console import Console

from ledger.api.v1 import boards_pb2, records_pb2
from ledger.api.v1.boards_pb2_grpc import ArchiveServiceStub
from ledger.api.v1.common_pb2 import AMENDMENT_KIND_CORRECTION, DISPOSITION_HOME, PHASE_ARCHIVED, Actor, EntryContent
from ledger.cli.demo.client import Client, note
from ledger.cli.demo.looking import Chosen, StoryFailed
from ledger.cli.demo.tables import print_register
from ledger.cli.errors_shown import reason, violations_of
from ledger.cli.replay import print_history, read_history

HISTORY_ROWS = 8


async def amend_close_archive(client: Client, chosen: Chosen, console: Console) -> None:
    """One record amended, closed, archived; the archive refuses before quality has passed."""
    await _amend(client, chosen, console)
    end = records_pb2.EndCareRequest(context=client.context(), record_id=chosen.record_id, disposition=DISPOSITION_HOME)
    await client.send(client.records.EndCare, end)
    submit = records_pb2.SubmitRecordRequest(context=client.context(), record_id=chosen.record_id)
    await client.send(client.records.SubmitRecord, submit)
    archivist = await client.colleague("Records Office", "records_office")
    await _refused(client, chosen, archivist, console)
    quality = await client.colleague("Quality Office", "quality_office")
    passed = records_pb2.PassQualityRequest(context=client.context(quality), record_id=chosen.record_id)
    await client.send(client.records.PassQuality, passed)
    archive = records_pb2.ArchiveRecordRequest(context=client.context(archivist), record_id=chosen.record_id)
    await client.send(client.records.ArchiveRecord, archive)
    register = await ArchiveServiceStub(client.channel).ListArchiveRegister(
        boards_pb2.ListArchiveRegisterRequest(
            hospital=client.hospital, phase=PHASE_ARCHIVED, page_size=5, min_position=client.position
        )
    )
    print_register(register, "Archived cases", console)


async def _amend(client: Client, chosen: Chosen, console: Console) -> None:
    content = note("course_note", "Course note", note="Stable overnight. Oral intake resumed.")
    recorded = await client.send(
        client.records.RecordEntry,
        records_pb2.RecordEntryRequest(
            context=client.context(), record_id=chosen.record_id, content=content, attestation=client.signed()
        ),
    )
    corrected = EntryContent()
    corrected.CopyFrom(content)
    corrected.sections[0].text = "Stable overnight. Oral intake resumed at 06:00, not before."
    await client.send(
        client.records.AmendEntry,
        records_pb2.AmendEntryRequest(
            context=client.context(),
            record_id=chosen.record_id,
            entry_id=recorded.entry_id,
            kind=AMENDMENT_KIND_CORRECTION,
            reason="the time was missing",
            content=corrected,
            attestation=client.signed(),
        ),
    )
    answer = await client.records.GetEntry(
        records_pb2.GetEntryRequest(hospital=client.hospital, record_id=chosen.record_id, entry_id=recorded.entry_id)
    )
    console.print(f"The corrected note keeps both versions: {len(answer.entry.versions)} are readable.")


async def _refused(client: Client, chosen: Chosen, archivist: Actor, console: Console) -> None:
    request = records_pb2.ArchiveRecordRequest(context=client.context(archivist), record_id=chosen.record_id)
    try:
        await client.records.ArchiveRecord(request)
    except grpc.RpcError as error:
        named = ", ".join(each.rule for each in violations_of(error))
        console.print(f"Archiving before quality control is refused: {reason(error)} ({named}).")
    else:
        raise StoryFailed("a record was archived before quality control had passed it")


async def show_history(client: Client, chosen: Chosen, address: str, console: Console) -> None:
    """The end of the record's history, with its chain checked from the first event."""
    record = uuid.UUID(chosen.record_id)
    events = await read_history(client.hospital, record, address)
    fault = print_history(record, events, console, HISTORY_ROWS)
    if fault is not None:
        raise StoryFailed(f"the chain of the record breaks: {fault.kind.value}")
