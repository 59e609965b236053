"""Makes the stored example of an event that has none yet; rows that are there are never made again.

`python -m tests.unit.application.corpus_samples` adds what is missing to corpus.json.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from ledger.application.body_codec import encode_body
from ledger.application.upcast import READABLE
from ledger.domain.values import Coding, Field
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.leaf import leaf_hash

CORPUS = Path(__file__).with_name("corpus.json")
_ID = UUID("11112222-3333-4444-8000-000000000002")
_TIME = datetime(2026, 11, 27, 12, 34, 56, 789012, tzinfo=UTC)


def sample(hint: Any, name: str) -> Any:
    """A value of a type, every field filled."""
    if get_origin(hint) in (Union, types.UnionType):
        return sample(next(each for each in get_args(hint) if each is not type(None)), name)
    if get_origin(hint) is tuple:
        return (sample(get_args(hint)[0], name),)
    if hint is Field:
        return Field(f"{name} code", coding=Coding("system", "code", "display", "version"), result_id="result")
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return typing.cast("Any", hint)(
            **{each.name: sample(hints[each.name], each.name) for each in dataclasses.fields(hint)}
        )
    if issubclass(hint, StrEnum):
        return next(iter(hint))
    scalars: dict[type, Any] = {
        str: f"{name} 病",
        int: 3,
        bool: True,
        bytes: bytes(range(32)),
        UUID: _ID,
        datetime: _TIME,
    }
    return scalars[hint]


def row_of(stored_name: str) -> dict[str, str]:
    """A stored event of that name: envelope, body and leaf hash in hexadecimal."""
    body = encode_body(sample(READABLE[stored_name], "event"))
    envelope = encode(
        Envelope(
            format=FORMAT,
            origin="ledger.example/corpus/1",
            stream_id=_ID.bytes,
            stream_version=3,
            type=stored_name,
            recorded_at=1_795_782_896_789_012,
            actor=_ID.bytes,
            key_id=b"",
            body_sha256=sha256(body).digest(),
            commitment=b"",
            prev_leaf=bytes(range(32, 64)),
        )
    )
    return {"type": stored_name, "envelope": envelope.hex(), "body": body.hex(), "leaf": leaf_hash(envelope).hex()}


def add_missing() -> None:
    """Adds a row for every readable event that has none."""
    rows: list[dict[str, str]] = json.loads(CORPUS.read_text())
    known = {row["type"] for row in rows}
    rows += [row_of(name) for name in READABLE if name not in known]
    CORPUS.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    add_missing()
