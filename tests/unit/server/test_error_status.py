"""What a client is told about an error."""

import inspect
from collections.abc import Iterator
from types import ModuleType
from uuid import UUID

import pytest
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from ledger.api.v1.common_pb2 import Violations
from ledger.application import errors as application
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.keys import errors as keys
from ledger.server import errors as edge
from ledger.server.error_status import status_of
from ledger.server.error_table import TABLE, row_of
from ledger.store import errors as store
from ledger.views import errors as views

_ID = UUID("6f0e4a52-7f3c-4d0b-9a55-0c6d0f9a1b2c")
_OURS = {
    # Faults of the service or of its set-up: a client is told no more than that something failed.
    store.AppendRefused,
    store.NotDurable,
    store.SlowDriver,
    edge.NotLoopback,
    views.UnreadableBody,
    views.BodyNotOpened,
    keys.KeyFileUnusable,
    keys.GenerationNeeded,
}


def _info(status: Status) -> ErrorInfo:
    (found,) = [each for each in status.details if each.TypeName() == ErrorInfo.DESCRIPTOR.full_name]
    info = ErrorInfo()
    found.Unpack(info)
    return info


def _leaves(module: ModuleType) -> Iterator[type[Exception]]:
    classes = [each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__]
    return (each for each in classes if issubclass(each, Exception) and not each.__subclasses__())


@pytest.mark.parametrize("module", [application, store, edge, views, keys], ids=lambda each: each.__name__)
def test_every_error_has_a_row_or_is_known_to_be_ours(module: ModuleType) -> None:
    """An error class that somebody adds is not told as INTERNAL by oversight."""
    assert [each for each in _leaves(module) if each not in TABLE and each not in _OURS] == []


def test_who_comes_to_a_full_service_is_told_when_to_come_again() -> None:
    """Callers who ask again at once would keep it full; nobody else is told to wait."""
    full = [store.AppendQueueFull("north", 10_000), edge.TooManyCalls(512)]
    assert [_retry_ms(status_of(each)) for each in full] == [500, 500]
    assert _retry_ms(status_of(edge.ResponseTooLarge(2, 1))) is None


def _retry_ms(status: Status) -> float | None:
    for each in status.details:
        info = RetryInfo()
        if each.Unpack(info):
            return info.retry_delay.ToMilliseconds()
    return None


def test_only_unavailable_invites_a_retry() -> None:
    """A client may repeat a call on UNAVAILABLE only, so nothing with an unknown outcome may carry that code."""
    assert row_of(store.OutcomeUnknown(_ID)).code == code_pb2.UNKNOWN
    unavailable = {cls for cls, row in TABLE.items() if row.code == code_pb2.UNAVAILABLE}
    stores = {
        store.StoreUnavailable,
        store.LogEnded,
        store.MigrationBlocked,
        views.ViewsUnavailable,
        views.ViewsUnreadable,
    }
    assert unavailable == {
        application.ClockOff,
        edge.ServerStopping,
        edge.LogUnavailable,
        keys.KeysUnavailable,
        *stores,
    }


def test_facts_are_fields_and_the_message_is_the_docstring() -> None:
    """The reason and the facts are for programs, the message for people; neither comes from an exception's text."""
    status = status_of(application.VersionMismatch(3, 5))
    info = _info(status)
    assert (status.code, info.reason, info.domain) == (code_pb2.ABORTED, "VERSION_MISMATCH", "ledger")
    assert dict(info.metadata) == {"expected": "3", "actual": "5"}
    assert status.message == application.VersionMismatch.__doc__


def test_an_unknown_error_says_nothing_but_its_incident() -> None:
    """What went wrong inside may quote a patient's data; it stays in the log."""
    status = status_of(ValueError("patient Jane Doe, born 1950"), incident="0123456789abcdef")
    info = _info(status)
    assert (status.code, info.reason) == (code_pb2.INTERNAL, "INTERNAL")
    assert dict(info.metadata) == {"incident": "0123456789abcdef"}
    assert b"Jane" not in status.SerializeToString()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RefusalKind.INVALID, code_pb2.INVALID_ARGUMENT),
        (RefusalKind.STATE, code_pb2.FAILED_PRECONDITION),
        (RefusalKind.NOT_FOUND, code_pb2.NOT_FOUND),
        (RefusalKind.TAKEN, code_pb2.ALREADY_EXISTS),
    ],
)
def test_a_refusal_names_every_fault(kind: RefusalKind, code: code_pb2.Code) -> None:
    """All violations come back at once, in our type and in the standard one."""
    status = status_of(Refused(kind, (Violation("a", "REQUIRED", "one"), Violation("b[1]", "TOO_LONG"))))
    assert status.code == code
    ours, standard = Violations(), BadRequest()
    assert status.details[1].Unpack(ours)
    assert status.details[2].Unpack(standard)
    assert [(each.field, each.rule) for each in ours.violations] == [("a", "REQUIRED"), ("b[1]", "TOO_LONG")]
    assert [each.reason for each in standard.field_violations] == ["REQUIRED", "TOO_LONG"]


def test_a_long_list_of_faults_still_fits_into_trailers() -> None:
    """gRPC clients drop a status above 8 KiB of trailers; then they would learn nothing at all."""
    many = tuple(Violation(f"content.sections[{index}].fields[0]", "CODE_NOT_IN_SET", "x" * 80) for index in range(500))
    status = status_of(Refused(RefusalKind.INVALID, many))
    ours = Violations()
    assert status.details[1].Unpack(ours)
    left_out = int(_info(status).metadata["violations_left_out"])
    assert len(ours.violations) + left_out == 500
    assert status.ByteSize() < 6 * 1024
