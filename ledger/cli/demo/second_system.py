"""A second system of the same hospital, made from the first one's files: the same people under other ids.

Of the results half are the same, a quarter have another value, a quarter are not there, and every tenth is followed by
one that only this system knows. Every tenth person is known here by another number alone: nothing but name, birth date
and gender says that it may be the same person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
OTHER_NUMBERS = "urn:ledger:demo:laboratory-number"
_PREFIX, _OWN = "lab-", "-more"
_TYPES = ("Practitioner", "Patient", "Encounter", "Condition", "Observation")
_REFERENCE = re.compile(rf'"reference": ?"({"|".join(_TYPES)})/')


def second_system(files: Path, folder: Path, people: int | None = None) -> Path:
    """Writes the second system's files into the folder, the same at every run, and gives the folder back.

    It knows all of the people, or only the first `people` of them.
    """
    known = _first(files, people)
    for type_ in _TYPES:
        lines = _lines(files, type_)
        made = (each for index, line in enumerate(lines) for each in _of(type_, index, line) if _is_of(each, known))
        _write(folder, type_, made)
    return folder


def corrections(laboratory: Path, folder: Path) -> Path:
    """What the second system says a day later: its own results put right, and one of them dated ahead by mistake."""
    ahead = False
    for type_ in _TYPES:
        said = [json.loads(line, parse_float=Decimal) for line in _lines(laboratory, type_)]
        for resource in said:
            if type_ == "Observation" and resource["id"].endswith(_OWN):
                _change(resource)
                if not ahead and "encounter" in resource:
                    resource["effectiveDateTime"], ahead = "2999-01-01T00:00:00Z", True
        _write(folder, type_, said)
    return folder


def _first(files: Path, people: int | None) -> frozenset[str] | None:
    if people is None:
        return None
    return frozenset(f"Patient/{_PREFIX}{json.loads(line)['id']}" for line in _lines(files, "Patient")[:people])


def _is_of(resource: Resource, known: frozenset[str] | None) -> bool:
    if known is None or resource["resourceType"] == "Practitioner":
        return True
    own = f"Patient/{resource['id']}"
    return (own if resource["resourceType"] == "Patient" else resource["subject"]["reference"]) in known


def _lines(files: Path, type_: str) -> list[str]:
    source = files / f"{type_}.ndjson"
    return source.read_text().splitlines() if source.exists() else []


def _write(folder: Path, type_: str, resources: Iterable[Resource]) -> None:
    lines = [f"{json.dumps(each, default=_number)}\n" for each in resources]
    if lines:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{type_}.ndjson").write_text("".join(lines))


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
        # Of a kind of its own each, so that two of them with one time and value are not taken for one fact.
        kind = {"text": f"only the laboratory measures this, kind {index}"}
        yield {**observation, "id": f"{observation['id']}{_OWN}", "code": kind}


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
