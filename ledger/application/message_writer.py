"""From a dataclass to the message of the same field names: one compiled plan per pair of types (see message_codec)."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, get_args
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from ledger.application.message_fields import PlanMismatch, enum_members, set_timestamp, without_none

Writer = Callable[[Any, Message], None]


@cache
def writer(descriptor: Descriptor, cls: type) -> Writer:
    """The plan. Raises PlanMismatch where message and class do not match."""
    hints = typing.get_type_hints(cls)
    plain: list[str] = []
    steps: list[tuple[str, Callable[[Any, Message], None]]] = []
    for each in dataclasses.fields(cls):
        field = descriptor.fields_by_name.get(each.name)
        if field is None:
            raise PlanMismatch(f"{descriptor.full_name} has no field {each.name}")
        step = _field_writer(field, hints[each.name])
        if step is None:
            plain.append(each.name)
        else:
            steps.append((each.name, step))

    def write(value: Any, message: Message) -> None:
        for name in plain:
            part = getattr(value, name)
            if part is not None:
                setattr(message, name, part)
        for name, step in steps:
            part = getattr(value, name)
            if part is not None:
                step(part, message)

    return write


def _field_writer(field: FieldDescriptor, hint: Any) -> Callable[[Any, Message], None] | None:
    """None for what goes over as it is."""
    name = field.name
    if field.is_repeated:
        return _repeated_writer(field, get_args(hint)[0])
    wanted, _ = without_none(hint)
    if wanted is datetime:
        return lambda value, message: set_timestamp(getattr(message, name), value)
    if field.message_type is not None:
        write = writer(field.message_type, wanted)
        return lambda value, message: _write_submessage(write, value, getattr(message, name))
    if field.enum_type is not None:
        numbers = {member: number for number, member in enum_members(field.enum_type, wanted).items()}
        return lambda value, message: setattr(message, name, numbers[value])
    if wanted is UUID:
        return lambda value, message: setattr(message, name, str(value))
    return None


def _write_submessage(write: Writer, value: Any, message: Message) -> None:
    message.SetInParent()  # an empty message that is there differs from one that is not
    write(value, message)


def _repeated_writer(field: FieldDescriptor, item: Any) -> Callable[[Any, Message], None]:
    name = field.name
    if field.message_type is None:
        return lambda value, message: getattr(message, name).extend(str(each) for each in value)
    write = writer(field.message_type, item)

    def write_each(value: Any, message: Message) -> None:
        repeated = getattr(message, name)
        for each in value:
            write(each, repeated.add())

    return write_each
