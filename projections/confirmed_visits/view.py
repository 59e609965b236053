"""Which records were archived without quality control having passed them, read from envelopes alone.

So it holds nothing of a patient, a destroyed record stays in it as it was, and no body that cannot be read stops a
record here: whoever draws a sample again, after a destruction, a dead letter or a rebuild, draws from the same records.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import events_pb2, keeping_events_pb2
from ledger.views.event import ViewEvent
from ledger.views.view import Change, Row, RowKey, Table

RECORDS = "records"


class ConfirmedVisit(NamedTuple):
    """A record that was handed in or archived. Times are Unix microseconds by the ledger's clock."""

    record_id: UUID
    version: int
    passed: bool = False
    """Quality control passed what was handed in last."""
    archived_at: int | None = None
    leaf: bytes = b""
    """Leaf hash of what archived it, where quality control had not passed it: samples are drawn from these."""
    assessed_at: int | None = None
    """When a sample that drew it was assessed last."""
    destroyed: bool = False


class ConfirmedVisits:
    """Records of the short path by the time at which they were archived."""

    name = "confirmed_visits"
    schema_version = 1
    package = "projections.confirmed_visits"
    tables = (Table(RECORDS, ConfirmedVisit._make, 1),)

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The record's row. UnknownEventType: what it may say of an archiving nobody knows."""
        return (RowKey(RECORDS, (event.stream_id,)),) if event.body_class in _STEPS else ()

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change]:
        """The row after the event."""
        known = cast("ConfirmedVisit | None", rows.get(RowKey(RECORDS, (event.stream_id,))))
        before = known or ConfirmedVisit(event.stream_id, event.version)
        yield Change(RECORDS, _STEPS[event.body_class](before, event)._replace(version=event.version))


def _passed(visit: ConfirmedVisit, _: ViewEvent) -> ConfirmedVisit:
    return visit._replace(passed=True)


def _not_passed(visit: ConfirmedVisit, _: ViewEvent) -> ConfirmedVisit:
    return visit._replace(passed=False)


def _archived(visit: ConfirmedVisit, event: ViewEvent) -> ConfirmedVisit:
    return visit._replace(archived_at=event.recorded_at, leaf=b"" if visit.passed else event.leaf)


def _assessed(visit: ConfirmedVisit, event: ViewEvent) -> ConfirmedVisit:
    return visit._replace(assessed_at=event.recorded_at)


def _destroyed(visit: ConfirmedVisit, _: ViewEvent) -> ConfirmedVisit:
    return visit._replace(destroyed=True)


_Step = Callable[[ConfirmedVisit, ViewEvent], ConfirmedVisit]
_STEPS: dict[type[Message], _Step] = {
    events_pb2.RecordSubmitted: _not_passed,
    events_pb2.QualityReturned: _not_passed,
    events_pb2.QualityPassed: _passed,
    events_pb2.RecordArchived: _archived,
    keeping_events_pb2.SampleAssessed: _assessed,
    keeping_events_pb2.RecordDestroyed: _destroyed,
}
