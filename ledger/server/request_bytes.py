"""A request from protobuf's binary form, read as strictly as its JSON is."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import Message

from ledger.server.errors import MalformedRequest

M = TypeVar("M", bound=Message)


def parse_request(request: type[M], data: bytes) -> M:
    """The message of these bytes.

    Raises MalformedRequest where they are none, or hold a field that the message does not have, at any depth: passed
    over in silence it would be a loss of what somebody meant to record.
    """
    try:
        message = request.FromString(data)
    except Exception:  # noqa: BLE001 # whatever the parser finds wrong; what it says may quote the input
        raise MalformedRequest from None
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != size:
        raise MalformedRequest
    return message
