"""Messages without a fault to dataclasses of the domain, several times as fast as `message_codec` names faults.

As strict: whatever is not taken for right is doubted, and the thorough reader then reads it or says what is wrong.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, get_args
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from ledger.application.message_fields import (
    PlanMismatch,
    canonical_uuid,
    enum_members,
    from_timestamp,
    without_none,
)

Read = Callable[[Message], Any]
Convert = Callable[[Any, Message], Any]
"""From the value of a field, and the message that it is in, to that of the class."""


class Doubt(Exception):
    """The message may have a fault."""


@cache
def quick_reader(descriptor: Descriptor, cls: type) -> Read:
    """The plan: every field is fetched at once, then those are converted that do not go over as they are."""
    hints = typing.get_type_hints(cls)
    names = [each.name for each in dataclasses.fields(cls)]
    fields = [_field_of(descriptor, name) for name in names]
    fetch = _fetching(names)
    texts = [index for index, field in enumerate(fields) if _is_text(field, hints[field.name])]
    converts = [(index, _convert(field, hints[field.name])) for index, field in enumerate(fields)]
    steps = [(index, convert) for index, convert in converts if convert is not None]

    def read(message: Message) -> Any:
        values = list(fetch(message))
        for index in texts:
            if "\0" in values[index]:
                raise Doubt
        for index, convert in steps:
            values[index] = convert(values[index], message)
        return cls(*values)

    return read


def _field_of(descriptor: Descriptor, name: str) -> FieldDescriptor:
    field = descriptor.fields_by_name.get(name)
    if field is None:
        raise PlanMismatch(f"{descriptor.full_name} has no field {name}")
    return field


def _fetching(names: list[str]) -> Callable[[Message], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda message: tuple([getattr(message, name) for name in names])


def _is_text(field: FieldDescriptor, hint: Any) -> bool:
    wanted, _ = without_none(hint)
    return field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated and wanted is not UUID


def _convert(field: FieldDescriptor, hint: Any) -> Convert | None:
    """None for what goes over as it is."""
    name = field.name
    if field.is_repeated:
        return _repeated(field, get_args(hint)[0])
    wanted, optional = without_none(hint)
    if field.message_type is not None:
        return _message(
            name, _time if wanted is datetime else quick_reader(field.message_type, wanted), optional=optional
        )
    if field.enum_type is not None:
        return _enum(enum_members(field.enum_type, wanted), optional=optional)
    if wanted is UUID:
        return _uuid(optional=optional)
    if field.has_presence and optional:
        return lambda value, message: value if value or message.HasField(name) else None
    return None


def _message(name: str, read: Read, *, optional: bool) -> Convert:
    def convert(value: Any, message: Message) -> Any:
        if message.HasField(name):
            return read(value)
        if not optional:
            raise Doubt
        return None

    return convert


def _repeated(field: FieldDescriptor, item: Any) -> Convert:
    if field.message_type is not None:
        read = quick_reader(field.message_type, item)
        return lambda value, _: tuple([read(each) for each in value]) if value else ()
    if item is UUID:
        return lambda value, _: tuple([_known(canonical_uuid(each)) for each in value]) if value else ()
    return lambda value, _: tuple([_clean(each) for each in value]) if value else ()


def _enum(members: typing.Mapping[int, Any], *, optional: bool) -> Convert:
    def convert(value: Any, _: Message) -> Any:
        member = members.get(value)
        if member is None and (value != 0 or not optional):
            raise Doubt
        return member

    return convert


def _uuid(*, optional: bool) -> Convert:
    if optional:
        return lambda value, _: _known(canonical_uuid(value)) if value else None
    return lambda value, _: _known(canonical_uuid(value))


def _time(stamp: Any) -> datetime:
    try:
        return from_timestamp(stamp)
    except (OverflowError, ValueError) as error:
        raise Doubt from error


def _known(found: UUID | None) -> UUID:
    if found is None:
        raise Doubt
    return found


def _clean(text: str) -> str:
    if "\0" in text:
        raise Doubt
    return text
