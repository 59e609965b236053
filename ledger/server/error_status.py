"""An error as google.rpc.Status: exactly one ErrorInfo, the violations of a refusal (AIP-193), when to come again."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from ledger.api.v1.common_pb2 import Violation, Violations
from ledger.domain.refusal import Refused
from ledger.server.error_table import INTERNAL, Row, row_of

DOMAIN = "ledger"
# A gRPC status travels in trailers, of which clients take 8 KiB by default, Base64 and the other trailers included.
_STATUS_BYTES_MAX = 5 * 1024
_INTERNAL_MESSAGE = "Something failed inside the ledger; quote the incident when you ask about it."


def status_of(error: BaseException, incident: str = "") -> Status:
    """What a client is told about an error. `incident` names the log line of an error that is ours."""
    row = row_of(error)
    status = Status(code=row.code, message=_message(error, row))
    info = ErrorInfo(reason=row.reason, domain=DOMAIN, metadata=_facts(error, row, incident))
    if isinstance(error, Refused):
        _add_violations(status, info, violations_of(error))
    else:
        _add(status, info)
    if row.retry_after_ms:
        _add(status, RetryInfo(retry_delay=Duration(nanos=row.retry_after_ms * 1_000_000)))
    return status


def reason_of(error: BaseException) -> str:
    """The stable reason code of an error."""
    return row_of(error).reason


def violations_of(error: BaseException) -> Violations:
    """The violations of a refusal as the contract's message; empty for every other error."""
    found = error.violations if isinstance(error, Refused) else ()
    return Violations(violations=[Violation(field=each.field, rule=each.rule, text=each.text) for each in found])


def _message(error: BaseException, row: Row) -> str:
    if row is INTERNAL:
        return _INTERNAL_MESSAGE
    return " ".join((type(error).__doc__ or "").split())


def _facts(error: BaseException, row: Row, incident: str) -> dict[str, str]:
    facts = {name: str(getattr(error, name)) for name in row.facts if name != "incident"}
    if incident:
        facts["incident"] = incident
    return facts


def _add_violations(status: Status, info: ErrorInfo, violations: Violations) -> None:
    """Adds what fits; the standard BadRequest repeats the violations, so it is the first to go."""
    listed = len(violations.violations)
    while (size := info.ByteSize() + violations.ByteSize()) > _STATUS_BYTES_MAX:
        del violations.violations[-1]
        info.metadata["violations_left_out"] = str(listed - len(violations.violations))
    bad_request = _bad_request(violations)
    _add(status, info)
    _add(status, violations)
    if size + bad_request.ByteSize() <= _STATUS_BYTES_MAX:
        _add(status, bad_request)


def _bad_request(violations: Violations) -> BadRequest:
    fields = [
        BadRequest.FieldViolation(field=each.field, description=each.text, reason=each.rule)
        for each in violations.violations
    ]
    return BadRequest(field_violations=fields)


def _add(status: Status, detail: Message) -> None:
    status.details.add().Pack(detail)
