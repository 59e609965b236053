"""A second system of the same hospital, made from the first one's files: the same people under other ids.

Of the results half are the same, a quarter have another value, a quarter are not there, and every tenth is followed by
one that only this system knows. Every tenth person is known here by another number alone: nothing but name, birth date
and gender says that it may be the same person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
OTHER_NUMBERS = "urn:ledger:demo:laboratory-number"
_PREFIX = "lab-"
_TYPES = ("Practitioner", "Patient", "Encounter", "Condition", "Observation")
_REFERENCE = re.compile(rf'"reference": ?"({"|".join(_TYPES)})/')


def second_system(files: Path, folder: Path) -> Path:
    """Writes the second system's files into the folder, the same at every run, and gives the folder back."""
    folder.mkdir(parents=True, exist_ok=True)
    for type_ in _TYPES:
        source = files / f"{type_}.ndjson"
        if not source.exists():
            continue
        lines = source.read_text().splitlines()
        made = (each for index, line in enumerate(lines) for each in _of(type_, index, line))
        (folder / source.name).write_text("".join(f"{json.dumps(each, default=_number)}\n" for each in made))
    return folder


def _of(type_: str, index: int, line: str) -> Iterator[Resource]:
    resource = json.loads(_REFERENCE.sub(rf'"reference": "\1/{_PREFIX}', line), parse_float=Decimal)
    resource["id"] = _PREFIX + resource["id"]
    yield from _WRITTEN.get(type_, _same)(index, resource)


def _same(_index: int, resource: Resource) -> Iterator[Resource]:
    yield resource


def _person(index: int, patient: Resource) -> Iterator[Resource]:
    if index % 10 == 9:
        patient["identifier"] = [{"system": OTHER_NUMBERS, "value": f"LAB-{index:04}"}]
    yield patient


def _result(index: int, observation: Resource) -> Iterator[Resource]:
    share = index % 4
    if share == 2:
        _change(observation)
    if share != 3:
        yield observation
    if index % 10 == 0:
        yield {**observation, "id": f"{observation['id']}-more", "code": {"text": "only the laboratory measures this"}}


def _change(observation: Resource) -> None:
    quantity = observation.get("valueQuantity")
    if quantity and "value" in quantity:
        quantity["value"] += 1


def _number(value: object) -> float:
    """A number as JSON has it; nothing else of a resource is no JSON."""
    if not isinstance(value, Decimal):
        raise TypeError
    return float(value)


_WRITTEN: dict[str, Callable[[int, Resource], Iterator[Resource]]] = {"Patient": _person, "Observation": _result}
