"""Reads single arguments of a request; what does not fit is refused with its field path."""

from __future__ import annotations

from uuid import UUID

from ledger.application.message_codec import parse_uuid
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


def invalid(field: str, rule: str, text: str) -> Refused:
    """The refusal of one field."""
    return Refused(RefusalKind.INVALID, (Violation(field, rule, text),))
