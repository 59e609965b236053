"""Opaque page tokens, valid for the method and the filter they were made for (AIP-158)."""

from __future__ import annotations

import base64
import binascii
import hashlib

from google.protobuf.message import Message

from ledger.server.errors import ForeignPageToken

_FORMAT = b"\x01"
_DIGEST_BYTES = 8
_TOKEN_CHARACTERS_MAX = 512
_NOT_FILTER = ("page_size", "page_token", "min_position")


def encode(request: Message, cursor: bytes) -> str:
    """The token that continues this request behind the cursor."""
    return base64.urlsafe_b64encode(_FORMAT + _filter_digest(request) + cursor).decode().rstrip("=")


def decode(request: Message, token: str) -> bytes:
    """The cursor of a token; empty for an empty token. Raises ForeignPageToken."""
    if not token:
        return b""
    head = _FORMAT + _filter_digest(request)
    data = _unwrapped(token)
    if not data.startswith(head) or len(data) == len(head):
        raise ForeignPageToken
    return data[len(head) :]


def _unwrapped(token: str) -> bytes:
    if len(token) > _TOKEN_CHARACTERS_MAX:
        raise ForeignPageToken
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ForeignPageToken from error


def _filter_digest(request: Message) -> bytes:
    bare = type(request)()
    bare.CopyFrom(request)
    for name in _NOT_FILTER:
        if name in bare.DESCRIPTOR.fields_by_name:
            bare.ClearField(name)
    named = bare.DESCRIPTOR.full_name.encode() + b"\0" + bare.SerializeToString(deterministic=True)
    return hashlib.sha256(named).digest()[:_DIGEST_BYTES]
