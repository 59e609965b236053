"""The manifest is read strictly: as it was written, or refused with every fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.backup.faults import BadBackup
from ledger.backup.manifest import EVENTS, FileDigest, Ledger, LogHead, Manifest, Table, parse_manifest

MANIFEST = Manifest(
    kind=EVENTS,
    release="0.1.0",
    taken_at="2026-11-27T12:00:00+00:00",
    stream="kafka",
    control_version=7,
    ledgers=(
        Ledger("north", "ledger.example/north/1", 3, 7, "ab" * 32, LogHead(5, "cd" * 32, "a+b+c")),
        Ledger("south", "ledger.example/south/1", 3, 0, "", None),
    ),
    tables=(Table("h_north", "events", ("position", "body"), "rows/h_north/events"),),
    files={"rows/h_north/events": FileDigest(21, "ef" * 32)},
)


def test_what_is_written_is_read_again() -> None:
    """Every field, a hospital without a log, and a log whose key is not known."""
    assert parse_manifest(MANIFEST.encode(), EVENTS) == MANIFEST


def _changed(row: dict[str, Any], *place: str | int, value: object) -> bytes:
    inner: Any = row
    for each in place[:-1]:
        inner = inner[each]
    inner[place[-1]] = value
    return json.dumps(row).encode()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("kind",), "keys"),
        (("release",), ""),
        (("release",), "0\n1"),
        (("stream",), "nats"),
        (("control_version",), -1),
        (("control_version",), True),
        (("control_version",), "7"),
        (("ledgers",), {}),
        (("ledgers", 0), []),
        (("ledgers", 0, "hospital"), "../north"),
        (("ledgers", 0, "head_leaf"), "AB" * 32),
        (("ledgers", 0, "log"), 1),
        (("ledgers", 0, "log", "root"), "cd"),
        (("ledgers", 0, "more"), 1),
        (("tables", 0, "columns"), ["position", 2]),
        (("files", "rows/h_north/events"), None),
        (("files", "rows/h_north/events", "sha256"), "ef"),
        (("more",), 1),
    ],
)
def test_any_other_form_is_refused_by_name(place: tuple[str | int, ...], value: object) -> None:
    """The last part of the place of the fault is said, and nothing of the value."""
    data = _changed(json.loads(MANIFEST.encode()), *place, value=value)
    with pytest.raises(BadBackup) as refused:
        parse_manifest(data, EVENTS)
    assert str(place[-1]) in str(refused.value)
    assert all(fault.startswith("manifest.json") for fault in refused.value.faults)


def test_all_faults_are_named_at_once() -> None:
    """Two faults, two lines."""
    row = json.loads(MANIFEST.encode())
    row["stream"], row["files"]["rows/h_north/events"]["size"] = 1, "21"
    with pytest.raises(BadBackup) as refused:
        parse_manifest(json.dumps(row).encode(), EVENTS)
    assert len(refused.value.faults) == 2
