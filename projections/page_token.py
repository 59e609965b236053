"""Opaque page tokens: where the next page begins, readable by nobody but the list that issued it."""

import base64
import binascii
import json
from typing import Any
from uuid import UUID

from ledger.views.errors import BadPageToken

_NUMBER_MAX = 2**63 - 1


def write_token(of: str, *key: str | int | UUID) -> str:
    """A token of the list `of` that goes on after this key."""
    return base64.urlsafe_b64encode(json.dumps([of, *key], default=str).encode()).decode()


def read_token(of: str, token: str, start: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key after which to go on; `start` for an empty token. BadPageToken where `of` did not issue it.

    A token is not signed: whatever it holds is checked until PostgreSQL can compare it.
    """
    if not token:
        return start
    try:
        issued, *key = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        found = tuple(_part(part, like) for part, like in zip(key, start, strict=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise BadPageToken from None
    if issued != of:
        raise BadPageToken
    return found


def _part(part: object, like: object) -> str | int | UUID:
    """A part of a key as the type of its `start`; below 0 only where that is. Raises ValueError where it is none."""
    if isinstance(like, UUID) and type(part) is str:
        return UUID(part)
    if isinstance(like, str) and type(part) is str and "\0" not in part:
        part.encode()  # half a surrogate pair is no text either
        return part
    if isinstance(like, int) and type(part) is int and min(like, 0) <= part <= _NUMBER_MAX:
        return part
    raise ValueError
