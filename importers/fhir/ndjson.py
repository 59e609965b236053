"""Lines of an NDJSON file, each with its place, and what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import cast

from importers.fhir.faults import FaultCode
from importers.fhir.json_value import Resource

LINE_BYTES_MAX = 16 * 1024 * 1024


class BadLine(Exception):
    """The line holds no resource."""

    def __init__(self, code: FaultCode, field: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank; `offset` counts bytes from the start of the file."""

    number: int
    offset: int
    data: bytes


def lines(path: Path) -> Iterator[Line]:
    """The lines of a file in order, one in memory at a time. A line that is too long is the last."""
    offset = 0
    with path.open("rb") as file:
        number = 0
        while data := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            if data.strip():
                yield Line(number, offset, data)
            if len(data) > LINE_BYTES_MAX:
                return
            offset += len(data)


def read_again(path: Path, offset: int, length: int) -> Resource:
    """The resource at a place where a line was read before. Raises BadLine."""
    with path.open("rb") as file:
        file.seek(offset)
        return resource_of(file.read(length))


def resource_of(data: bytes) -> Resource:
    """The JSON object of a line; decimals keep every digit. Raises BadLine with the kind of the fault."""
    if len(data) > LINE_BYTES_MAX:
        raise BadLine(FaultCode.LINE_TOO_LONG)
    try:
        value: object = json.loads(data.decode(), parse_float=Decimal, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        # A file cut inside a character is cut, not badly encoded.
        code = FaultCode.NOT_UTF8 if data.endswith(b"\n") else FaultCode.TRUNCATED
        raise BadLine(code) from error
    except (ValueError, RecursionError) as error:
        code = FaultCode.NOT_JSON if _whole(data) else FaultCode.TRUNCATED
        raise BadLine(code) from error
    if not isinstance(value, dict) or not isinstance(cast("Resource", value).get("resourceType"), str):
        raise BadLine(FaultCode.NOT_A_RESOURCE)
    return cast("Resource", value)


def _whole(data: bytes) -> bool:
    """Whether a line that is not JSON looks as if it had been written to its end."""
    return data.endswith(b"\n") or not data.lstrip().startswith(b"{")


def _no_constant(name: str) -> object:
    raise ValueError(name)
