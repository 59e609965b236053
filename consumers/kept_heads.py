"""Heads of one log that a receiver has accepted: by them it is found how far two trees of that log are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from consumers.durable_file import sync_folder, write_durably
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import ProofFault, TileFault
from ledger.trust.merkle_check import check_consistency
from ledger.trust.note import Note, parse_note

Prove = Callable[[int, int], Sequence[bytes]]
"""The log's consistency proof from an old size to a size."""
HEADS_MAX = 64
_NEWEST = HEADS_MAX // 2


class KeptHeads:
    """A folder with a note per size: the newest ones, and of older ones ever fewer."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before something is added."""
        self._folder = folder

    def add(self, note: Note, size: int) -> None:
        """Keeps a head that was accepted."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(self._folder / str(size), note.encode())
        sizes = self._sizes()
        if len(sizes) > HEADS_MAX:
            for each in sizes[: len(sizes) - _NEWEST][1::2]:  # the oldest of all stays
                (self._folder / str(each)).unlink()
            sync_folder(self._folder)

    def at(self, size: int) -> Checkpoint | None:
        """The head of a size; None where none is kept."""
        path = self._folder / str(size)
        return _read(path)[1] if path.exists() else None

    def last_common(self, other: Checkpoint, prove: Prove) -> Note | None:
        """The largest head that another tree of the log begins with too, by its proofs; None where none does.

        A tree that begins with one head begins with every smaller one, so few are asked for. Raises what `prove`
        raises, but not for a proof that does not hold.
        """
        sizes = [each for each in self._sizes() if each <= other.size]
        known, found = 0, None
        while known < len(sizes):
            middle = (known + len(sizes)) // 2
            note, head = _read(self._folder / str(sizes[middle]))
            if _begins_with(head, other, prove):
                known, found = middle + 1, note
            else:
                del sizes[middle:]
        return found

    def forget_above(self, size: int) -> None:
        """Removes what a person has found to be of the wrong tree."""
        for each in self._sizes():
            if each > size:
                (self._folder / str(each)).unlink()

    def _sizes(self) -> list[int]:
        return sorted(int(each.name) for each in self._folder.glob("*") if each.name.isdecimal())


def _read(path: Path) -> tuple[Note, Checkpoint]:
    note = parse_note(path.read_bytes())
    return note, parse_checkpoint(note.text)


def _begins_with(head: Checkpoint, other: Checkpoint, prove: Prove) -> bool:
    try:
        check_consistency(head.size, other.size, tuple(prove(head.size, other.size)), head.root, other.root)
    except (ProofFault, TileFault):
        return False
    return True
