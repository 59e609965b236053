"""Opaque page tokens: where the next page begins, readable by nobody but the list that issued it."""

import base64
import binascii
import json
from typing import Any

from ledger.views.errors import BadPageSize, BadPageToken

PAGE_DEFAULT = 100
PAGE_MAX = 1_000


def page_rows(size: int) -> int:
    """Rows of a page that was asked for. BadPageSize outside 0 to 1,000; 0 = 100."""
    if not 0 <= size <= PAGE_MAX:
        raise BadPageSize(size)
    return size or PAGE_DEFAULT


def write_token(of: str, *key: str | int) -> str:
    """A token of the list `of` that goes on after this key."""
    return base64.urlsafe_b64encode(json.dumps([of, *key]).encode()).decode()


def read_token(of: str, token: str, start: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key after which to go on; `start` for an empty token. BadPageToken where `of` did not issue it."""
    if not token:
        return start
    try:
        issued, *key = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise BadPageToken from None
    if issued != of or [type(part) for part in key] != [type(part) for part in start]:
        raise BadPageToken
    return tuple(key)
