"""A receiver that knows both keys of a succession reads the end of the old log before it takes the new one."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from consumers.checkpoints import (
    EndNotRead,
    LogForked,
    LogHasEnded,
    NotConsistent,
    Prove,
    SeenCheckpoints,
    SucceedingLog,
)
from consumers.fork_evidence import decide, forks_below
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.consume import accepted_checkpoint
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import SUCCEEDED, LogFiles
from ledger.log.log_growth import StoredLeaf
from ledger.log.log_proofs import consistency_proof
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import QuorumMissing
from ledger.trust.leaf import leaf_hash
from ledger.trust.log_ended import LogEnded
from ledger.trust.merkle import EMPTY_ROOT, Frontier
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind
from ledger.trust.policy_file import parse_policy
from tests.fault.test_integration_step import EVENTS
from tests.unit.trust.tlog_samples import LOG, ORIGIN, key

NEXT = key(f"{ORIGIN[:-1]}2", KeyKind.ED25519)
SEEN, SURVIVING, OLD_END, NEW = 150, 200, 250, 260
SURVIVORS = [*EVENTS[:SURVIVING]]


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


def root_of(events: list[StoredLeaf]) -> bytes:
    tree = Frontier()
    tree.extend(leaf_hash(each.envelope) for each in events)
    return tree.root()


def end_note(last: Checkpoint, survivors: list[StoredLeaf], claimed: int = 0) -> Note:
    """As both keys sign it."""
    end = LogEnded(last, len(survivors), root_of(survivors), NEXT.verifier(), "STORAGE_LOST", claimed)
    return Note(end.text(), (LOG.sign(end.text()), NEXT.sign(end.text())))


def put_end(folder: Path, note: Note) -> None:
    """How the old log ended, beside the new one; and the old one's files where the edge serves them."""
    LogFiles(DirectoryBlobs(folder.parent), folder.name).write({SUCCEEDED: note.encode()})
    folder.with_name(f"{folder.name}.1").symlink_to("old-log")


def taken(folder: Path, policy: Path, note: Note, events: list[StoredLeaf]) -> int:
    """How much a receiver takes of a log that goes on with these events."""
    log_of(folder, NEXT.name, events)
    put_end(folder, note)
    with served(folder.parent) as url:
        return accepted_checkpoint(f"{url}/{folder.name}", policy, folder.parent).size


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
    events = [*SURVIVORS, *other_events(SURVIVING + 1, NEW)]
    log_of(tmp_path / "alone", NEXT.name, events)
    with served(tmp_path / "alone") as url, pytest.raises(EndNotRead):
        accepted_checkpoint(url, policy, tmp_path)
    assert taken(tmp_path / "new-log", policy, end_note(end, SURVIVORS), events) == NEW
    seen = SeenCheckpoints(tmp_path / "checkpoints", parse_policy(policy.read_bytes()))
    forged = Checkpoint(ORIGIN, OLD_END + 1, EMPTY_ROOT).text()
    with pytest.raises(LogHasEnded):
        seen.accept(Note(forged, (LOG.sign(forged),)), lambda _old, _size: ())


def shown(folder: Path, name: str, note: Note) -> SucceedingLog:
    """A log that goes on beside the one that ended, as a receiver is shown both."""
    head = LogFiles(DirectoryBlobs(folder), name).published()
    assert head is not None
    return SucceedingLog(note, head, proving(folder, name), proving(folder, "old-log"))


def proving(folder: Path, name: str) -> Prove:
    return partial(consistency_proof, LogFiles(DirectoryBlobs(folder), name))


@pytest.mark.parametrize(
    ("alike", "size", "refusal"),
    [(SEEN, OLD_END, LogForked), (SURVIVING, OLD_END, LogForked), (SURVIVING, OLD_END - 1, NotConsistent),
     (SEEN, SURVIVING, LogForked), (SEEN, SURVIVING - 1, NotConsistent)],
)  # fmt: skip
def test_of_a_log_that_ended_one_tree_is_known(
    tmp_path: Path, policy: Path, end: Checkpoint, alike: int, size: int, refusal: type[Exception]
) -> None:
    """Whoever has the old key shows no other tree of what it had signed: neither of its last size, though the receiver
    had seen less, nor of what survives, nor between. The log's own heads are taken as before."""
    note = end_note(end, SURVIVORS)
    assert taken(tmp_path / "new-log", policy, note, [*SURVIVORS, *other_events(SURVIVING + 1, NEW)]) == NEW
    log_of(tmp_path / "forged-log", ORIGIN, [*EVENTS[:alike], *other_events(alike + 1, size)])
    seen = SeenCheckpoints(tmp_path / "checkpoints", parse_policy(policy.read_bytes()))
    own = LogFiles(DirectoryBlobs(tmp_path), "old-log").published()
    forged = LogFiles(DirectoryBlobs(tmp_path), "forged-log").published()
    assert own is not None
    assert forged is not None
    if size < OLD_END:  # so that it can answer whatever it is asked for
        log_of(tmp_path / "forged-log", ORIGIN, other_events(size + 1, OLD_END))
    with pytest.raises(refusal):
        seen.accept(forged, proving(tmp_path, "forged-log"))
    kept = seen.last(ORIGIN)
    assert (kept.size if kept else 0, bool(list(tmp_path.glob("checkpoints/*/fork")))) == (SEEN, refusal is LogForked)
    if refusal is NotConsistent:
        assert seen.accept(own, proving(tmp_path, "old-log")) == end


def test_an_end_that_says_another_root_of_what_was_seen_is_a_fork(tmp_path: Path, policy: Path) -> None:
    """Of the very size that survives: the old key has signed two trees of it. Both notes are kept, and the log that
    goes on from the other one is not taken."""
    log_of(tmp_path / "seen-log", ORIGIN, SURVIVORS)
    with served(tmp_path / "seen-log") as url:
        assert accepted_checkpoint(url, policy, tmp_path).size == SURVIVING
    end = log_of(tmp_path / "old-log", ORIGIN, EVENTS[:OLD_END])
    others = [*EVENTS[:SEEN], *other_events(SEEN + 1, SURVIVING)]
    with pytest.raises(LogForked):
        taken(tmp_path / "new-log", policy, end_note(end, others), [*others, *other_events(SURVIVING + 1, NEW)])
    assert {each.name for each in tmp_path.glob("checkpoints/*/*")} == {"checkpoint", "fork", "heads"}


@pytest.mark.parametrize("had_seen", [True, False])
def test_a_kept_end_holds_whenever_the_successor_is_taken(
    tmp_path: Path, policy: Path, end: Checkpoint, *, had_seen: bool
) -> None:
    """The receiver was killed between the two, or had never seen the old log: the log that goes on is held against the
    end that was kept, also where it is shown another time with a history of its own, and also once it was taken."""
    if not had_seen:
        shutil.rmtree(tmp_path / "checkpoints")
    note = end_note(end, SURVIVORS)
    log_of(tmp_path / "new-log", NEXT.name, [*SURVIVORS, *other_events(SURVIVING + 1, NEW)])
    log_of(tmp_path / "other-log", NEXT.name, other_events(1, NEW))
    seen = SeenCheckpoints(tmp_path / "checkpoints", parse_policy(policy.read_bytes()))
    seen.read_end(shown(tmp_path, "new-log", note))
    other = shown(tmp_path, "other-log", note)
    seen.read_end(other)
    with pytest.raises(NotConsistent):
        seen.accept(other.head, other.prove)
    right = shown(tmp_path, "new-log", note)
    assert seen.accept(right.head, right.prove).size == NEW
    with pytest.raises(LogForked):
        seen.accept(other.head, other.prove)


def test_a_successor_over_other_survivors_is_not_taken(tmp_path: Path, policy: Path, end: Checkpoint) -> None:
    """What was seen of the old log survives, so the new tree begins with it; one that does not is refused, also where
    it is still smaller than what was seen."""
    note = end_note(end, SURVIVORS)
    for name, events in (("new-log", other_events(1, NEW)), ("small-log", EVENTS[: SURVIVING - 1])):
        with pytest.raises(NotConsistent):
            taken(tmp_path / name, policy, note, events)
    with pytest.raises(LogForked):
        taken(tmp_path / "exact-log", policy, note, other_events(1, SURVIVING))
    assert not list(tmp_path.glob("checkpoints/*/ended")), "no end without a log that goes on from it"


def test_survivors_must_be_what_was_seen_and_lost(tmp_path: Path, policy: Path, end: Checkpoint) -> None:
    """Of what a receiver has seen some is lost: the log that ended proves to it once more what of it survives, and the
    one that goes on begins with that. A history written anew is taken by neither, whoever signs what survives."""
    log_of(tmp_path / "all-log", ORIGIN, EVENTS[:OLD_END])
    with served(tmp_path / "all-log") as url:
        assert accepted_checkpoint(url, policy, tmp_path).size == OLD_END
    anew = other_events(1, NEW)
    for name, survivors in (("one-log", SURVIVORS), ("other-log", anew[:SURVIVING])):
        with pytest.raises(NotConsistent):
            taken(tmp_path / name, policy, end_note(end, survivors), anew)
    honest = [*SURVIVORS, *other_events(SURVIVING + 1, NEW)]
    assert taken(tmp_path / "new-log", policy, end_note(end, SURVIVORS), honest) == NEW


def test_the_old_key_alone_ends_no_log(tmp_path: Path, end: Checkpoint) -> None:
    """The log that goes on must have a head that the policy's witnesses have seen, though its key is not known yet."""
    witness = key("witness.test/w", KeyKind.COSIGNATURE)
    policy = tmp_path / "witnessed"
    policy.write_text(f"log {LOG.verifier()}\nwitness w {witness.verifier()}\nquorum w\n")
    honest = [*SURVIVORS, *other_events(SURVIVING + 1, NEW)]
    with pytest.raises(QuorumMissing):
        taken(tmp_path / "new-log", policy, end_note(end, SURVIVORS), honest)
    assert not list(tmp_path.glob("checkpoints/*/ended"))
    policy.write_text(f"log {LOG.verifier()}\nquorum none\n")
    with pytest.raises(LogHasEnded):
        taken(tmp_path / "same-log", policy, end_note(end, SURVIVORS), honest)
    assert len(list(tmp_path.glob("checkpoints/*/ended"))) == 1


def test_a_log_ends_once(tmp_path: Path, policy: Path, end: Checkpoint) -> None:
    """Another end of a log that has ended is kept as evidence; nothing of either is taken until a person decides."""
    honest = [*SURVIVORS, *other_events(SURVIVING + 1, NEW)]
    note = end_note(end, SURVIVORS)
    assert taken(tmp_path / "new-log", policy, note, honest) == NEW
    for name, again in (("other-log", end_note(end, SURVIVORS[:-1])), ("same-log", note)):
        with pytest.raises(LogForked):
            taken(tmp_path / name, policy, again, honest)
    assert [each.read_bytes() for each in tmp_path.glob("checkpoints/*/ended")] == [note.encode()]
    assert len(list(tmp_path.glob("checkpoints/*/fork"))) == 1


def test_a_claim_does_not_let_the_ended_key_go_on(tmp_path: Path, policy: Path, end: Checkpoint) -> None:
    """Persons may give up more than any head shows; the key is believed no further than what was seen or signed."""
    honest = [*SURVIVORS, *other_events(SURVIVING + 1, NEW)]
    assert taken(tmp_path / "new-log", policy, end_note(end, SURVIVORS, claimed=1_000_000), honest) == NEW
    seen = SeenCheckpoints(tmp_path / "checkpoints", parse_policy(policy.read_bytes()))
    forged = log_of(tmp_path / "forged-log", ORIGIN, EVENTS[: OLD_END + 1])
    with pytest.raises(LogHasEnded):
        seen.accept(
            Note(forged.text(), (LOG.sign(forged.text()),)),
            partial(consistency_proof, LogFiles(DirectoryBlobs(tmp_path), "forged-log")),
        )


def silent(_old: int, _size: int) -> tuple[bytes, ...]:
    """As a log that proves nothing."""
    return ()


@pytest.mark.parametrize("other_is_right", [False, True])
def test_a_person_decides_which_of_two_ends_holds(
    tmp_path: Path, policy: Path, end: Checkpoint, *, other_is_right: bool
) -> None:
    """The end that was found right is kept as the log's, and shown again it is no fork; the evidence has both."""
    first, second = end_note(end, SURVIVORS), end_note(end, SURVIVORS[:-1])
    log_of(tmp_path / "new-log", NEXT.name, [*SURVIVORS[:-1], *other_events(SURVIVING, NEW)])
    log_of(tmp_path / "first-log", NEXT.name, [*SURVIVORS, *other_events(SURVIVING + 1, NEW)])
    seen = SeenCheckpoints(tmp_path / "checkpoints", parse_policy(policy.read_bytes()))

    def show(note: Note) -> None:
        log = shown(tmp_path, "first-log" if note is first else "new-log", note)
        seen.end(replace(log, prove_ended=silent))

    show(first)
    with pytest.raises(LogForked):
        show(second)
    (fork,) = forks_below(tmp_path / "checkpoints")
    aside = decide(fork, "Ann Archer", "TOLD", datetime(2026, 1, 1, tzinfo=UTC), other_is_right=other_is_right)
    assert [(aside / name).read_bytes() for name in ("ended", "fork")] == [first.encode(), second.encode()]
    right, wrong = (second, first) if other_is_right else (first, second)
    assert (fork.folder / "ended").read_bytes() == right.encode()
    show(right)
    with pytest.raises(LogForked):
        show(wrong)
