"""How events move an entry on the department board."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, course_events_pb2, events_pb2
from ledger.views.event import ViewEvent
from projections.department_board.rows import BoardEntry

_Step = Callable[[ViewEvent, Any, BoardEntry | None], BoardEntry | None]


def _written(state: int | None = None, *, late: bool = False) -> _Step:
    """A new entry, or a draft that goes on or is signed."""

    def step(event: ViewEvent, body: Any, before: BoardEntry | None) -> BoardEntry:
        return BoardEntry(
            record_id=event.stream_id,
            entry_id=UUID(body.entry_id),
            version=event.version,
            first_version=before.first_version if before else event.version,
            title=body.content.title or body.content.template,
            recorded_at=event.recorded_at,
            state=body.state if state is None else state,
            late=late,
            historical=body.meta.historical,
            subject_id=_subject(body.content),
        )

    return step


def _subject(content: common_pb2.EntryContent) -> UUID | None:
    return UUID(content.subject_id) if content.subject_id else None


def _amended(event: ViewEvent, body: events_pb2.EntryAmended, entry: BoardEntry | None) -> BoardEntry | None:
    title = body.content.title or body.content.template
    return entry and entry._replace(
        version=event.version,
        title=title,
        recorded_at=event.recorded_at,
        state=body.state,
        historical=body.meta.historical,
        subject_id=_subject(body.content),
    )


def _now(state: int) -> _Step:
    """The entry as it was, in another state."""

    def step(event: ViewEvent, _: Message, entry: BoardEntry | None) -> BoardEntry | None:
        return entry and entry._replace(version=event.version, state=state)

    return step


def _corrects(
    event: ViewEvent, body: course_events_pb2.EntryCorrectedLate, late: BoardEntry | None
) -> BoardEntry | None:
    return late and late._replace(version=event.version, corrects=UUID(body.entry_id))


ON_ENTRY: dict[type[Message], _Step] = {
    course_events_pb2.EntryDrafted: _written(common_pb2.ENTRY_STATE_DRAFT),
    events_pb2.EntryRecorded: _written(),
    course_events_pb2.LateItemFiled: _written(late=True),
    events_pb2.EntryAmended: _amended,
    course_events_pb2.EntryCountersigned: _now(common_pb2.ENTRY_STATE_COUNTERSIGNED),
    course_events_pb2.EntryCorrectedLate: _corrects,
    events_pb2.EntryRetracted: _now(common_pb2.ENTRY_STATE_RETRACTED),
}
