"""What reading and writing a message have in common: the values of its enums, its times and ids, what a hint says."""

from __future__ import annotations

import re
import types
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
UUIDS_REMEMBERED = 4096
"""Who acts and on which record comes again and again, several times in one command; about 1 MB."""


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


@lru_cache(maxsize=UUIDS_REMEMBERED)
def canonical_uuid(text: str) -> UUID | None:
    """The id of its one spelling; None for any other text."""
    # One spelling for one id: `UUID()` also takes braces, URNs and upper case, and a retry may not differ by that.
    return UUID(text) if _CANONICAL_UUID.fullmatch(text) else None


def from_timestamp(stamp: Timestamp) -> datetime:
    """UTC time of a Timestamp, cut to microseconds. Raises OverflowError or ValueError out of range."""
    if not 0 <= stamp.nanos < 1_000_000_000:
        raise ValueError("nanos")
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def set_timestamp(stamp: Timestamp, value: datetime) -> None:
    """Sets a Timestamp to an aware time, exactly."""
    since = value - _EPOCH
    stamp.seconds = since.days * 86_400 + since.seconds
    stamp.nanos = since.microseconds * 1000
