"""Who else holds what a record said: read from its events, while they can still be opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import Message

from ledger.api.v1 import events_pb2, keeping_events_pb2
from ledger.keys.purge_entry import Holder
from ledger.views.bodies import TYPE_PREFIX

_HOLDER: dict[type[Message], Callable[[Any], Holder]] = {
    keeping_events_pb2.CopyIssued: lambda body: Holder("copy", body.copy_id, body.applicant),
    # From the offer on the package could be fetched, whatever was answered later.
    events_pb2.TransferOffered: lambda body: Holder("package", body.transfer_id, body.counterpart),
}
_BY_TYPE = {TYPE_PREFIX + each.DESCRIPTOR.name: each for each in _HOLDER}
HANDS_OUT: frozenset[str] = frozenset(_BY_TYPE)
"""The types of the events by which plaintext leaves the house."""


def holders_of(events: Iterable[tuple[str, bytes]], offices: Iterable[str]) -> tuple[Holder, ...]:
    """The holders that events (type, plaintext) name, and every archive office, each once."""
    found = [Holder("archive", each, each) for each in offices]
    for type_, plaintext in events:
        body_class = _BY_TYPE[type_]
        found.append(_HOLDER[body_class](body_class.FromString(plaintext)))
    return tuple({(each.kind, each.item): each for each in found}.values())
