"""Checks an archive from its files alone: no service, no database, no network."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from consumers.archive_office.archived_range import (
    KnownRange,
    Place,
    RangeOfPlaces,
    SomeFiles,
    places_of,
    rows_at,
    walk_places,
)
from consumers.archive_office.manifest import MANIFEST_NAME, BadManifest, Manifest, read_manifest
from consumers.archive_office.record_file import FOLDER
from ledger.trust.range_walk import Progress, RangeFound, RangeJoin, Stood, no_progress
from ledger.trust.root_watch import RootWatch
from ledger.trust.side_by_side import RANGE_EVENTS, side_by_side
from ledger.trust.verify import Fault, Row, Summary

_FILES = 500
"""Files that one process takes at once."""
Part = TypeVar("Part")
Found = TypeVar("Found")


def verify_archive(
    folder: Path,
    watch: RootWatch | None = None,
    progress: Progress = no_progress,
    *,
    since: int = 0,
    processes: int = 1,
    range_events: int = RANGE_EVENTS,
) -> Fault | Summary:
    """The first fault of the events in the files, or what was checked. `watch` compares signed tree heads.

    Events up to `since` were verified in these very files: their files are hashed, and the leaf hashes that their lines
    name must lead to the root that `watch` knows; envelopes, bodies and chains there are not looked at.
    ArchiveFileChanged where a file is not what the manifest says, BadManifest where the manifest itself is at fault.
    """
    manifest = _manifest(folder)
    join = RangeJoin(watch or RootWatch(), digesting=True)
    places = sorted(_places(folder, manifest, processes))
    ranges = [*_ranges(folder, places[:since], 0, range_events, known=True)]
    ranges += _ranges(folder, places[since:], len(places[:since]), range_events, known=False)
    joining = _Joining(join)
    with closing(_each(walk_places, ranges, processes)) as walked:
        for each in walked:
            if fault := joining.take(each):
                return fault
            progress(join.position, manifest.events)
    if fault := join.watch.end():
        return fault
    found = join.summary()
    _compare(folder, manifest, found, join.position)
    return found


class _Joining:
    """Takes ranges in order: first those that were verified before, whose streams the others go on from."""

    def __init__(self, join: RangeJoin) -> None:
        self._join = join
        self._streams: dict[bytes, Stood] = {}

    def take(self, found: RangeFound | KnownRange) -> Fault | None:
        if isinstance(found, RangeFound):
            return self._join.take(found)
        self._streams |= found.streams
        return self._join.known(self._streams, found.leaves, found.origin) or found.fault


def _ranges(folder: Path, places: list[Place], after: int, events: int, *, known: bool) -> Iterator[RangeOfPlaces]:
    for begin in range(0, len(places), events):
        yield RangeOfPlaces(folder, after + begin, places[begin : begin + events], known)


def rows_in_order(folder: Path, manifest: Manifest) -> Iterator[Row]:
    """Every event by position. Two passes, so that memory holds places and not bodies."""
    return rows_at(folder, sorted(_places(folder, manifest, 1)))


def rows_of_archive(folder: Path) -> Iterator[Row]:
    """Every event of the files by position; as `verify_archive` raises."""
    return rows_in_order(folder, _manifest(folder))


def _manifest(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    if manifest is None:
        raise BadManifest(folder / MANIFEST_NAME, "missing")
    return manifest


def _places(folder: Path, manifest: Manifest, processes: int) -> Iterator[Place]:
    entries = [*manifest.records.values()]
    if any(Path(entry.file).parent != Path(FOLDER) for entry in entries):
        raise BadManifest(folder / MANIFEST_NAME, "a file outside the archive")
    parts = [SomeFiles(folder, entries[at : at + _FILES]) for at in range(0, len(entries), _FILES)]
    with closing(_each(places_of, parts, processes)) as found:
        for each in found:
            yield from each


def _each(walk: Callable[[Part], Found], parts: list[Part], processes: int) -> Generator[Found, None, None]:
    """What the parts hold, in order; side by side where there is more than one part and process."""
    processes = min(processes, len(parts))
    if processes <= 1:
        yield from map(walk, parts)
        return
    with closing(side_by_side(walk, parts, processes)) as futures:
        yield from map(Future[Found].result, futures)


def _compare(folder: Path, manifest: Manifest, found: Summary, events: int) -> None:
    """The manifest's own words against what the files hold."""
    said = (manifest.head_position, manifest.events, len(manifest.records), manifest.origin, manifest.digest)
    held = (found.last_position, events, found.streams, found.origin, found.digest.hex())
    if said != held:
        raise BadManifest(folder / MANIFEST_NAME, "it does not say what the files hold")
