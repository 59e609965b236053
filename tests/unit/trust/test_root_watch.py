"""A walk over a ledger meets every root that somebody has signed, that of what survives of an ended log too."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.log_ended import LogEnded
from ledger.trust.merkle import EMPTY_ROOT, Frontier
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Fault, RowFault

LEAVES = [sha256(bytes([number])).digest() for number in range(40)]
SUCCESSOR = SigningKey("log.test/north/2", KeyKind.ED25519, bytes(range(32))).verifier()


def root_at(size: int) -> bytes:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    return frontier.root()


def ended_at(surviving: int, root: bytes) -> LogEnded:
    last = Checkpoint("log.test/north/1", 60, bytes(32))
    return LogEnded(last, surviving, root, SUCCESSOR, "STORAGE_LOST")


@pytest.mark.parametrize("surviving", [0, 1, 17, 40])
@pytest.mark.parametrize("batch", [1, 7, 40])
def test_what_survives_of_an_ended_log_is_what_its_end_says(surviving: int, batch: int) -> None:
    """Another root is found at its size, wherever the batches break, and a ledger that is shorter is behind."""
    for root, wanted in (
        (root_at(surviving), None),
        (bytes(32), Fault(RowFault.SIGNED_ROOT, surviving, b"", 0)),
    ):
        watch = RootWatch((), [ended_at(surviving, root)])
        faults = [watch.take(LEAVES[at : at + batch]) for at in range(0, len(LEAVES), batch)]
        assert next(filter(None, [*faults, watch.end()]), None) == wanted
        assert watch.compared == []
    short = RootWatch((), [ended_at(41, EMPTY_ROOT)])
    assert short.take(LEAVES) is None
    assert short.end() == Fault(RowFault.BEHIND, 41, b"", 0)
