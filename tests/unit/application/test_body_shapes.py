"""A released body never gets another field: signed content that an older release drops would be lost to its readers."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import cast

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from ledger.application.upcast import READABLE
from ledger.views.bodies import BODIES

SHAPES: dict[str, str] = json.loads(Path(__file__).with_name("body_shapes.json").read_text())


@pytest.mark.parametrize("stored_name", sorted(READABLE))
def test_the_shape_of_a_body_never_changes(stored_name: str) -> None:
    """Other fields or values, here or in a message inside, are another event: a new version with a step in `upcast`.

    The digests are those of the release that first stored the event; a new event adds a line, no line is ever changed.
    """
    assert SHAPES.get(stored_name) == shape_digest(stored_name), stored_name


def test_every_shape_belongs_to_an_event_that_is_still_read() -> None:
    """Stored events of every version ever released stay readable."""
    assert set(SHAPES) == set(READABLE)


def shape_digest(stored_name: str) -> str:
    """SHA-256 over everything that decides how the bytes of a body are read."""
    seen: dict[str, str] = {}
    _describe(cast("Descriptor", BODIES[stored_name].DESCRIPTOR), seen)
    return sha256("\n".join(seen[name] for name in sorted(seen)).encode()).hexdigest()


def _describe(found: Descriptor | EnumDescriptor, seen: dict[str, str]) -> None:
    if found.full_name in seen:
        return
    if isinstance(found, EnumDescriptor):
        values = sorted((each.number, each.name) for each in found.values)
        seen[found.full_name] = f"{found.full_name} {values}"
        return
    fields = sorted(found.fields, key=lambda each: each.number)
    seen[found.full_name] = f"{found.full_name} {[_field(each) for each in fields]}"
    for each in fields:
        if inner := each.message_type or each.enum_type:
            _describe(inner, seen)


def _field(field: FieldDescriptor) -> tuple[object, ...]:
    inner = field.message_type or field.enum_type
    named = inner.full_name if inner else ""
    return field.number, field.name, field.type, field.is_repeated, field.has_presence, named


if __name__ == "__main__":
    print(json.dumps({name: shape_digest(name) for name in sorted(READABLE)}, indent=1))
