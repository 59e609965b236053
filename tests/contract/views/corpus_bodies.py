"""The stored example of every event, as a building block of histories: ids in it are those of the history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from ledger.views.bodies import BODIES

_CORPUS = Path(__file__).parents[2] / "unit" / "application" / "corpus.json"
_STORED: dict[str, bytes] = {row["type"]: bytes.fromhex(row["body"]) for row in json.loads(_CORPUS.read_text())}
KINDS = sorted(BODIES)
"""Stored names of every event that views are handed."""
_DAY = "2054-05-01"


def example(kind: str, item: UUID) -> Message:
    """The body of the corpus, about this item wherever it names something by an id, and with days that are days."""
    body = BODIES[kind].FromString(_STORED[kind])
    _say_of(body, item)
    return body


def _say_of(message: Message, item: UUID) -> None:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in value if field.is_repeated else (value,):
                _say_of(inner, item)
        elif field.type == FieldDescriptor.TYPE_STRING:
            _set(message, field, item)


def _set(message: Any, field: FieldDescriptor, item: UUID) -> None:
    value, name = getattr(message, field.name), field.name
    if field.is_repeated:
        value[:] = [_meant(each, name, item) for each in value]
    else:
        setattr(message, name, _meant(value, name, item))


def _meant(text: str, name: str, item: UUID) -> str:
    if name.endswith(("_on", "_until")):
        return _DAY
    try:
        UUID(text)
    except ValueError:
        return text
    return str(item)
