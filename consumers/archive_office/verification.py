"""Checks an archive from its files alone: no service, no database, no network."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from consumers.archive_office.archive_line import BadArchiveLine, read_line
from consumers.archive_office.manifest import MANIFEST_NAME, BadManifest, Manifest, read_manifest
from consumers.archive_office.record_file import FOLDER, ArchiveFileChanged, whole_file
from ledger.trust.range_walk import Progress, no_progress
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Fault, LedgerWalk, Row, Summary

_EVENTS_BETWEEN_REPORTS = 500
_PAGE_ROWS = 256


def verify_archive(folder: Path, watch: RootWatch | None = None, progress: Progress = no_progress) -> Fault | Summary:
    """The first fault of the events in the files, or what was checked. `watch` compares signed tree heads.

    ArchiveFileChanged where a file is not what the manifest says, BadManifest where the manifest itself is at fault.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise BadManifest(folder / MANIFEST_NAME, "missing")
    rows = _reported(rows_in_order(folder, manifest), manifest.events, progress)
    found = _walked(rows, watch or RootWatch())
    if isinstance(found, Summary):
        _compare(folder, manifest, found)
    return found


def _reported(rows: Iterator[Row], of: int, progress: Progress) -> Iterator[Row]:
    for row in rows:
        yield row
        if row.position % _EVENTS_BETWEEN_REPORTS == 0:
            progress(row.position, of)


def _walked(rows: Iterator[Row], watch: RootWatch) -> Fault | Summary:
    walk = LedgerWalk()
    while page := list(islice(rows, _PAGE_ROWS)):
        leaves, fault = walk.take_all(page)
        if fault := watch.take(leaves) or fault:
            return fault
    return watch.end() or walk.summary()


def rows_in_order(folder: Path, manifest: Manifest) -> Iterator[Row]:
    """Every event by position. Two passes, so that memory holds places and not bodies."""
    places = sorted(_places(folder, manifest))
    for _, file, start, end in places:
        with (folder / file).open("rb") as opened:
            opened.seek(start)
            yield _row(file, opened.read(end - start))


def rows_of_archive(folder: Path) -> Iterator[Row]:
    """Every event of the files by position; as `verify_archive` raises."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise BadManifest(folder / MANIFEST_NAME, "missing")
    return rows_in_order(folder, manifest)


def _places(folder: Path, manifest: Manifest) -> Iterator[tuple[int, str, int, int]]:
    for entry in manifest.records.values():
        if Path(entry.file).parent != Path(FOLDER):
            raise BadManifest(folder / MANIFEST_NAME, "a file outside the archive")
        start = 0
        for line in whole_file(folder / entry.file, entry).splitlines(keepends=True):
            end = start + len(line)
            yield _row(entry.file, line).position, entry.file, start, end
            start = end


def _row(file: str, line: bytes) -> Row:
    try:
        return read_line(line)
    except BadArchiveLine as error:
        raise ArchiveFileChanged(file, "a line that is no event") from error


def _compare(folder: Path, manifest: Manifest, found: Summary) -> None:
    """The manifest's own words against what the files hold."""
    said = (manifest.head_position, manifest.events, len(manifest.records), manifest.origin, manifest.digest)
    held = (found.last_position, found.events, found.streams, found.origin, found.digest.hex())
    if said != held:
        raise BadManifest(folder / MANIFEST_NAME, "it does not say what the files hold")
