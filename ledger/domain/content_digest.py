"""A digest of what an entry says, by which one person means the very note that another files."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from ledger.domain.values import EntryContent


def content_digest(content: EntryContent) -> bytes:
    """SHA-256 over every field of the content as it was sent, names included. It is compared for hours, never proven:
    another release may digest otherwise.
    """
    return sha256(json.dumps(asdict(content), default=_plain, sort_keys=True).encode()).digest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
