"""What the purge register believes of a row that it writes anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ledger.keys.purge_entry import Entry, Holder, Key, Noted, Standing, Tombstone

REGISTER_KEY = bytes(32)
THEN = datetime(2026, 11, 27, 12, tzinfo=UTC)
NOW = THEN + timedelta(days=1)
POSITION = 5
SAID = Holder("archive", "office", "office", THEN, UUID(int=5))
OPEN = Holder("archive", "office", "office")
COPY = Holder("copy", "1", "", THEN, UUID(int=6))
STATEMENT = (POSITION, b"", b"")
DESTROYED = Key(b"key", 1, alive=False, destroyed_by=POSITION, destroyed_at=THEN)
LIVING = Key(b"key", 1, alive=True, destroyed_by=None, destroyed_at=None)


def _standing(key: Key, holders: tuple[Holder, ...], *, row: bool = True, generation: int = 1) -> Standing:
    """With a row that the register key proves, of a key that `generation` wrapped."""
    stream = ("ledger.example/north/1", UUID(int=1))
    if not row:
        return Standing(*stream, key, None, holders)
    tombstone = Tombstone(key.key_id, generation, POSITION, THEN)
    entry = Entry(*stream, POSITION, THEN, generation, True, b"said", b"salt", holders, tombstone)
    noted = Noted(POSITION, THEN, generation, True, b"said", b"salt", entry.proof(REGISTER_KEY))
    return Standing(*stream, key, noted, holders)


def _unproven(standing: Standing, proof: bytes = b"") -> Standing:
    assert standing.noted is not None
    return replace(standing, noted=replace(standing.noted, proof=proof))


def _erased(standing: Standing) -> Entry:
    proven = standing.was_proven(REGISTER_KEY)
    return standing.erased(LIVING, STATEMENT, NOW, [OPEN], known=True, proven=proven)


@pytest.mark.parametrize("row", [True, False])
def test_a_row_that_is_taken_up_has_every_holder_open(row: bool) -> None:
    """None is left out, and none has acknowledged: whoever emptied the proof may have written that."""
    found = _standing(DESTROYED, (SAID, COPY), row=row)
    entry = (_unproven(found) if row else found).taken_up(2, POSITION, NOW, [OPEN])
    assert entry is not None
    assert entry.holders == (OPEN, Holder("copy", "1", ""))
    assert not entry.holders_known


def test_a_row_that_says_it_proves_something_is_not_taken_up() -> None:
    """It is right, or it is found by `verify keys`."""
    for found in (_standing(DESTROYED, (SAID,)), _unproven(_standing(DESTROYED, (SAID,)), b"forged")):
        assert found.taken_up(2, POSITION, NOW, [OPEN]) is None


@pytest.mark.parametrize("generation", [1, 2])
def test_beside_a_key_that_came_back_a_proven_acknowledgement_stays(generation: int) -> None:
    """Also where the backup's key was wrapped by an earlier generation than the key that was destroyed."""
    entry = _erased(_standing(LIVING, (SAID,), generation=generation))
    assert (entry.holders, entry.holders_known) == ((SAID,), False)


@pytest.mark.parametrize(
    "changed",
    [
        _unproven(_standing(LIVING, (SAID,))),
        _unproven(_standing(LIVING, (SAID,)), b"forged"),
        replace(_standing(LIVING, (OPEN,)), holders=(SAID,)),
        _standing(LIVING, (SAID,), row=False),
    ],
)
def test_beside_a_key_that_came_back_an_unproven_acknowledgement_goes(changed: Standing) -> None:
    """Without a proof, under another one, behind the proof's back, and without a row."""
    assert _erased(changed).holders == (OPEN,)
