"""What a durable command gives back, now and on every retry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

Result = dict[str, UUID | bytes]


@dataclass(frozen=True)
class Outcome:
    """The receipt of a command and the ids that it made."""

    record_id: UUID
    record_version: int
    position: int
    """Last position of the command's events; 0 where there was nothing to add."""
    repeated: bool
    events: int
    result: Result


def encode_result(result: Result) -> bytes:
    """The ids and digests of a result as they are kept with the command."""
    if not result:
        return b""
    plain = {key: str(value) if isinstance(value, UUID) else value.hex() for key, value in result.items()}
    return json.dumps(plain, sort_keys=True).encode()


def decode_result(data: bytes) -> Result:
    """The result as `encode_result` had it; a key that ends in `_id` names a UUID."""
    plain: dict[str, str] = json.loads(data) if data else {}
    return {key: UUID(value) if key.endswith("_id") else bytes.fromhex(value) for key, value in plain.items()}
