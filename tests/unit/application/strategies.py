"""Random values of the domain's dataclasses, made from their type hints."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st

from ledger.domain.transfer_commands import ReceivePackage
from ledger.domain.values import Coding, Field, Quantity

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
_TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
_SCALARS: dict[type, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    int: st.integers(0, 2**31 - 1),
    bool: st.booleans(),
    bytes: st.binary(max_size=40),
    UUID: st.uuids(),
    datetime: _TIMES,
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that a message can carry."""
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of([st.none() if each is type(None) else values_of(each) for each in get_args(hint)])
    if get_origin(hint) is tuple:
        return st.lists(values_of(get_args(hint)[0]), max_size=3).map(tuple)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    return _fields() if hint is Field else _built(hint)


def _built(cls: type) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls)
    parts: dict[str, st.SearchStrategy[Any]] = {
        each.name: values_of(hints[each.name]) for each in dataclasses.fields(cls)
    }
    made = st.builds(cls, **parts)
    return made.map(_with_one_verdict) if cls is ReceivePackage else made


def _with_one_verdict(command: ReceivePackage) -> ReceivePackage:
    """Both are one oneof of the contract."""
    return dataclasses.replace(command, fault=None) if command.verified else command


def _fields() -> st.SearchStrategy[Field]:
    """A field carries one of its values, as the contract's oneof does."""
    kinds = {"text": str, "coding": Coding, "quantity": Quantity, "time": datetime, "flag": bool}
    chosen = [st.fixed_dictionaries({name: values_of(kind)}) for name, kind in kinds.items()]
    plain = st.fixed_dictionaries(dict.fromkeys(("code", "uncoded_reason", "result_id"), _TEXTS))
    topics = st.fixed_dictionaries({"topic": values_of(Coding | None)})
    return st.tuples(st.one_of(chosen), plain, topics).map(lambda parts: Field(**parts[0], **parts[1], **parts[2]))
