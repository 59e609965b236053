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
ENDED, UNPROVEN = "ended", "unproven"
_DECIDED, _DECISION = "decided", "decision.json"


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


def is_forked(folder: Path) -> bool:
    """Whether one of a receiver's logs has shown two trees, and no person has decided yet."""
    return any(folder.glob(f"*/{OTHER}"))


def is_unproven(folder: Path) -> bool:
    """Whether the last head that a log has shown a receiver was not proven to have grown from the one seen before."""
    return any(folder.glob(f"*/{UNPROVEN}"))


def note_common(folder: Path, shown: Note, prove: Prove) -> None:
    """Finds out how far both trees are the same, and keeps the head that says so. Raises what `prove` raises.

    Proofs count while the log shows the other tree, whose own they are then: those of the one that was seen lead to no
    root of it, and would say for ever that nothing is common. Nothing found stays open, and is asked again.
    """
    other, now = _claimed(parse_note((folder / OTHER).read_bytes())), _claimed(shown)
    if (folder / COMMON).exists() or (now.size, now.root) != (other.size, other.root):
        return
    if found := KeptHeads(folder / HEADS).last_common(other, prove):
        write_durably(folder / COMMON, found.encode())


class BegunOtherwise(Exception):
    """A decision for the other tree was begun before and is not finished; finish that one."""


def decide(fork: Fork, person: str, reason: str, at: datetime, *, other_is_right: bool) -> Path:
    """Puts the evidence aside with who decided and why, and goes on; the folder in which it lies from then on.

    Goes on from what was seen, or, where the other tree is the right one, from the note that showed it: nothing is
    taken after that but what has grown from it. Killed at any point, it is finished when it is asked for again;
    BegunOtherwise where it was begun for the other tree.
    """
    aside = _begun(fork) or _put_aside(fork, person, reason, at, other_is_right=other_is_right)
    if json.loads((aside / _DECISION).read_bytes())["other_is_right"] != other_is_right:
        raise BegunOtherwise(f"{fork.origin}: {BegunOtherwise.__doc__} See {aside}")
    if other_is_right:
        _go_on_from_other(fork, aside)
    for name in (COMMON, UNPROVEN):
        (fork.folder / name).unlink(missing_ok=True)
    (fork.folder / OTHER).rename(aside / OTHER)  # last: until then the fork stands, and the decision is begun only
    sync_folder(aside)
    sync_folder(fork.folder)
    return aside


def _begun(fork: Fork) -> Path | None:
    """Where a decision of this fork was put aside and not finished."""
    written = sorted(each.parent for each in (fork.folder / _DECIDED).glob(f"*/{_DECISION}"))
    return next((each for each in written if not (each / OTHER).exists()), None)


def _put_aside(fork: Fork, person: str, reason: str, at: datetime, *, other_is_right: bool) -> Path:
    aside = _new_folder(fork.folder / _DECIDED)
    for name in (LAST, COMMON, ENDED):
        if (fork.folder / name).exists():
            write_durably(aside / name, (fork.folder / name).read_bytes())
    said = {"person": person, "reason": reason, "at": at.isoformat(), "other_is_right": other_is_right}
    write_durably(aside / _DECISION, json.dumps(said, indent=1).encode() + b"\n")
    return aside


def _go_on_from_other(fork: Fork, aside: Path) -> None:
    """From what was put aside alone, so that it may be done twice."""
    other, heads = parse_note((fork.folder / OTHER).read_bytes()), KeptHeads(fork.folder / HEADS)
    common = parse_note((aside / COMMON).read_bytes()) if (aside / COMMON).exists() else None
    heads.forget_above(parse_checkpoint(common.text).size if common else 0)
    if _is_end(other):  # binds by itself whatever is taken from now on; it is no head
        write_durably(fork.folder / ENDED, other.encode())
        _put(fork.folder / LAST, common)
        return
    (fork.folder / ENDED).unlink(missing_ok=True)  # of the tree that is wrong, or told again
    heads.add(other, parse_checkpoint(other.text).size)
    _put(fork.folder / LAST, other)


def _put(path: Path, note: Note | None) -> None:
    if note is None:
        path.unlink(missing_ok=True)
    else:
        write_durably(path, note.encode())


def _new_folder(decided: Path) -> Path:
    """After the last one; one whose decision was never written is used again."""
    written = len(list(decided.glob(f"*/{_DECISION}")))
    folder = decided / f"{written + 1:03}"
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    sync_folder(decided)
    return folder


def _is_end(note: Note) -> bool:
    try:
        parse_checkpoint(note.text)
    except CheckpointFault:
        return True
    return False


def _claimed(note: Note) -> Checkpoint:
    """The tree that a note speaks of: a head's, or what survives as the end of a log says."""
    if not _is_end(note):
        return parse_checkpoint(note.text)
    ended = parse_log_ended(note.text)
    return Checkpoint(ended.last.origin, ended.surviving, ended.surviving_root)
