"""The message classes of event bodies, by the name under which an event is stored."""

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ledger.api.v1 import (
    course_events_pb2,
    disposal_events_pb2,
    events_pb2,
    identity_events_pb2,
    keeping_events_pb2,
    log_events_pb2,
    map_events_pb2,
    rulebook_events_pb2,
)

TYPE_PREFIX = "ledger.v1."
_FILES = (
    events_pb2,
    course_events_pb2,
    keeping_events_pb2,
    disposal_events_pb2,
    identity_events_pb2,
    map_events_pb2,
    rulebook_events_pb2,
    log_events_pb2,
)

BODIES: dict[str, type[Message]] = {
    f"{TYPE_PREFIX}{name}": GetMessageClass(message)
    for file in _FILES
    for name, message in file.DESCRIPTOR.message_types_by_name.items()
    if "meta" in message.fields_by_name
}
"""Every body of the contract: a message that says something about itself in `meta`."""
