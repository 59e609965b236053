"""What a log that lives on says of destructions beyond a backup: records by name, or that nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest

from ledger.backup import later_destructions as looked_through
from ledger.backup.later_destructions import LaterDestruction, Unseen, later_destructions
from ledger.backup.manifest import Ledger
from ledger.keys.erasing import RECORD_DESTROYED
from ledger.keys.upheld import DESTRUCTIONS_UPHELD
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import Envelope, encode

ORIGIN = "ledger.example/north/2"
LEDGER = Ledger("north", ORIGIN, 1, 3, "", None)
TYPES = (DESTRUCTIONS_UPHELD, "ledger.v1.LogSucceeded", "a", RECORD_DESTROYED, DESTRUCTIONS_UPHELD, "b")
"""Of the positions from 1 on; the backup has three."""


@dataclass
class Note:
    """A signed head."""

    text: str


class Files:
    """A log of six positions that nobody knows more of."""

    def signed(self) -> Note:
        """Its head."""
        return Note(Checkpoint(ORIGIN, len(TYPES), bytes(32)).text())

    def published(self) -> None:
        """Nothing yet."""

    def known(self) -> int:
        """Nothing beyond."""
        return 0


def entry(position: int, type_: str) -> bytes:
    """An envelope of a stream of its own."""
    empty, some = b"", bytes(32)
    return encode(Envelope(1, ORIGIN, bytes([position] * 16), 1, type_, 1, empty, some[:16], some, some, empty))


@pytest.mark.parametrize(
    ("erased_up_to", "unseen"), [(0, Unseen("north", ORIGIN, 5, 5)), (4, Unseen("north", ORIGIN, 5, 5)), (5, None)]
)
def test_a_list_of_upheld_destructions_beyond_the_backup_is_read_by_no_restore(
    monkeypatch: pytest.MonkeyPatch, erased_up_to: int, unseen: Unseen | None
) -> None:
    """It is sealed: which records are on it nobody can tell, unless the keys have been read up to it. A RecordDestroyed
    names its record. What the backup itself holds is applied by whoever serves it."""
    entries = [entry(position, type_) for position, type_ in enumerate(TYPES, 1)]

    def proven(*_: object) -> list[bytes]:
        return entries

    monkeypatch.setattr(looked_through, "proven_entries", proven)
    looked = later_destructions(cast("Any", Files()), LEDGER, erased_up_to)
    first = LaterDestruction("ledger.example/north/1", UUID(bytes=bytes([4] * 16)), 4)
    assert (looked.destroyed, looked.unseen) == ((first,), unseen)
