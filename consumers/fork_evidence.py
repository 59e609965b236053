"""What a receiver keeps of a fork: both notes, and how far both trees are the same; until a person has decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from consumers.durable_file import sync_folder, write_durably
from consumers.kept_heads import KeptHeads, Prove
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import CheckpointFault
from ledger.trust.log_ended import parse_log_ended
from ledger.trust.note import Note, parse_note

LAST, OTHER, COMMON, HEADS = "checkpoint", "fork", "common", "heads"
_DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Fork:
    """Two trees under one origin."""

    origin: str
    folder: Path
    common_size: int
    """Up to which position both are known to be the same; what came beyond came since the fork."""
    digest: str
    """Names this fork: the SHA-256 of the note that showed the other tree, hexadecimal."""


def fork_in(folder: Path) -> Fork | None:
    """The fork that the folder of a log holds; None where there is none that is undecided."""
    other = folder / OTHER
    if not other.exists():
        return None
    data = other.read_bytes()
    common = folder / COMMON
    held = common.read_bytes() if common.exists() else b""
    size = parse_checkpoint(parse_note(held).text).size if held else 0
    return Fork(_claimed(parse_note(data)).origin, folder, size, sha256(data).hexdigest())


def forks_below(folder: Path) -> Iterator[Fork]:
    """Those of every log that a receiver keeps heads of."""
    for each in sorted(folder.glob(f"*/{OTHER}")):
        if found := fork_in(each.parent):
            yield found


def note_common(folder: Path, prove: Prove) -> None:
    """Finds out, once, how far both trees are the same, and keeps the head that says so. Raises what `prove` raises.

    Proofs come from whoever shows the other tree, and count against its own root: who gives none has nothing in common
    with what was seen.
    """
    if (folder / COMMON).exists():
        return
    other = _claimed(parse_note((folder / OTHER).read_bytes()))
    found = KeptHeads(folder / HEADS).last_common(other, prove)
    write_durably(folder / COMMON, found.encode() if found else b"")


def decide(fork: Fork, person: str, reason: str, at: datetime, *, other_is_right: bool) -> Path:
    """Puts the evidence aside with who decided and why, and goes on; the folder in which it lies from then on.

    Goes on from what was seen, or, where the other tree is the right one, from the last head that both have.
    """
    aside = _new_folder(fork.folder / _DECIDED)
    for name in (LAST, OTHER, COMMON):
        if (fork.folder / name).exists():
            write_durably(aside / name, (fork.folder / name).read_bytes())
    said = {"person": person, "reason": reason, "at": at.isoformat(), "other_is_right": other_is_right}
    write_durably(aside / "decision.json", json.dumps(said, indent=1).encode() + b"\n")
    if other_is_right:
        _go_back(fork)
    (fork.folder / COMMON).unlink(missing_ok=True)
    (fork.folder / OTHER).unlink()  # last: until then the fork stands
    sync_folder(fork.folder)
    return aside


def _go_back(fork: Fork) -> None:
    KeptHeads(fork.folder / HEADS).forget_above(fork.common_size)
    held = (fork.folder / COMMON).read_bytes() if fork.common_size else b""
    if held:
        write_durably(fork.folder / LAST, held)
    else:
        (fork.folder / LAST).unlink(missing_ok=True)


def _new_folder(decided: Path) -> Path:
    number = len(list(decided.glob("*"))) + 1
    folder = decided / f"{number:03}"
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    sync_folder(decided)
    return folder


def _claimed(note: Note) -> Checkpoint:
    """The tree that a note speaks of: a head's, or what survives as the end of a log says."""
    try:
        return parse_checkpoint(note.text)
    except CheckpointFault:
        ended = parse_log_ended(note.text)
        return Checkpoint(ended.last.origin, ended.surviving, ended.surviving_root)
