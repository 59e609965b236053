"""The one table from an error to what a client is told. Transport words live here and nowhere deeper.

A row says which status code and which stable reason an error class has, and which of its fields are facts that may
be told. A client gets the class's docstring, the reason, the facts and the violations, never the text of an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from google.rpc import code_pb2

from ledger.application import errors as application
from ledger.domain.refusal import RefusalKind, Refused
from ledger.keys import errors as keys
from ledger.log import log_files
from ledger.server import errors as edge
from ledger.store import errors as store
from ledger.views import errors as views

OVERLOAD_RETRY_MS = 500
"""About as long as a full server takes for what it has taken on; and so long that those whom it refuses, each asking
again after it, cost it little of its time."""


@dataclass(frozen=True)
class Row:
    """What a client is told about an error."""

    code: code_pb2.Code
    reason: str
    facts: tuple[str, ...] = ()
    """Fields of the error that go into ErrorInfo.metadata."""
    retry_after_ms: int = 0
    """What RetryInfo tells the client to wait; 0 = none is sent."""


INTERNAL = Row(code_pb2.INTERNAL, "INTERNAL", ("incident",))
"""Everything that no row names."""

TABLE: dict[type[BaseException], Row] = {
    application.UnknownHospital: Row(code_pb2.NOT_FOUND, "UNKNOWN_HOSPITAL", ("hospital",)),
    application.UnknownRecord: Row(code_pb2.NOT_FOUND, "UNKNOWN_RECORD", ("record_id",)),
    application.UnknownPatient: Row(code_pb2.NOT_FOUND, "UNKNOWN_PATIENT", ("patient_id",)),
    application.UnknownEntry: Row(code_pb2.NOT_FOUND, "UNKNOWN_ENTRY", ("entry_id",)),
    application.UnknownPackage: Row(code_pb2.NOT_FOUND, "UNKNOWN_PACKAGE"),
    application.UnknownDisposalList: Row(code_pb2.NOT_FOUND, "UNKNOWN_DISPOSAL_LIST", ("list_id",)),
    application.UnknownRulePack: Row(code_pb2.NOT_FOUND, "UNKNOWN_RULE_PACK"),
    application.UnknownCommand: Row(code_pb2.NOT_FOUND, "UNKNOWN_COMMAND", ("command_id",)),
    application.CommandIdReused: Row(code_pb2.ALREADY_EXISTS, "COMMAND_ID_REUSED", ("command_id",)),
    application.VersionMismatch: Row(code_pb2.ABORTED, "VERSION_MISMATCH", ("expected", "actual")),
    application.Contention: Row(code_pb2.ABORTED, "CONTENTION", ("attempts",)),
    application.ClockOff: Row(code_pb2.UNAVAILABLE, "CLOCK_OFF"),
    application.UnknownEventVersion: Row(code_pb2.UNIMPLEMENTED, "UNKNOWN_EVENT_VERSION", ("type_name",)),
    application.UnknownSourceClaim: Row(code_pb2.UNIMPLEMENTED, "UNKNOWN_SOURCE_CLAIM"),
    application.BodyUnreadable: Row(code_pb2.DATA_LOSS, "BODY_UNREADABLE", ("stream_id", "version", "why", "incident")),
    keys.UnknownToken: Row(code_pb2.UNAUTHENTICATED, "UNKNOWN_TOKEN"),
    keys.PurposeDenied: Row(code_pb2.PERMISSION_DENIED, "PURPOSE_DENIED"),
    keys.HospitalDenied: Row(code_pb2.PERMISSION_DENIED, "HOSPITAL_DENIED", ("hospital",)),
    keys.KeysHeldBack: Row(code_pb2.FAILED_PRECONDITION, "RECORDS_HELD_BACK", ("hospital",)),
    keys.KeysUnavailable: Row(code_pb2.UNAVAILABLE, "KEYS_UNAVAILABLE"),
    application.RecordDestroyed: Row(code_pb2.FAILED_PRECONDITION, "RECORD_DESTROYED", ("stream_id",)),
    application.ClearLedger: Row(code_pb2.FAILED_PRECONDITION, "CLEAR_LEDGER", ("hospital", "position")),
    application.ChainBroken: Row(code_pb2.DATA_LOSS, "CHAIN_BROKEN", ("stream_id", "version", "incident")),
    application.PositionOutOfRange: Row(code_pb2.OUT_OF_RANGE, "POSITION_OUT_OF_RANGE", ("asked", "head")),
    store.UnknownHospital: Row(code_pb2.NOT_FOUND, "UNKNOWN_HOSPITAL", ("hospital",)),
    store.HospitalDiffers: Row(code_pb2.ALREADY_EXISTS, "HOSPITAL_DIFFERS", ("hospital",)),
    store.ActorSourceTaken: Row(code_pb2.ALREADY_EXISTS, "ALREADY_EXISTS"),
    store.LogEnded: Row(code_pb2.UNAVAILABLE, "LOG_ENDED", ("hospital",)),
    store.HospitalClosed: Row(code_pb2.FAILED_PRECONDITION, "HOSPITAL_CLOSED", ("hospital",)),
    store.SchemaVersionUnsupported: Row(
        code_pb2.FAILED_PRECONDITION, "SCHEMA_VERSION_UNSUPPORTED", ("hospital", "schema_version")
    ),
    store.StoreUnavailable: Row(code_pb2.UNAVAILABLE, "STORE_UNAVAILABLE"),
    store.MigrationBlocked: Row(code_pb2.UNAVAILABLE, "MIGRATION_BLOCKED"),
    store.OutcomeUnknown: Row(code_pb2.UNKNOWN, "OUTCOME_UNKNOWN", ("command_id",)),
    store.AppendQueueFull: Row(code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED", ("hospital", "waiting"), OVERLOAD_RETRY_MS),
    views.PositionAboveHead: Row(code_pb2.OUT_OF_RANGE, "POSITION_OUT_OF_RANGE", ("hospital", "position")),
    views.WaitTimedOut: Row(code_pb2.DEADLINE_EXCEEDED, "VIEW_BEHIND", ("view", "position", "reached")),
    views.RecordStopped: Row(code_pb2.FAILED_PRECONDITION, "RECORD_STOPPED", ("view", "stream_id", "position")),
    views.ViewAbsent: Row(code_pb2.NOT_FOUND, "VIEW_ABSENT", ("view", "hospital")),
    views.ViewsUnavailable: Row(code_pb2.UNAVAILABLE, "VIEWS_UNAVAILABLE"),
    views.ViewsUnreadable: Row(code_pb2.UNAVAILABLE, "VIEWS_UNREADABLE", ("hospital",)),
    views.BadPageToken: Row(code_pb2.INVALID_ARGUMENT, "FOREIGN_PAGE_TOKEN"),
    views.BadPageSize: Row(code_pb2.INVALID_ARGUMENT, "BAD_PAGE_SIZE", ("size",)),
    views.UnknownPatient: Row(code_pb2.NOT_FOUND, "UNKNOWN_PATIENT"),
    views.DeadLetterAbsent: Row(code_pb2.NOT_FOUND, "DEAD_LETTER_ABSENT", ("view", "position")),
    views.ReasonMissing: Row(code_pb2.INVALID_ARGUMENT, "REASON_MISSING"),
    views.BodyDestroyed: Row(code_pb2.FAILED_PRECONDITION, "RECORD_DESTROYED"),
    views.UnknownEventType: Row(code_pb2.UNIMPLEMENTED, "UNKNOWN_EVENT_VERSION", ("event_type",)),
    edge.RequestTooLarge: Row(code_pb2.INVALID_ARGUMENT, "REQUEST_TOO_LARGE", ("size", "limit")),
    edge.ResponseTooLarge: Row(code_pb2.RESOURCE_EXHAUSTED, "RESPONSE_TOO_LARGE", ("size", "limit")),
    edge.MalformedRequest: Row(code_pb2.INVALID_ARGUMENT, "MALFORMED_REQUEST"),
    edge.TooManyCalls: Row(code_pb2.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", ("limit",), OVERLOAD_RETRY_MS),
    edge.ForeignPageToken: Row(code_pb2.INVALID_ARGUMENT, "FOREIGN_PAGE_TOKEN"),
    edge.VersionOutOfRange: Row(code_pb2.OUT_OF_RANGE, "VERSION_OUT_OF_RANGE", ("asked", "version")),
    edge.NotInLogYet: Row(code_pb2.OUT_OF_RANGE, "NOT_IN_LOG_YET", ("asked", "size")),
    edge.MapNotThere: Row(code_pb2.FAILED_PRECONDITION, "RECORD_NOT_MAPPED"),
    edge.NoSuchMap: Row(code_pb2.NOT_FOUND, "NO_SUCH_MAP", ("position",)),
    edge.PackTooLarge: Row(code_pb2.RESOURCE_EXHAUSTED, "PACK_TOO_LARGE", ("size", "limit")),
    log_files.LogDamaged: Row(code_pb2.DATA_LOSS, "LOG_DAMAGED", ("name",)),
    edge.ViewNotServedHere: Row(code_pb2.UNIMPLEMENTED, "VIEW_NOT_SERVED_HERE", ("rpc",)),
    edge.UnknownHolder: Row(code_pb2.NOT_FOUND, "UNKNOWN_HOLDER", ("record_id",)),
    edge.ServerStopping: Row(code_pb2.UNAVAILABLE, "SERVER_STOPPING"),
    edge.NoSuchLogFile: Row(code_pb2.NOT_FOUND, "NO_SUCH_LOG_FILE"),
    edge.ReaderUnknown: Row(code_pb2.UNAUTHENTICATED, "READER_UNKNOWN"),
    edge.ReaderNotAllowed: Row(code_pb2.PERMISSION_DENIED, "READER_NOT_ALLOWED", ("hospital",)),
    edge.LedgerHalted: Row(code_pb2.FAILED_PRECONDITION, "LEDGER_HALTED", ("hospital",)),
    edge.LogUnavailable: Row(code_pb2.UNAVAILABLE, "LOG_UNAVAILABLE"),
    edge.ForeignHost: Row(code_pb2.PERMISSION_DENIED, "FOREIGN_HOST"),
}

REFUSALS: dict[RefusalKind, Row] = {
    RefusalKind.INVALID: Row(code_pb2.INVALID_ARGUMENT, "VALIDATION_FAILED"),
    RefusalKind.STATE: Row(code_pb2.FAILED_PRECONDITION, "STATE_FORBIDS"),
    RefusalKind.NOT_FOUND: Row(code_pb2.NOT_FOUND, "NOT_FOUND"),
    RefusalKind.TAKEN: Row(code_pb2.ALREADY_EXISTS, "ALREADY_EXISTS"),
}


def row_of(error: BaseException) -> Row:
    """The row of an error; a subclass without a row of its own has its parent's."""
    if isinstance(error, Refused):
        return REFUSALS[error.kind]
    return _row_of_class(type(error))


@cache
def _row_of_class(cls: type[BaseException]) -> Row:
    return next((TABLE[each] for each in cls.__mro__ if each in TABLE), INTERNAL)
