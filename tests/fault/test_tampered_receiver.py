"""The tamper matrix for a receiver of a lineage: what two logs show it, and what it has kept of them.

Each change is refused, or the very head is accepted that was accepted without it; none leads to another one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from consumers.checkpoints import EndNotRead, LogForked, LogHasEnded, NotConsistent
from consumers.log_over_http import LogUnreachable
from ledger.cli.consume import accepted_checkpoint
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import FormatFault
from tests.fault.tampering.changes import Change, Changed, changes
from tests.fault.test_integration_step import EVENTS
from tests.unit.consumers.test_end_before_successor import (
    NEW,
    NEXT,
    OLD_END,
    SEEN,
    SURVIVING,
    SURVIVORS,
    end_note,
    log_of,
    other_events,
    put_end,
    served,
)
from tests.unit.trust.tlog_samples import LOG, ORIGIN

_REFUSED = (EndNotRead, LogForked, LogHasEnded, LogUnreachable, NotConsistent, FormatFault)
_WITHOUT_REPLAY = (Change.FLIP, Change.DELETE, Change.SWAP, Change.TRUNCATE)


class Receiver:
    """Has seen a log, how it ended, and two heads of the one that goes on; it is shown the newer of these again."""

    def __init__(self, folder: Path) -> None:
        self.shown = folder / "logs" / "log"
        self.kept = folder / "kept"
        self._policy = folder / "policy"
        self._try = folder / "try"
        self._policy.write_text(f"log {LOG.verifier()}\nlog {NEXT.verifier()}\nquorum none\n")
        (folder / "logs").mkdir()
        last = log_of(folder / "logs" / "old-log", ORIGIN, EVENTS[:SEEN])
        with served(folder / "logs") as url:
            self._accepted(f"{url}/old-log", self.kept)
            last = log_of(folder / "logs" / "old-log", ORIGIN, EVENTS[SEEN:OLD_END])
            later = [*SURVIVORS, *other_events(SURVIVING + 1, NEW)]
            log_of(self.shown, NEXT.name, later[: SURVIVING + 10])
            put_end(self.shown, end_note(last, SURVIVORS))
            self._accepted(f"{url}/log", self.kept)
            self.older = files_of(self.shown)
            log_of(self.shown, NEXT.name, later[SURVIVING + 10 :])
            self.newest = self._accepted(f"{url}/log", self.kept)

    def accepts(self, kept: Path) -> Checkpoint | None:
        """The head that is accepted with this memory; None where it is refused."""
        with served(self.shown.parent) as url:
            try:
                return self._accepted(f"{url}/log", kept)
            except _REFUSED:
                return None

    def with_kept(self, changed: Changed) -> Checkpoint | None:
        """As `accepts`, with a memory that was tampered with."""
        shutil.rmtree(self._try, ignore_errors=True)
        shutil.copytree(self.kept, self._try)
        put(self._try, changed)
        return self.accepts(self._try)

    def with_shown(self, changed: Changed) -> Checkpoint | None:
        """As `accepts`, where the log's files were tampered with on their way."""
        shutil.rmtree(self._try, ignore_errors=True)
        shutil.copytree(self.kept, self._try)
        whole = files_of(self.shown)
        put(self.shown, changed)
        try:
            return self.accepts(self._try)
        finally:
            put(self.shown, {name: whole[name] for name in changed})

    def _accepted(self, url: str, kept: Path) -> Checkpoint:
        return accepted_checkpoint(url, self._policy, kept)


def files_of(folder: Path) -> dict[str, bytes]:
    """By path."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def put(folder: Path, changed: Changed) -> None:
    """As somebody leaves it who writes there."""
    for name, data in changed.items():
        if data is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(data)


def every(items: Mapping[str, bytes], older: Mapping[str, bytes], *kinds: Change) -> Iterator[Changed]:
    """Generated changes of these kinds."""
    dice = Random("receiver")  # noqa: S311 - places, no secrets
    for kind in kinds:
        yield from changes(kind, items, older, dice)


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path)


def test_what_two_logs_show_leads_to_one_head_or_to_none(receiver: Receiver) -> None:
    """Head, end and tiles of the log that goes on: flipped, deleted, exchanged, cut short, or those of before. An older
    head of the same tree may be shown; another is never accepted."""
    shown = {name: data for name, data in files_of(receiver.shown).items() if not name.startswith(("heads", "signed"))}
    for changed in every(shown, receiver.older, *_WITHOUT_REPLAY, Change.REPLAY):
        found = receiver.with_shown(changed)
        replayed = "checkpoint" in changed and changed["checkpoint"] == receiver.older["checkpoint"]
        allowed = {None, receiver.newest} if not replayed else {found}
        assert found in allowed, sorted(changed)
        if replayed and found is not None:
            assert found.size == SURVIVING + 10
    assert receiver.with_shown({}) == receiver.newest


def test_what_a_receiver_has_kept_leads_to_one_head_or_to_none(receiver: Receiver) -> None:
    """Its heads of both logs and the end of the first: with a memory that was tampered with it refuses or accepts what
    it would have accepted; taking the memory away makes it a receiver that begins anew."""
    kept = files_of(receiver.kept)
    assert {Path(name).name for name in kept} > {"checkpoint", "ended"}
    for changed in every(kept, {}, *_WITHOUT_REPLAY):
        assert receiver.with_kept(changed) in (None, receiver.newest), sorted(changed)
    assert receiver.with_kept({}) == receiver.newest


def test_evidence_of_a_fork_that_was_tampered_with_lets_nothing_in(receiver: Receiver) -> None:
    """As long as a file is there, whatever it says, nothing is taken."""
    (folder,) = (each.parent for each in receiver.kept.rglob("checkpoint") if not (each.parent / "ended").exists())
    other = receiver.shown.with_name("other")
    log_of(other, NEXT.name, other_events(1, NEW))
    (folder / "fork").write_bytes((other / "checkpoint").read_bytes())
    assert receiver.with_kept({}) is None
    name = str((folder / "fork").relative_to(receiver.kept))
    dice = Random("evidence")  # noqa: S311 - places, no secrets
    for change in (Change.FLIP, Change.TRUNCATE):
        for changed in changes(change, {name: (folder / "fork").read_bytes()}, {}, dice):
            assert receiver.with_kept(changed) is None
