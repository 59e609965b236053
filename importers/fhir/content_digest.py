"""Digests and ids that are the same at every import of the same content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from uuid import UUID, uuid5

_COMMANDS = UUID("b0f8b5a1-2f62-5c0e-8c0a-7d6f0c1e9a42")
"""Namespace of command ids. A mapping that writes other content for the same source needs another namespace."""


def digest(value: object) -> bytes:
    """SHA-256 of a JSON value's canonical form: names sorted, no spaces, UTF-8, decimals as the text they were."""
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(data.encode(errors="surrogatepass")).digest()


def group_digest(members: Iterable[tuple[str, str, bytes]]) -> bytes:
    """Digest of a group: of its members' (type, id, digest), in whatever order they come."""
    return digest(sorted((type_, id_, sha256.hex()) for type_, id_, sha256 in members))


def command_id(hospital: str, system: str, type_: str, id_: str, sha256: bytes) -> str:
    """The command that takes this content of this source item up at this hospital, UUID text."""
    return str(uuid5(_COMMANDS, json.dumps([hospital, system, type_, id_, sha256.hex()])))


def again_id(first: str, version: int) -> str:
    """The command that takes content up once more, after `version` versions of what was made of its source item."""
    return str(uuid5(_COMMANDS, f"{first}@{version}"))


def filed_id(first: str, patient_id: str) -> str:
    """The command that files content under a patient: under another one it is another command, and not done by that."""
    return str(uuid5(_COMMANDS, f"{first}/{patient_id}"))


def link_id(first: str, record_id: str, entry_id: str) -> str:
    """The command that links content to what another system had said, instead of recording it."""
    return str(uuid5(_COMMANDS, f"{first}:{record_id}:{entry_id}"))
