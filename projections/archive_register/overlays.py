"""How events open, change and close what lies over a record: holds, seals, loans, papers not accounted for."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import keeping_events_pb2 as keeping
from ledger.views.event import ViewEvent
from projections.archive_register.rows import OverlayRow, RegisteredRecord

_COUNTS = {"hold": "holds", "seal": "seals", "loan": "loans", "paper": "papers"}
_ITEM: dict[type[Message], tuple[str, str]] = {
    keeping.HoldPlaced: ("hold", "hold_id"),
    keeping.HoldLifted: ("hold", "hold_id"),
    keeping.RecordSealed: ("seal", "seal_id"),
    keeping.RecordUnsealed: ("seal", "seal_id"),
    keeping.LoanIssued: ("loan", "loan_id"),
    keeping.LoanRenewed: ("loan", "loan_id"),
    keeping.LoanReturned: ("loan", "loan_id"),
    keeping.PaperScanned: ("paper", "scan_id"),
    keeping.PaperAccounted: ("paper", "scan_id"),
    keeping.PaperMoved: ("paper", "scan_id"),
}
"""What the event is about: the kind of overlay, and the field that holds its id."""
_OPENED: dict[type[Message], Callable[[Any], dict[str, Any]]] = {
    keeping.HoldPlaced: lambda body: {"detail": body.authority},
    keeping.RecordSealed: lambda body: {"mode": int(body.mode)},
    keeping.LoanIssued: lambda body: {
        "detail": body.borrower.id,
        "mode": int(body.out_of_house),
        "due_on": body.due_on,
    },
    keeping.PaperScanned: lambda body: {"detail": body.shelf},
}


def overlay_key(event: ViewEvent) -> tuple[UUID, str, UUID] | None:
    """Key of the overlay that the event is about; None where it is about none."""
    found = _ITEM.get(event.body_class)
    return found and (event.stream_id, found[0], UUID(getattr(event.message, found[1])))


def overlay_after(event: ViewEvent, key: tuple[UUID, str, UUID], before: OverlayRow | None) -> OverlayRow | None:
    """The overlay after the event; None where its beginning was given up by a person."""
    body: Any = event.message
    if opened := _OPENED.get(event.body_class):
        return OverlayRow(*key, version=event.version, open=True, since=event.recorded_at, **opened(body))
    if before is None:
        return None
    if event.body_class is keeping.LoanRenewed:
        return before._replace(version=event.version, due_on=body.due_on if before.open else "")
    if event.body_class is keeping.PaperMoved:
        return before._replace(version=event.version, detail=body.shelf if before.open else "")
    return OverlayRow(*key, version=event.version, open=False, since=before.since)


def counted(record: RegisteredRecord, before: OverlayRow | None, after: OverlayRow) -> RegisteredRecord:
    """The record with its count of open overlays of that kind moved."""
    count = _COUNTS[after.kind]
    moved = int(after.open) - int(before is not None and before.open)
    return record._replace(**{count: getattr(record, count) + moved})
