"""The manifest of a bulk export (`manifest.json`), where one lies beside its files: which files, with how many lines.

A file cut at the end of a line, or left behind, looks whole by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from importers.fhir.faults import Fault, FaultCode

NAME = "manifest.json"


def manifest_faults(directory: Path, lines: dict[str, int]) -> list[Fault]:
    """What the export says of its files and does not hold; `lines` has those that are there. No manifest: nothing."""
    path = directory / NAME
    if not path.exists():
        return []
    try:
        outputs = list(_outputs(json.loads(path.read_text("utf-8"))))
    except (OSError, UnicodeDecodeError):
        return [Fault(NAME, 0, FaultCode.UNREADABLE)]
    except (ValueError, TypeError, KeyError):
        return [Fault(NAME, 0, FaultCode.NOT_A_MANIFEST)]
    return [fault for name, count in outputs for fault in _faults_of(name, count, lines)]


def _outputs(manifest: Any) -> Iterator[tuple[str, int | None]]:
    for each in cast("list[dict[str, Any]]", manifest["output"]):
        url, count = each["url"], each.get("count")
        if not isinstance(url, str) or not isinstance(count, int | None):
            raise TypeError
        yield Path(urlsplit(url).path).name, count


def _faults_of(name: str, count: int | None, lines: dict[str, int]) -> Iterator[Fault]:
    if name not in lines:
        yield Fault(name, 0, FaultCode.MISSING_FILE)
    elif count is not None and lines[name] != count:
        yield Fault(name, 0, FaultCode.OTHER_COUNT)
