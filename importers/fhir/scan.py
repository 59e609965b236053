"""Reads every line of every file once and says everything that is wrong, before a first command is sent."""

from __future__ import annotations

import re
from pathlib import Path

from importers.fhir import ndjson
from importers.fhir.catalogue import Catalogue
from importers.fhir.content_digest import digest
from importers.fhir.faults import Fault, FaultCode, FaultList, UnusableInput
from importers.fhir.filing import Place, file_away
from importers.fhir.json_value import Resource, text
from importers.fhir.manifest import manifest_faults
from importers.fhir.ndjson import BadLine, Line
from importers.fhir.placement import check_references


def scan(directory: Path) -> Catalogue:
    """The catalogue of all `<ResourceType>*.ndjson` files of a directory. Raises UnusableInput with every fault."""
    faults = FaultList()
    catalogue = Catalogue(directory)
    seen: set[tuple[str, str]] = set()
    lines = dict.fromkeys((path.name for path in _files(directory)), 0)
    for name in lines:
        try:
            for line in ndjson.lines(directory / name):
                _take(catalogue, name, line, seen, faults)
                lines[name] += 1
        except OSError:
            faults.add(Fault(name, 0, FaultCode.UNREADABLE))
    for fault in manifest_faults(directory, lines):
        faults.add(fault)
    if not faults.total:
        check_references(catalogue, faults)
    faults.raise_any()
    return catalogue


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise UnusableInput((Fault(str(directory), 0, FaultCode.NOT_A_DIRECTORY),), 1)
    found = sorted(path for path in directory.iterdir() if path.suffix == ".ndjson" and path.is_file())
    if not found:
        raise UnusableInput((Fault(str(directory), 0, FaultCode.NO_FILES),), 1)
    return found


def _take(catalogue: Catalogue, file: str, line: Line, seen: set[tuple[str, str]], faults: FaultList) -> None:
    try:
        resource = ndjson.resource_of(line.data)
        type_, id_ = _identity(resource, file)
        _once(seen, type_, id_)
        place = Place(type_, id_, file, line.number, line.offset, len(line.data), digest(resource))
        catalogue.lines[type_] += 1
        file_away(catalogue, resource, place)
    except BadLine as bad:
        faults.add(Fault(file, line.number, bad.code, bad.field))


def _once(seen: set[tuple[str, str]], type_: str, id_: str) -> None:
    if (type_, id_) in seen:
        raise BadLine(FaultCode.DUPLICATE_ID, "id")
    seen.add((type_, id_))


def _identity(resource: Resource, file: str) -> tuple[str, str]:
    """Type and id; a bulk export's file may be called `Patient.ndjson`, `Patient-3.ndjson`, `Patient.000.ndjson`."""
    type_ = text(resource, "resourceType")
    expected = re.match(r"[A-Za-z]+", file)
    if expected is None or type_ != expected.group():
        raise BadLine(FaultCode.WRONG_RESOURCE, "resourceType")
    id_ = text(resource, "id")
    if not id_:
        raise BadLine(FaultCode.NO_ID, "id")
    return type_, id_
