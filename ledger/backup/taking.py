"""Takes a backup: first the logs, then one snapshot of the rows, so that no log is ahead of its own ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from ledger.backup.copied_log import copy_end, copy_log
from ledger.backup.faults import BackupRefused
from ledger.backup.key_part import KeyFiles, write_key_files
from ledger.backup.manifest import EVENTS, KEYS, Ledger, LogHead, Manifest, Table
from ledger.backup.new_backup import NewBackup
from ledger.backup.stored_rows import Registered, StoredRows, snapshot
from ledger.blobs.contract import Blobs
from ledger.keys.known_keys import KnownKeys
from ledger.log.log_files import ENDED, SIGNED, LogDamaged, LogFiles, log_folder
from ledger.log.own_heads import newest_head
from ledger.log.standing import difference
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.fault import EnvelopeFault
from ledger.trust.lineage import with_ended


@dataclass(frozen=True, slots=True)
class Source:
    """Where the ledgers are that are backed up."""

    url: str
    """libpq URL of the role that migrates: it may read every table."""
    blobs: Blobs
    keys: KnownKeys
    """Of the logs."""
    stream: str
    hospitals: tuple[str, ...]
    """Empty: every one."""
    taken_at: datetime


def take_backup(
    source: Source, events: NewBackup | None, keys: NewBackup | None, key_files: KeyFiles
) -> list[Manifest]:
    """Keys into one folder, events into another, both of one snapshot; the manifest of each that was written.

    Raises BackupRefused, StoreUnavailable, LogDamaged, BlobError, KeyProblem, OSError.
    """
    with snapshot(source.url) as rows:
        chosen = _chosen(rows.registered(), source.hospitals)
    heads = {each.hospital: _copied(source, events, each) for each in chosen} if events else {}
    made: list[Manifest] = []
    with snapshot(source.url) as rows:
        of = [each for each in rows.registered() if each in chosen]
        if len(of) != len(chosen):
            raise BackupRefused(["the registry changed meanwhile; begin again"])
        if keys:
            # Now, not after hours of copying: a generation that wraps a key of this snapshot is still in the file.
            write_key_files(keys, key_files, {each.origin: _is_signed(source, each) for each in of})
            # A rewrite of the keys' tables, for which every server would wait behind it, must not wait for the events.
            with rows.for_a_moment() as moment:
                tables = moment.write_keys(keys, of)
            made.append(keys.finish(_manifest(source, KEYS, rows, of, tables, {})))
        if events:
            made.append(_events(source, events, rows, of, heads))
    return made


def _events(
    source: Source, events: NewBackup, rows: StoredRows, of: Sequence[Registered], heads: dict[str, LogHead | None]
) -> Manifest:
    tables = [table for each in of for table in rows.write_ledger(events, each.hospital)]
    tables += rows.write_control(events, of)
    return events.finish(_manifest(source, EVENTS, rows, of, tables, heads))


def _chosen(registered: Sequence[Registered], hospitals: Sequence[str]) -> list[Registered]:
    unknown = sorted(set(hospitals) - {each.hospital for each in registered})
    if unknown:
        raise BackupRefused([f"{each}: no hospital of this id" for each in unknown])
    chosen = [each for each in registered if not hospitals or each.hospital in hospitals]
    if not chosen:
        raise BackupRefused(["there is no hospital"])
    return chosen


def _copied(source: Source, events: NewBackup, of: Registered) -> LogHead | None:
    """Copies a hospital's log; LogDamaged for one that none of its keys, where they are at hand, has signed."""
    keys = source.keys(of.origin)
    folder = log_folder(of.hospital, of.origin)
    files = LogFiles(source.blobs, folder)
    if keys:
        newest_head(files, of.origin, keys)
    for ended in with_ended(of.origin)[1:]:
        copy_end(source.blobs, events.log_store(), log_folder(of.hospital, ended))
    head = copy_log(source.blobs, events.log_store(), folder)
    if head is None:
        return None
    if head.origin != of.origin:
        raise LogDamaged(SIGNED, "of another origin")
    return LogHead(head.size, head.root.hex(), " ".join(map(str, keys)))


def _is_signed(source: Source, of: Registered) -> bool:
    return LogFiles(source.blobs, log_folder(of.hospital, of.origin)).signed() is not None


def _manifest(
    source: Source,
    kind: str,
    rows: StoredRows,
    of: Sequence[Registered],
    tables: Sequence[Table],
    heads: dict[str, LogHead | None],
) -> Manifest:
    return Manifest(
        kind=kind,
        release=version("medical-record-ledger"),
        taken_at=source.taken_at.isoformat(),
        stream=source.stream,
        control_version=rows.control_version(),
        ledgers=tuple(_ledger(source, rows, each, heads.get(each.hospital)) for each in of),
        tables=tuple(tables),
        files={},
    )


def _ledger(source: Source, rows: StoredRows, of: Registered, log: LogHead | None) -> Ledger:
    position, leaf = rows.head(of.hospital)
    _refuse_under_way(source, rows, of)
    if log is not None:
        signed = Checkpoint(of.origin, log.size, bytes.fromhex(log.root))
        stored = rows.leaf_at(of.hospital, log.size)
        if what := difference(LogFiles(source.blobs, log_folder(of.hospital, of.origin)), signed, position, stored):
            raise BackupRefused([f"{of.hospital}: {what}; a ledger that is not the one that was signed is no backup"])
    return Ledger(of.hospital, of.origin, of.schema_version, position, leaf.hex(), log)


def _refuse_under_way(source: Source, rows: StoredRows, of: Registered) -> None:
    """Between a log's end and the first event of the next one a ledger is of neither, and could not be restored."""
    try:
        begun = rows.last_origin(of.hospital) in (None, of.origin)
    except EnvelopeFault:
        raise BackupRefused([f"{of.hospital}: its last event is no envelope; `ledger verify` says more"]) from None
    if not begun or LogFiles(source.blobs, log_folder(of.hospital, of.origin)).read(ENDED) is not None:
        raise BackupRefused([f"{of.hospital}: a succession is under way; `ledger repair succeed` ends it"])
