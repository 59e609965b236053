"""Reads single arguments of a request; what does not fit is refused with its field path."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.application.message_codec import from_timestamp, parse_uuid
from ledger.domain.refusal import RefusalKind, Refused, Violation
from ledger.server import limits


def required_uuid(text: str, field: str) -> UUID:
    """The UUID of a field. Raises Refused(INVALID)."""
    faults: list[Violation] = []
    value = parse_uuid(text, field, faults)
    if value is None:
        raise Refused(RefusalKind.INVALID, tuple(faults))
    return value


def batch_events(asked: int) -> int:
    """Events of a batch: 0 = the default, above the limit = the limit. Raises Refused for less than 0."""
    if asked < 0:
        raise invalid("batch_size", "OUT_OF_RANGE", "0 or more is required")
    return min(asked or limits.BATCH_EVENTS_DEFAULT, limits.BATCH_EVENTS_MAX)


def server_time(stamp: Timestamp, field: str = "time") -> datetime:
    """The time of a field, in UTC. Raises Refused(INVALID)."""
    try:
        return from_timestamp(stamp)
    except (OverflowError, ValueError) as error:
        raise invalid(field, "TIME_OUT_OF_RANGE", "years 1 to 9999, nanoseconds 0 to 999,999,999") from error


def invalid(field: str, rule: str, text: str) -> Refused:
    """The refusal of one field."""
    return Refused(RefusalKind.INVALID, (Violation(field, rule, text),))
