"""What reading and writing a message have in common: the values of its enums, its times, what a hint says."""

from __future__ import annotations

import types
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class PlanMismatch(TypeError):
    """A message and a dataclass that should match do not."""


@cache
def enum_members(descriptor: EnumDescriptor, wanted: type[StrEnum]) -> dict[int, StrEnum]:
    """The members of a class by number. Raises PlanMismatch where the two name different values."""
    prefix = descriptor.values_by_number[0].name.removesuffix("UNSPECIFIED")
    named = {each.name.removeprefix(prefix): each.number for each in descriptor.values if each.number}
    if set(named) != {member.value for member in wanted}:
        raise PlanMismatch(f"{descriptor.full_name} and {wanted.__name__} name different values")
    return {named[member.value]: member for member in wanted}


def without_none(hint: Any) -> tuple[Any, bool]:
    """The hint itself, and whether it allows None."""
    if get_origin(hint) in (Union, types.UnionType):
        (wanted,) = [each for each in get_args(hint) if each is not type(None)]
        return wanted, True
    return hint, False


def set_timestamp(stamp: Timestamp, value: datetime) -> None:
    """Sets a Timestamp to an aware time, exactly."""
    micros = (value - _EPOCH) // _MICROSECOND
    stamp.seconds, rest = divmod(micros, 1_000_000)
    stamp.nanos = rest * 1000
