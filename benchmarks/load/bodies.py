"""Request bodies in a file, made before anything is measured: every command has an id of its own."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import requests


def write_bodies(file: Path, bodies: Iterable[bytes]) -> None:
    """Each after its length in four bytes."""
    with file.open("wb") as out:
        for each in bodies:
            out.write(len(each).to_bytes(4, "big"))
            out.write(each)


def entries(hospital: str, records: Sequence[str], count: int) -> Iterable[bytes]:
    """Entries on the records in turn. A generator that repeated a body would measure the answer to a repetition."""
    made = [(entry.context.command_id.encode(), entry.SerializeToString()) for entry in _one_of_each(hospital, records)]
    for old_id, body in itertools.islice(itertools.cycle(made), count):
        yield body.replace(old_id, str(uuid.uuid4()).encode())


def _one_of_each(hospital: str, records: Sequence[str]) -> Iterable[requests.RecordEntryRequest]:
    return (requests.entry(hospital, each) for each in records)
