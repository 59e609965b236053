"""How events move a transfer: sent ones on the record's stream, received ones on the package's stream."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, cast
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, events_pb2, keeping_events_pb2
from ledger.views.event import ViewEvent
from ledger.views.view import Change, Erased, Row, RowKey, Table

_TRANSFERS = "transfers"


class Transfer(NamedTuple):
    """A transfer as this hospital's ledger knows it. `stream_id` is the record sent or the package received."""

    stream_id: UUID
    transfer_id: UUID
    version: int
    opened_position: int
    direction: str
    counterpart: str
    record_id: UUID
    state: int
    kind: int
    record_version: int
    package_sha256: bytes
    package_size: int
    code: str
    updated_at: int
    outdated: bool = False
    """Of a received one: the sender has changed the record since."""
    since_fork: bool = False
    """Of a received one: it came since its sender's log forked, and no person has cleared it."""


class TransferPackages:
    """Transfers of a hospital, sent and received, newest first."""

    name = "transfer_packages"
    schema_version = 4
    package = "projections.transfer_packages"
    tables = (Table(_TRANSFERS, Transfer._make, 2),)

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The transfer's row; of a destruction none by name, since all of the record's go."""
        if event.body_class is keeping_events_pb2.RecordDestroyed:
            return (RowKey(_TRANSFERS, (event.stream_id, UUID(int=0))),)
        return (_key(event),) if event.body_class in _MOVING and not event.gone else ()

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change | Erased]:
        """The transfer's row after the event."""
        body_class = event.body_class
        if body_class is keeping_events_pb2.RecordDestroyed:
            return (Erased(_TRANSFERS, event.stream_id),)
        transfer = cast("Transfer | None", rows.get(_key(event)))
        if body_class is events_pb2.TransferProposed:
            transfer = _proposed(event, cast("events_pb2.TransferProposed", event.message))
        elif body_class is events_pb2.PackageReceived:
            transfer = _received(event, cast("events_pb2.PackageReceived", event.message))
        if transfer is None:  # its beginning was given up by a person
            return ()
        details = _DETAILS.get(body_class)
        after = details(transfer, event) if details else transfer
        state = _STATE_AFTER.get(body_class, after.state)
        return (Change(_TRANSFERS, after._replace(version=event.version, state=state, updated_at=event.recorded_at)),)


def _key(event: ViewEvent) -> RowKey:
    return RowKey(_TRANSFERS, (event.stream_id, UUID(cast("events_pb2.TransferProposed", event.message).transfer_id)))


def _proposed(event: ViewEvent, body: events_pb2.TransferProposed) -> Transfer:
    return Transfer(
        stream_id=event.stream_id,
        transfer_id=UUID(body.transfer_id),
        version=event.version,
        opened_position=event.position,
        direction="sent",
        counterpart=body.counterpart,
        record_id=event.stream_id,
        state=common_pb2.TRANSFER_STATE_PROPOSED,
        kind=body.kind,
        record_version=0,
        package_sha256=b"",
        package_size=0,
        code="",
        updated_at=event.recorded_at,
    )


def _received(event: ViewEvent, body: events_pb2.PackageReceived) -> Transfer:
    return Transfer(
        stream_id=event.stream_id,
        transfer_id=UUID(body.transfer_id),
        version=event.version,
        opened_position=event.position,
        direction="received",
        counterpart=body.counterpart,
        record_id=UUID(body.sender_record_id),
        state=common_pb2.TRANSFER_STATE_DELIVERED,
        kind=body.kind,
        record_version=body.record_version,
        package_sha256=body.package_sha256,
        package_size=body.package_size,
        code="",
        updated_at=event.recorded_at,
    )


def _packaged(transfer: Transfer, event: ViewEvent) -> Transfer:
    body = cast("events_pb2.TransferPackaged", event.message)
    return transfer._replace(
        record_version=body.record_version, package_sha256=body.package_sha256, package_size=body.package_size
    )


def _rejected(transfer: Transfer, event: ViewEvent) -> Transfer:
    return transfer._replace(code=cast("events_pb2.TransferRejected", event.message).code)


_DETAILS: dict[type[Message], Callable[[Transfer, ViewEvent], Transfer]] = {
    events_pb2.TransferPackaged: _packaged,
    events_pb2.TransferOffered: _packaged,
    events_pb2.TransferRejected: _rejected,
    events_pb2.PackageRejected: _rejected,
    events_pb2.PackageOutdated: lambda transfer, _: transfer._replace(outdated=True),
    events_pb2.PackageSinceFork: lambda transfer, _: transfer._replace(since_fork=True),
    events_pb2.PackageForkCleared: lambda transfer, _: transfer._replace(since_fork=False),
}
_STATE_AFTER: dict[type[Message], int] = {
    events_pb2.TransferProposed: int(common_pb2.TRANSFER_STATE_PROPOSED),
    events_pb2.TransferPackaged: int(common_pb2.TRANSFER_STATE_PACKAGED),
    events_pb2.TransferOffered: int(common_pb2.TRANSFER_STATE_OFFERED),
    events_pb2.TransferDelivered: int(common_pb2.TRANSFER_STATE_DELIVERED),
    events_pb2.TransferVerified: int(common_pb2.TRANSFER_STATE_VERIFIED),
    events_pb2.TransferAccepted: int(common_pb2.TRANSFER_STATE_ACCEPTED),
    events_pb2.TransferRejected: int(common_pb2.TRANSFER_STATE_REJECTED),
    events_pb2.TransferCompleted: int(common_pb2.TRANSFER_STATE_COMPLETED),
    events_pb2.TransferWithdrawn: int(common_pb2.TRANSFER_STATE_WITHDRAWN),
    events_pb2.TransferExpired: int(common_pb2.TRANSFER_STATE_EXPIRED),
    events_pb2.TransferSuperseded: int(common_pb2.TRANSFER_STATE_SUPERSEDED),
    events_pb2.PackageReceived: int(common_pb2.TRANSFER_STATE_DELIVERED),
    events_pb2.PackageVerified: int(common_pb2.TRANSFER_STATE_VERIFIED),
    events_pb2.PackageAccepted: int(common_pb2.TRANSFER_STATE_ACCEPTED),
    events_pb2.PackageRejected: int(common_pb2.TRANSFER_STATE_REJECTED),
}
_MOVING = _STATE_AFTER.keys() | _DETAILS.keys()
"""Events of a transfer; some of them leave its state as it is."""
