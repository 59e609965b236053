"""The archive office on a real server, and on one that serves something else than was stored."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from typing_extensions import override

from consumers.archive_office.office import ArchiveOffice, ArchiveStopped
from consumers.archive_office.verification import verify_archive
from consumers.patience import Patience, ServiceUnavailable
from ledger.api.v1.stream_pb2 import ReadHospitalRequest, ReadHospitalResponse, StoredEvent
from ledger.api.v1.stream_pb2_grpc import (
    StreamServiceServicer,
    StreamServiceStub,
    add_StreamServiceServicer_to_server,
)
from ledger.domain.pack_text import read_pack
from ledger.domain.template_text import read_templates
from ledger.domain.values import VisitType
from ledger.trust.chain import FaultKind
from ledger.trust.envelope import decode
from ledger.trust.verify import RowFault, Summary
from tests.integration.consumers.hospitals import Hospitals
from tests.services.sealed import FIXED_KEY

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import StreamServiceAsyncStub

Change = Callable[[list[StoredEvent]], list[StoredEvent]]
PATIENCE = Patience(attempts_max=3, first_pause_seconds=0.02)


class CrookedStream(StreamServiceServicer):
    """Serves a hospital's events as the real service does, changed."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._honest = StreamServiceStub(channel)
        self.change: Change = list
        self.breaks_after: list[int] = []
        """After so many events the next calls break off."""
        self.falls_silent_after: list[int] = []
        """After so many events the next calls say nothing more, and hold the connection."""

    @override
    async def ReadHospital(  # pyright: ignore[reportIncompatibleMethodOverride]  # asynchronous, as grpc.aio takes it
        self,
        request: ReadHospitalRequest,
        context: grpc.aio.ServicerContext[ReadHospitalRequest, ReadHospitalResponse],
    ) -> AsyncIterator[ReadHospitalResponse]:
        """One event to a batch, so that a break can fall anywhere."""
        events = [event async for batch in self._honest.ReadHospital(request) for event in batch.events]
        silent = self.falls_silent_after.pop(0) if self.falls_silent_after else None
        left = self.breaks_after.pop(0) if self.breaks_after else None
        for event in self.change(events)[: left if silent is None else silent]:
            yield ReadHospitalResponse(events=[event])
        if silent is not None:
            await asyncio.Event().wait()
        if left is not None:
            await context.abort(grpc.StatusCode.UNAVAILABLE)


@asynccontextmanager
async def crooked_stream(hospitals: Hospitals) -> AsyncGenerator[tuple[CrookedStream, StreamServiceAsyncStub]]:
    """Such a service, and a client of it."""
    server = grpc.aio.server()
    service = CrookedStream(hospitals.channel)  # pyright: ignore[reportAbstractUsage]  # one call is all it serves
    add_StreamServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield service, StreamServiceStub(channel)
    await server.stop(None)


def _office(stub: StreamServiceAsyncStub, folder: Path) -> ArchiveOffice:
    return ArchiveOffice("north", stub=stub, folder=folder, opener=FIXED_KEY, patience=PATIENCE)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_whole_histories_become_files_that_can_be_checked_alone(hospitals: Hospitals, tmp_path: Path) -> None:
    """One file per record, in order of version, with every byte of the ledger; a second run adds what is new."""
    stub = StreamServiceStub(hospitals.channel)
    record_id = await hospitals.record()
    first = await _office(stub, tmp_path).run()
    await hospitals.note(record_id, "Later.")
    second = await _office(stub, tmp_path).run()
    assert (first.added.events, second.added.events) == (9, 1)
    assert (second.events, second.records, second.head_position) == (10, 3, 10)
    lines = (tmp_path / "records" / f"{record_id}.jsonl").read_text().splitlines()
    assert [json.loads(line)["version"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert json.loads(lines[-1])["body_json"]["content"]["sections"][0]["text"] == "Later."
    found = verify_archive(tmp_path)
    assert isinstance(found, Summary)
    assert (found.events, found.streams, found.last_position) == (10, 3, 10)


async def test_an_archive_alone_shows_by_which_rules_an_entry_was_signed(hospitals: Hospitals, tmp_path: Path) -> None:
    """Thirty years on: the pack's figures and the template's headings, from the files and from nothing of a release."""
    record_id = await hospitals.record(notes=1)
    await _office(StreamServiceStub(hospitals.channel), tmp_path).run()
    assert isinstance(verify_archive(tmp_path), Summary)
    files = [data for name, data in _contents(tmp_path).items() if name.endswith(".jsonl")]
    lines = [json.loads(line) for data in files for line in data.splitlines()]
    said = {(line["record"], line["type"].removeprefix("ledger.v1.")): line["body_json"] for line in lines}
    rules = {of: body for (_, of), body in said.items() if of in {"RulePackAdded", "TemplatesAdded"}}
    record, entry = said[record_id, "RecordRegistered"], said[record_id, "EntryRecorded"]

    added = rules["RulePackAdded"]
    assert (added["pack_id"], added["version"]) == (record["rule_pack"], record["rule_pack_version"])
    assert sha256(added["text"].encode()).digest() == b64decode(added["sha256"])
    pack, _ = read_pack(added["text"], {})
    assert pack.retention[VisitType.INPATIENT].years == 30
    templates = read_templates(rules["TemplatesAdded"]["text"]).templates
    template = templates[entry["content"]["template"], entry["content"]["template_version"]]
    (section,) = entry["content"]["sections"]
    assert (template.title_zh, template.sections[section["code"]].title) == ("病程记录", "Note")


async def test_a_run_with_nothing_new_changes_nothing(hospitals: Hospitals, tmp_path: Path) -> None:
    """Not one byte of any file."""
    stub = StreamServiceStub(hospitals.channel)
    await hospitals.record()
    await _office(stub, tmp_path).run()
    before = _contents(tmp_path)
    assert (await _office(stub, tmp_path).run()).added.events == 0
    assert _contents(tmp_path) == before


async def test_a_stream_that_breaks_off_at_every_event_is_read_to_its_end(hospitals: Hospitals, tmp_path: Path) -> None:
    """Attempts count from the last progress: a long ledger is not given up because it took many of them."""
    await hospitals.record(notes=5)
    async with crooked_stream(hospitals) as (service, stub):
        service.breaks_after = [1] * 10
        assert (await _office(stub, tmp_path).run()).head_position == 11
        await hospitals.record()
        service.breaks_after = [0] * 3
        with pytest.raises(ServiceUnavailable):
            await _office(stub, tmp_path).run()


async def test_a_stream_that_falls_silent_is_opened_again(hospitals: Hospitals, tmp_path: Path) -> None:
    """Nothing for as long as one attempt may take, though the connection stands: read on in another one."""
    await hospitals.record()
    hurried = replace(PATIENCE, call_seconds_max=0.3)
    async with crooked_stream(hospitals) as (service, stub):
        service.falls_silent_after = [2, 0]
        office = ArchiveOffice("north", stub=stub, folder=tmp_path, opener=FIXED_KEY, patience=hurried)
        assert (await office.run()).head_position == 9


async def test_a_stream_that_breaks_off_is_taken_up_where_it_was(hospitals: Hospitals, tmp_path: Path) -> None:
    """The files are those of an unbroken run."""
    await hospitals.record()
    await _office(StreamServiceStub(hospitals.channel), tmp_path / "unbroken").run()
    async with crooked_stream(hospitals) as (service, stub):
        service.breaks_after = [2, 1]
        await _office(stub, tmp_path / "broken").run()
    assert _contents(tmp_path / "broken") == _contents(tmp_path / "unbroken")


def _altered(position: int, part: str) -> Change:
    def change(events: list[StoredEvent]) -> list[StoredEvent]:
        event = next(each for each in events if each.position == position)
        data: bytes = getattr(event, part)
        setattr(event, part, data[:-1] + bytes((data[-1] ^ 1,)))
        return events

    return change


def _without(position: int) -> Change:
    return lambda events: [event for event in events if event.position != position]


def _swapped(position: int) -> Change:
    def change(events: list[StoredEvent]) -> list[StoredEvent]:
        one, other = (next(each for each in events if each.position == position + step) for step in (0, 1))
        one.envelope, other.envelope = other.envelope, one.envelope
        one.body, other.body = other.body, one.body
        return events

    return change


@pytest.mark.parametrize(
    ("change", "kind", "position"),
    [
        (_altered(8, "body"), FaultKind.BODY, 8),
        (_altered(8, "envelope"), FaultKind.PREV_LEAF, 8),
        (_without(8), RowFault.POSITION, 8),
        (_swapped(7), FaultKind.VERSION, 7),
    ],
    ids=["a byte of a body", "a byte of an envelope", "an event missing", "two events swapped"],
)
async def test_a_ledger_that_does_not_hold_stops_the_office(
    hospitals: Hospitals, tmp_path: Path, change: Change, kind: FaultKind | RowFault, position: int
) -> None:
    """By kind, position and record; what was archived before stays as it was."""
    record_id = await hospitals.record(notes=0)
    async with crooked_stream(hospitals) as (service, stub):
        await _office(stub, tmp_path).run()
        before = _contents(tmp_path)
        for number in range(4):
            await hospitals.note(record_id, f"Note {number}.")
        service.change = change
        with pytest.raises(ArchiveStopped) as stopped:
            await _office(stub, tmp_path).run()
        assert (stopped.value.fault.kind, stopped.value.fault.position) == (kind, position)
        assert _counted(tmp_path) == before
        service.change = list
        await _office(stub, tmp_path).run()
    assert isinstance(verify_archive(tmp_path), Summary)


def _counted(folder: Path) -> dict[str, bytes]:
    """The archive's files as far as the manifest counts them."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    sizes = {entry["file"]: entry["size"] for entry in manifest["records"].values()}
    return {name: data[: sizes.get(name, len(data))] for name, data in _contents(folder).items()}


async def test_what_the_archive_holds_is_what_the_server_stored(hospitals: Hospitals, tmp_path: Path) -> None:
    """Envelope by envelope."""
    await hospitals.record()
    stub = StreamServiceStub(hospitals.channel)
    await _office(stub, tmp_path).run()
    found = verify_archive(tmp_path)
    assert isinstance(found, Summary)
    served = [
        event async for batch in stub.ReadHospital(ReadHospitalRequest(hospital="north")) for event in batch.events
    ]
    assert found.events == len(served)
    assert {decode(event.envelope).origin for event in served} == {found.origin}
