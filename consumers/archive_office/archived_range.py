"""Parts of an archive, some files or a range of events, read and checked, be it by a process of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from consumers.archive_office.archive_line import BadArchiveLine, read_line
from consumers.archive_office.manifest import FileEntry
from consumers.archive_office.record_file import ArchiveFileChanged, whole_file
from ledger.trust.fault import EnvelopeFault
from ledger.trust.glance import glance
from ledger.trust.range_walk import RangeFound, RangeWalk, Stood
from ledger.trust.verify import Fault, Row, RowFault

_POSITION = re.compile(rb'\{"position":(\d{1,19}),')
"""How a line of ours begins."""


class Place(NamedTuple):
    """Where an event's line lies."""

    position: int
    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SomeFiles:
    """Records' files of an archive."""

    folder: Path
    entries: Sequence[FileEntry]


@dataclass(frozen=True, slots=True)
class RangeOfPlaces:
    """Events in order of position, all above one."""

    folder: Path
    after: int
    places: Sequence[Place]
    known: bool
    """Verified before: only what the lines say of the envelopes is taken."""


@dataclass(slots=True)
class KnownRange:
    """Events that were verified before, by the columns of their lines."""

    streams: dict[bytes, Stood] = field(default_factory=dict[bytes, Stood])
    leaves: list[bytes] = field(default_factory=list[bytes])
    origin: str = ""
    """Of the last event."""
    fault: Fault | None = None


def places_of(asked: SomeFiles) -> list[Place]:
    """Where the events of these files lie. ArchiveFileChanged for a file that is not what the manifest says."""
    return [place for entry in asked.entries for place in _places(asked.folder, entry)]


def walk_places(asked: RangeOfPlaces) -> RangeFound | KnownRange:
    """What the range holds. ArchiveFileChanged for a line that is no event."""
    rows = rows_at(asked.folder, asked.places)
    if asked.known:
        return _known(asked.after, rows)
    walk = RangeWalk(asked.after)
    walk.take_all(rows)
    return walk.found()


def rows_at(folder: Path, places: Sequence[Place]) -> Iterator[Row]:
    """The events at these places, in their order."""
    for _, file, start, end in places:
        with (folder / file).open("rb") as opened:
            opened.seek(start)
            yield _row(file, opened.read(end - start))


def _places(folder: Path, entry: FileEntry) -> Iterator[Place]:
    start = 0
    for line in whole_file(folder / entry.file, entry).splitlines(keepends=True):
        end, found = start + len(line), _POSITION.match(line)
        yield Place(int(found[1]) if found else _row(entry.file, line).position, entry.file, start, end)
        start = end


def _row(file: str, line: bytes) -> Row:
    try:
        return read_line(line)
    except BadArchiveLine as error:
        raise ArchiveFileChanged(file, "a line that is no event") from error


def _known(after: int, rows: Iterator[Row]) -> KnownRange:
    known, last = KnownRange(), b""
    for position, row in enumerate(rows, after + 1):
        if row.position != position or row.copies is None:
            known.fault = Fault(RowFault.POSITION, position, b"", 0)
            break
        stream_id, version, _, recorded_at, leaf = row.copies
        known.streams[stream_id] = Stood(version, leaf, recorded_at, position, position)
        known.leaves.append(leaf)
        last = row.envelope
    with suppress(EnvelopeFault):  # it is not hashed here: what follows then says of which log it is
        known.origin = glance(last).origin if last else ""
    return known
