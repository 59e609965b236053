"""The way back: everything is checked and everybody asked before a byte is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.backup.asking import Asked, ask_log, together
from ledger.backup.copied_log import copy_end, copy_log, copy_remains
from ledger.backup.faults import BadBackup, Behind, RestoreRefused
from ledger.backup.held_backup import HeldBackup, held_backup
from ledger.backup.key_part import erased_up_to, key_ids
from ledger.backup.later_destructions import LaterDestruction, Unseen, later_destructions
from ledger.backup.manifest import EVENTS, KEYS, Ledger
from ledger.backup.new_backup import LOG
from ledger.backup.published import WAYS_ON, Seen, missing, other_history, sizes_of
from ledger.backup.walked_ledger import Walking, walked_ledger
from ledger.blobs.contract import Blobs
from ledger.blobs.directory import DirectoryBlobs
from ledger.log.log_files import REPAIR, LogDamaged, LogFiles
from ledger.log.own_heads import Verifiers
from ledger.log.seen_files import note_seen
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.range_walk import Progress, no_progress

Ask = Callable[[Ledger, Blobs], Asked]
"""What one source knows of a ledger; it gets the log in the backup too."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that may be put back."""

    events: HeldBackup
    keys: HeldBackup | None
    seen: tuple[Seen, ...]
    """What is published beside it, as far as anybody could be asked."""
    unasked: tuple[str, ...]
    missing: Mapping[str, Sequence[str]]
    """By hospital what was published beyond the backup; empty unless it is put back for a repair."""
    keyless: int
    """Records whose bodies are sealed and which have no row among the keys: the keys are older than the events."""

    @property
    def log(self) -> Blobs:
        """The logs in the backup."""
        return DirectoryBlobs(self.events.folder / LOG)

    @property
    def log_keys(self) -> tuple[str, ...]:
        """The verifier keys under which the logs in the backup count, as far as it was known when it was taken."""
        return tuple(key for each in self.events.manifest.ledgers if each.log for key in each.log.key.split())


def checked_backup(
    events: Path,
    keys: Path | None,
    asks: Sequence[Ask],
    log_keys: Verifiers,
    *,
    for_repair: bool,
    walking: Walking | None = None,
    hashing: Progress = no_progress,
) -> Checked:
    """Hashes every file, asks, and walks every ledger up to what was seen.

    Raises BadBackup, RestoreRefused where a source knows another history, Behind where one knows more (but not
    `for_repair`), and what the sources raise. `hashing` is told the bytes of the events' files.
    """
    held = held_backup(events, EVENTS, hashing)
    held_keys = held_backup(keys, KEYS) if keys else None
    if held_keys:
        _require_keys_of(held, held_keys)
    own = DirectoryBlobs(events / LOG)
    ledgers = held.manifest.ledgers
    outside = together([ask(each, own) for each in ledgers for ask in asks])
    inside = together([ask_log(own, "this backup", each, log_keys) for each in ledgers])
    seen = (*inside.seen, *outside.seen)
    found = {each.hospital: lines for each in ledgers if (lines := missing(seen, each))}
    if found and not for_repair:
        raise Behind([*(line for lines in found.values() for line in lines), WAYS_ON])
    walked = [walked_ledger(held, each, sizes_of(seen, each.hospital), walking) for each in ledgers]
    if differing := [line for each in walked for line in other_history(seen, each)]:
        raise RestoreRefused(differing)
    sealed = {record for each in walked for record in each.sealed}
    keyless = len(sealed - key_ids(held_keys)) if held_keys else 0
    return Checked(held, held_keys, outside.seen, outside.unasked, found, keyless)


@dataclass(frozen=True, slots=True)
class Placed:
    """What the logs say, now that they are in place, of the keys that are put back beside them."""

    destroyed: tuple[LaterDestruction, ...]
    unseen: tuple[Unseen, ...]
    """Where nothing says whether a record was destroyed: no body of these ledgers is opened for now."""


def place_logs(checked: Checked, living: Blobs | None, target: Blobs) -> Placed:
    """Fills the store from the log that lives on, else from the backup; a log that is there already stays as it is.
    Which records it shows to be destroyed beyond the backup, whose keys must not come back with older KEYS.

    What was published beyond the backup halts its hospital, before a ledger is there that could grow; of a log that
    is halted so what is left is enough. What was seen there is kept. LogDamaged, BlobError.
    """
    destroyed, unseen = list[LaterDestruction](), list[Unseen]()
    erased = erased_up_to(checked.keys) if checked.keys else {}
    for each in checked.events.manifest.ledgers:
        lines = checked.missing.get(each.hospital)
        lacking = _place_log(checked, living, target, each.log_folder, for_repair=bool(lines))
        for ended in each.ended_folders:
            _place_end(checked, living, target, ended)
        if lines:
            _keep_seen(checked, LogFiles(target, each.log_folder), each)
            looked = later_destructions(LogFiles(target, each.log_folder), each, erased.get(each.origin, 0))
            destroyed += looked.destroyed
            unseen += [looked.unseen] if looked.unseen else []
            said = [*lines, *(["not in the log: " + lacking[0]] if lacking else [])]
            LogFiles(target, each.log_folder).halt(REPAIR, f"{'; '.join(said)}; `ledger repair` (docs/operations.md)")
    return Placed(tuple(destroyed), tuple(unseen))


def _keep_seen(checked: Checked, files: LogFiles, ledger: Ledger) -> None:
    """What was seen beyond the backup outlives this program: no other root is signed at those sizes, and no command is
    taken before the ledger reaches the last of them. BlobDiffers where one of another root was signed or seen there.
    """
    beyond = [seen for seen in checked.seen if seen.hospital == ledger.hospital and seen.size > ledger.head_position]
    for seen in beyond:
        files.note_known(seen.size)
        if seen.root:
            note_seen(files, Checkpoint(ledger.origin, seen.size, seen.root))


def _place_log(checked: Checked, living: Blobs | None, target: Blobs, folder: str, *, for_repair: bool) -> list[str]:
    # `signed` is copied last: without it a copy was broken off, which is gone on with.
    if LogFiles(target, folder).signed() is not None:
        return []
    source = living if living is not None and _has_log(living, folder) else checked.log
    try:
        copy_log(source, target, folder)
    except LogDamaged:
        if not for_repair:
            raise
        return copy_remains(source, target, folder)
    return []


def _place_end(checked: Checked, living: Blobs | None, target: Blobs, folder: str) -> None:
    """By the end of the logs before it the present one is found."""
    files = LogFiles(target, folder)
    whole = files.ended() is not None and files.signed() is not None
    if not whole and not (living and copy_end(living, target, folder)):
        copy_end(checked.log, target, folder)


def _has_log(blobs: Blobs, folder: str) -> bool:
    files = LogFiles(blobs, folder)
    return files.signed() is not None or files.published() is not None


def _require_keys_of(events: HeldBackup, keys: HeldBackup) -> None:
    """The keys must be of the same ledgers, under whichever origin: others would be put beside them, none for these."""
    wanted, given = _ledgers_of(events), _ledgers_of(keys)
    if wanted != given:
        only = sorted({hospital for hospital, _ in wanted ^ given})
        raise BadBackup([f"{keys.folder}: not the keys of these ledgers: {', '.join(only)}"])


def _ledgers_of(held: HeldBackup) -> set[tuple[str, str]]:
    return {(each.hospital, each.origin.rpartition("/")[0]) for each in held.manifest.ledgers}
