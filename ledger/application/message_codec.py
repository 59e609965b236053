"""Dataclasses of the domain to and from protobuf messages, matched by field name.

The domain knows no protobuf and the contract knows no Python. Where a message and a class have the same field names,
one compiled plan per pair of types converts both ways; a difference is found when the plan is compiled, so a test that
compiles every pair proves that they have not drifted apart. Unset means: an empty string for a UUID, the zero value of
an enum, an absent message; where the class does not allow None there, the fault is reported with its field path, which
is put together only then.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_args
from uuid import UUID

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.application.message_fields import (
    PlanMismatch,
    canonical_uuid,
    enum_members,
    from_timestamp,
    set_timestamp,
    without_none,
)
from ledger.application.message_writer import writer
from ledger.application.quick_reader import Doubt, quick_reader
from ledger.domain.refusal import RefusalKind, Refused, Violation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")
M = TypeVar("M", bound=Message)
Faults = list[Violation]
Reader = Callable[[Message, str, Faults], Any]


def to_domain(message: Message, cls: type[T]) -> T:
    """The dataclass of a message.

    Raises Refused(INVALID) with every fault of shape: a malformed UUID, a time out of range, a missing value.
    """
    try:
        return quick_reader(message.DESCRIPTOR, cls)(message)
    except Doubt:
        return read_thoroughly(message, cls)


def read_thoroughly(message: Message, cls: type[T]) -> T:
    """As `to_domain`: slower, and it can tell every fault by its path."""
    faults: Faults = []
    value = _reader(message.DESCRIPTOR, cls)(message, "", faults)
    if faults:
        raise Refused(RefusalKind.INVALID, tuple(faults))
    return value


def to_message(value: object, message_class: type[M]) -> M:
    """The message of a dataclass; None and empty values stay unset."""
    message = message_class()
    writer(message_class.DESCRIPTOR, type(value))(value, message)
    return message


@cache
def _reader(descriptor: Descriptor, cls: type) -> Reader:
    hints = typing.get_type_hints(cls)
    steps: list[tuple[str, Reader]] = []
    for each in dataclasses.fields(cls):
        field = descriptor.fields_by_name.get(each.name)
        if field is None:
            raise PlanMismatch(f"{descriptor.full_name} has no field {each.name}")
        steps.append((each.name, _field_reader(field, hints[each.name])))

    def read(message: Message, prefix: str, faults: Faults) -> Any:
        return cls(**{name: step(message, prefix, faults) for name, step in steps})

    return read


def _field_reader(field: FieldDescriptor, hint: Any) -> Reader:
    name = field.name
    if field.is_repeated:
        return _repeated_reader(field, get_args(hint)[0])
    wanted, optional = without_none(hint)
    if field.message_type is not None:
        return _message_reader(field, wanted, optional=optional)
    if field.enum_type is not None:
        return _enum_reader(field, wanted, optional=optional)
    if wanted is UUID:
        return _uuid_reader(name, optional=optional)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text_reader(name, presence=field.has_presence and optional)
    if field.has_presence and optional:
        return lambda message, _prefix, _faults: getattr(message, name) if message.HasField(name) else None
    return lambda message, _prefix, _faults: getattr(message, name)


def _text_reader(name: str, *, presence: bool) -> Reader:
    def reader(message: Message, prefix: str, faults: Faults) -> Any:
        if presence and not message.HasField(name):
            return None
        text: str = getattr(message, name)
        # PostgreSQL's text cannot hold it, so a view could never show what was acknowledged.
        if "\0" in text:
            faults.append(Violation(prefix + name, "NUL_CHARACTER", "text without U+0000 is required"))
        return text

    return reader


def _repeated_reader(field: FieldDescriptor, item: Any) -> Reader:
    name = field.name
    if field.message_type is None:
        return _scalars_reader(name, item)
    read = _reader(field.message_type, item)
    return lambda message, prefix, faults: tuple(
        [read(each, f"{prefix}{name}[{index}].", faults) for index, each in enumerate(getattr(message, name))]
    )


def _scalars_reader(name: str, item: Any) -> Reader:
    def reader(message: Message, prefix: str, faults: Faults) -> Any:
        texts: list[str] = list(getattr(message, name))
        if item is UUID:
            return tuple(parse_uuid(text, f"{prefix}{name}[{index}]", faults) for index, text in enumerate(texts))
        for index, text in enumerate(texts):
            if "\0" in text:
                faults.append(Violation(f"{prefix}{name}[{index}]", "NUL_CHARACTER", "text without U+0000 is required"))
        return tuple(texts)

    return reader


def _message_reader(field: FieldDescriptor, wanted: Any, *, optional: bool) -> Reader:
    name = field.name
    read = _read_timestamp if wanted is datetime else _reader(typing.cast("Descriptor", field.message_type), wanted)
    inner = f"{name}."

    def reader(message: Message, prefix: str, faults: Faults) -> Any:
        if message.HasField(name):
            return read(getattr(message, name), prefix + inner, faults)
        if not optional:
            faults.append(Violation(prefix + name, "REQUIRED", "a value is required"))
        return None

    return reader


def _read_timestamp(message: Message, prefix: str, faults: Faults) -> datetime | None:
    stamp = typing.cast("Timestamp", message)
    try:
        return from_timestamp(stamp)
    except (OverflowError, ValueError):
        faults.append(
            Violation(prefix.removesuffix("."), "TIME_OUT_OF_RANGE", "years 1 to 9999, nanoseconds 0 to 999,999,999")
        )
        return None


def _enum_reader(field: FieldDescriptor, wanted: type[StrEnum], *, optional: bool) -> Reader:
    name = field.name
    by_number = enum_members(typing.cast("EnumDescriptor", field.enum_type), wanted)

    def reader(message: Message, prefix: str, faults: Faults) -> Any:
        number = getattr(message, name)
        member = by_number.get(number)
        if member is None and (number != 0 or not optional):
            rule = "UNKNOWN_VALUE" if number else "REQUIRED"
            faults.append(Violation(prefix + name, rule, "one of the named values is required"))
        return member

    return reader


def _uuid_reader(name: str, *, optional: bool) -> Reader:
    def reader(message: Message, prefix: str, faults: Faults) -> Any:
        text = getattr(message, name)
        if not text and optional:
            return None
        return parse_uuid(text, prefix + name, faults)

    return reader


def nul_faults(message: Message, prefix: str = "") -> Faults:
    """The faults of a message's own texts that PostgreSQL could not hold; messages inside it are not looked at."""
    return [
        Violation(prefix + field.name, "NUL_CHARACTER", "text without U+0000 is required")
        for field, value in message.ListFields()
        if isinstance(value, str) and "\0" in value
    ]


def parse_uuid(text: str, path: str, faults: Faults) -> UUID | None:
    """A UUID in canonical text, or None with a fault added."""
    value = canonical_uuid(text)
    if value is None:
        rule = "MALFORMED_UUID" if text else "REQUIRED"
        faults.append(Violation(path, rule, "a UUID in canonical lower-case text is required"))
        return None
    return value


def to_timestamp(value: datetime) -> Timestamp:
    """The Timestamp of an aware time, exactly."""
    stamp = Timestamp()
    set_timestamp(stamp, value)
    stamp_message: Timestamp = stamp
    return stamp_message


def micros_of(value: datetime) -> int:
    """Unix microseconds of an aware time."""
    return (value - _EPOCH) // _MICROSECOND


def time_of(micros: int) -> datetime:
    """UTC time of Unix microseconds."""
    return _EPOCH + timedelta(microseconds=micros)
