"""What happened to the records of the story, row by row, as the ledger tells it: nothing here is what was meant."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ledger.api.v1.common_pb2 import Actor, Attestation, CommandContext, EventMeta, Phase, SourceItem
from ledger.api.v1.course_pb2_grpc import CourseServiceStub
from ledger.api.v1.disposal_pb2_grpc import DisposalServiceStub
from ledger.api.v1.keeping_pb2_grpc import KeepingServiceStub
from ledger.api.v1.records_pb2 import GetRecordRequest, Record
from ledger.api.v1.records_pb2_grpc import PatientServiceStub, RecordServiceStub
from ledger.api.v1.stream_pb2 import ReadRecordRequest, StoredEvent
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.api.v1.transfers_pb2_grpc import TransferServiceStub
from ledger.cli.demo.looking import StoryFailed
from ledger.cli.errors_shown import reason, violations_of
from ledger.trust.envelope import decode
from ledger.trust.sealing import Destroyed, Opened, Opener, Opening
from ledger.views.bodies import BODIES, TYPE_PREFIX

_WITHOUT_PHASE = ("PatientRegistered", "PatientAmended", "DisposalList", "DisposalSupervision")
"""Events of streams that are no record."""
_DESTROYED = "RECORD_DESTROYED"


@dataclass(frozen=True)
class _Sent:
    """A command as its sender knows it."""

    who: Actor
    at: datetime | None


@dataclass(frozen=True)
class _Row:
    time: str
    who: str
    what: str
    event: str
    phase: str
    refused: bool = False


@dataclass
class Timeline:
    """Sends the story's commands, and notes the events that each added, or the rules by which it was refused."""

    channel: grpc.aio.Channel
    hospital: str
    opener: Opener
    _rows: list[_Row] = field(default_factory=list[_Row])
    _versions: dict[str, int] = field(default_factory=dict[str, int])
    """How much of each stream was told."""

    def __post_init__(self) -> None:
        self.patients = PatientServiceStub(self.channel)
        self.records = RecordServiceStub(self.channel)
        self.course = CourseServiceStub(self.channel)
        self.keeping = KeepingServiceStub(self.channel)
        self.disposal = DisposalServiceStub(self.channel)
        self.transfers = TransferServiceStub(self.channel)
        self._streams = StreamServiceStub(self.channel)

    async def tell(
        self, who: Actor, at: datetime | None, what: str, method: Any, request: Any, source: SourceItem | None = None
    ) -> Any:
        """Sends a command that must be done; its answer. With a `source` it is taken over from an earlier system."""
        request.context.CopyFrom(self._context(who, at))
        if source is not None:
            request.context.source.CopyFrom(source)
            request.context.historical = True
        answer = await method(request)
        await self.note(answer.receipt.record_id, what, _Sent(who, at))
        return answer

    async def refused(self, who: Actor, at: datetime | None, what: str, method: Any, request: Any) -> None:
        """Sends a command that must be refused by a rule. Raises StoryFailed where the ledger takes it."""
        request.context.CopyFrom(self._context(who, at))
        try:
            await method(request)
        except grpc.RpcError as error:
            rules = _rules(error)
            if not rules:
                raise
        else:
            raise StoryFailed(f"the ledger took what it should refuse: {what}")
        of_record = "record_id" in request.DESCRIPTOR.fields_by_name
        phase = _phase((await self.record(request.record_id)).phase) if of_record else ""
        self._rows.append(_Row(_time(request.context.occurred_at, at), _who(who), what, rules, phase, refused=True))

    async def note(self, stream_id: str, what: str, sent: _Sent | None = None) -> None:
        """Notes the events of a stream that were not told yet, one row for each.

        `sent`: who sent the command and when, for what cannot be read any more: a destruction takes its own words too.
        """
        after = self._versions.get(stream_id, 0)
        events = await self._events(stream_id, after)
        self._versions[stream_id] = after + len(events)
        openings = await self.opener.open([(event.envelope, event.body) for event in events])
        metas = [_read(event, opening, sent) for event, opening in zip(events, openings, strict=True)]
        phases = [await self._phase_at(stream_id, after + 1 + index, name) for index, (name, _) in enumerate(metas)]
        for index, ((name, meta), phase) in enumerate(zip(metas, phases, strict=True)):
            said = what if index == 0 else "  together with it"
            self._rows.append(_Row(_time(meta.occurred_at, None), _who(meta.actor), said, name, phase))

    async def record(self, record_id: str) -> Record:
        """The record as it stands."""
        answer = await self.records.GetRecord(GetRecordRequest(hospital=self.hospital, record_id=record_id))
        return answer.record

    def print(self, title: str, console: Console) -> None:
        """The timeline as one table."""
        table = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
        for name, limit in (("time", 16), ("who", 24), ("what", 48), ("event, or refused by", 34), ("phase after", 11)):
            table.add_column(name, max_width=limit)
        for row in self._rows:
            event = f"[red]refused[/] {row.event}" if row.refused else row.event
            table.add_row(row.time, row.who, row.what, event, row.phase)
        console.print(table, highlight=False)

    def counted(self) -> tuple[int, int]:
        """How many events and how many refusals were told."""
        refused = sum(row.refused for row in self._rows)
        return len(self._rows) - refused, refused

    def _context(self, who: Actor, at: datetime | None) -> CommandContext:
        context = CommandContext(hospital=self.hospital, command_id=str(uuid.uuid4()), actor=who)
        if at is not None:
            context.occurred_at.CopyFrom(stamp(at))
        return context

    async def _events(self, stream_id: str, after: int) -> list[StoredEvent]:
        request = ReadRecordRequest(hospital=self.hospital, record_id=stream_id, after_version=after)
        return [event async for batch in self._streams.ReadRecord(request) for event in batch.events]

    async def _phase_at(self, stream_id: str, version: int, event: str) -> str:
        if event.startswith(_WITHOUT_PHASE):
            return ""
        request = GetRecordRequest(hospital=self.hospital, record_id=stream_id, version=version)
        return _phase((await self.records.GetRecord(request)).record.phase)


def signed(by: Actor, at: datetime | None) -> Attestation:
    """A person's confirmation by login."""
    return Attestation(method="session", signer=by, signed_at=None if at is None else stamp(at))


def stamp(time: datetime) -> Timestamp:
    """A time as protobuf has it."""
    made = Timestamp()
    made.FromDatetime(time)
    return made


def _rules(error: grpc.RpcError) -> str:
    """The rules that refused a command; empty where none did."""
    if (named := reason(error)) == _DESTROYED:
        return f"{named}\n(rule: a destroyed record takes nothing)"
    return "\n".join(dict.fromkeys(f"{each.rule}\n(rule: {each.text})" for each in violations_of(error)))


def _read(event: StoredEvent, opening: Opening, sent: _Sent | None) -> tuple[str, EventMeta]:
    name = decode(event.envelope).type
    if isinstance(opening, Destroyed) and sent is not None:
        return name.removeprefix(TYPE_PREFIX), EventMeta(
            actor=sent.who, occurred_at=stamp(sent.at or datetime.now(UTC))
        )
    if not isinstance(opening, Opened):
        raise StoryFailed(f"an event of the story cannot be opened: {opening}")
    parse: Callable[[bytes], Message] = BODIES[name].FromString
    body: Any = parse(opening.plaintext)
    return name.removeprefix(TYPE_PREFIX), body.meta


def _time(occurred_at: Timestamp, sent: datetime | None) -> str:
    at = occurred_at.ToDatetime() if occurred_at.seconds or sent is not None else datetime.now(UTC)
    return f"{at:%Y-%m-%d %H:%M}"


def _who(actor: Actor) -> str:
    return f"{actor.name or 'the other hospital'}, {actor.role}".removesuffix(", ")


def _phase(phase: Phase.ValueType) -> str:
    return Phase.Name(phase).removeprefix("PHASE_")
