"""A receiver that knows both keys of a succession reads the end of the old log before it takes the new one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from consumers.checkpoints import EndNotRead, LogForked, LogHasEnded, NotConsistent, SeenCheckpoints
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.consume import accepted_checkpoint
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import SUCCEEDED, LogFiles
from ledger.log.log_growth import StoredLeaf
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.log_ended import LogEnded
from ledger.trust.merkle import EMPTY_ROOT
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind
from ledger.trust.policy_file import parse_policy
from tests.fault.test_integration_step import EVENTS
from tests.unit.trust.tlog_samples import LOG, ORIGIN, key

NEXT = key(f"{ORIGIN[:-1]}2", KeyKind.ED25519)
SEEN, SURVIVING, OLD_END, NEW = 150, 200, 250, 260


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library names it
        pass


@contextmanager
def served(folder: Path) -> Generator[str]:
    """The URL of a folder's files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def log_of(folder: Path, origin: str, events: list[StoredLeaf]) -> Checkpoint:
    """A log with these events, published."""
    log = SignedLog(LogFiles(DirectoryBlobs(folder.parent), folder.name), origin, LOG if origin == ORIGIN else NEXT)
    log.take(events)
    log.publish(log.sign(), log.signed)
    return log.signed


def other_events(first: int, last: int) -> list[StoredLeaf]:
    """Others than EVENTS at these positions, and some that are as good as any."""
    return [StoredLeaf(at, EVENTS[-at].envelope, EVENTS[-at].body) for at in range(first, last + 1)]


def put_end(folder: Path, last: Checkpoint) -> None:
    """How the old log ended, beside the new one."""
    text = LogEnded(last, SURVIVING, NEXT.verifier(), "STORAGE_LOST").text()
    note = Note(text, (LOG.sign(text), NEXT.sign(text)))
    LogFiles(DirectoryBlobs(folder.parent), folder.name).write({SUCCEEDED: note.encode()})


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """With both keys, as docs/operations.md has it put there."""
    file = tmp_path / "policy"
    file.write_text(f"log {LOG.verifier()}\nlog {NEXT.verifier()}\nquorum none\n")
    return file


@pytest.fixture
def end(tmp_path: Path, policy: Path) -> Checkpoint:
    """A receiver has seen the old log at 150; it was signed up to 250, and 200 survive."""
    log_of(tmp_path / "seen-log", ORIGIN, EVENTS[:SEEN])
    with served(tmp_path / "seen-log") as url:
        assert accepted_checkpoint(url, policy, tmp_path).size == SEEN
    return log_of(tmp_path / "old-log", ORIGIN, EVENTS[:OLD_END])


def test_the_end_is_read_first(tmp_path: Path, policy: Path, end: Checkpoint) -> None:
    """Without it the successor is not taken, though its key is known. With it the successor is, and the old key is
    believed no further, whoever has it."""
    new = tmp_path / "new-log"
    log_of(new, NEXT.name, [*EVENTS[:SURVIVING], *other_events(SURVIVING + 1, NEW)])
    with served(new) as url:
        with pytest.raises(EndNotRead):
            accepted_checkpoint(url, policy, tmp_path)
        put_end(new, end)
        assert accepted_checkpoint(url, policy, tmp_path).size == NEW
    seen = SeenCheckpoints(tmp_path / "checkpoints", parse_policy(policy.read_bytes()))
    forged = Checkpoint(ORIGIN, OLD_END + 1, EMPTY_ROOT).text()
    with pytest.raises(LogHasEnded):
        seen.accept(Note(forged, (LOG.sign(forged),)), lambda _old, _size: ())


def test_a_successor_over_other_survivors_is_not_taken(tmp_path: Path, policy: Path, end: Checkpoint) -> None:
    """What was seen of the old log survives, so the new tree begins with it; one that does not is refused, also where
    it is still smaller than what was seen."""
    new, small = tmp_path / "new-log", tmp_path / "small-log"
    log_of(new, NEXT.name, other_events(1, NEW))
    log_of(small, NEXT.name, EVENTS[: SEEN - 1])
    for folder in (new, small):
        put_end(folder, end)
        with served(folder) as url, pytest.raises(NotConsistent):
            accepted_checkpoint(url, policy, tmp_path)
    exact = tmp_path / "exact-log"
    log_of(exact, NEXT.name, other_events(1, SEEN))
    put_end(exact, end)
    with served(exact) as url, pytest.raises(LogForked):
        accepted_checkpoint(url, policy, tmp_path)
