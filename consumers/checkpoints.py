"""What a receiver remembers of each log, and the rule against forks: only a tree that grew from the one it saw.

Keys come from the policy file alone. A receiver never resolves a fork by itself: it keeps both notes, accepts nothing
beyond the last head that it found consistent, and says so until a person has decided (`consumers.fork_evidence`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from consumers.durable_file import sync_folder, write_durably
from consumers.fork_evidence import ENDED, HEADS, LAST, OTHER, UNPROVEN, fork_in, is_forked, is_unproven, note_common
from consumers.kept_heads import KeptHeads, Prove
from consumers.log_over_http import LogUnreachable
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import EndedFault, ProofFault, TileFault
from ledger.trust.lineage import with_ended
from ledger.trust.log_ended import LogEnded, check_log_ended, parse_log_ended
from ledger.trust.merkle import TREE_SIZE_MAX
from ledger.trust.merkle_check import begins_otherwise, check_consistency, telling_size
from ledger.trust.note import Note, parse_note
from ledger.trust.policy import Peer, Policy

_log = logging.getLogger(__name__)


class LogForked(Exception):
    """The log has shown a tree that did not grow from the one seen before. Both notes are kept; nothing is accepted."""

    def __init__(self, origin: str, consistent_size: int, kept: Path) -> None:
        fork = fork_in(kept)
        self.common_size = fork.common_size if fork else 0
        super().__init__(
            f"{origin}, beyond size {consistent_size}: {self.__doc__} "
            f"Both are the same up to size {self.common_size}. See {kept}"
        )
        self.origin = origin
        self.consistent_size = consistent_size
        self.kept = kept


class LogHasEnded(Exception):
    """The log has ended for ever; nothing newer of it is believed, whoever signs it. No fork: another log goes on."""

    def __init__(self, ended: LogEnded) -> None:
        lost = f"positions {ended.lost[0]} to {ended.lost[-1]} are lost"
        super().__init__(
            f"{ended.last.origin}: {self.__doc__} {lost}; {ended.successor.name} goes on: {ended.successor}"
        )
        self.ended = ended


class NotConsistent(Exception):
    """The log has not proven that its head grew from the one seen before; it may be asked again."""

    def __init__(self, origin: str, consistent_size: int, size: int) -> None:
        super().__init__(f"{origin}, from size {consistent_size} to {size}: {self.__doc__}")
        self.origin = origin
        self.consistent_size = consistent_size


class EndNotRead(Exception):
    """Another log goes on for the one seen before, and how that one ended was not read under its own key."""

    def __init__(self, origin: str, ended: str) -> None:
        super().__init__(f"{origin}, for {ended}: {self.__doc__} The policy needs the keys of both.")
        self.ended = ended


@dataclass(frozen=True, slots=True)
class SucceedingLog:
    """What a log that goes on for another one shows of that."""

    ended: Note
    """How the log before it ended."""
    head: Note
    """Its own head of now."""
    prove: Prove
    prove_ended: Prove
    """Out of the tiles of the log that ended."""


class SeenCheckpoints:
    """The heads that one receiver has accepted, one per origin, in a folder of its own."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        """Nothing is made before something is accepted."""
        self._folder = folder
        self._policy = policy

    def last(self, origin: str) -> Checkpoint | None:
        """The last head that was accepted of a log."""
        path = self._folder_of(origin) / LAST
        return parse_checkpoint(parse_note(path.read_bytes()).text) if path.exists() else None

    def accept(self, note: Note, prove: Prove) -> Checkpoint:
        """The head in a note, where policy and history allow it; kept, on disk, when it returns.

        An older head of the same tree is consistent too, and does not take the place of the newer one. Raises
        LogForked, NotConsistent, LogHasEnded, EndNotRead, and what `Policy.accept` and `prove` raise.
        """
        checkpoint = self._policy.accept(note).checkpoint
        folder = self._folder_of(checkpoint.origin)
        self._refuse_if_ended(checkpoint)
        last = self.last(checkpoint.origin)
        heads = [last] if last else []
        heads += [before] if (before := KeptHeads(folder / HEADS).at(checkpoint.size)) else []
        held = [*([] if last else self._begun(checkpoint)), *heads, *self._said_at_ends(checkpoint.origin)]
        if (folder / OTHER).exists():
            self._raise_fork(checkpoint.origin, held[0].size, folder, note, prove)
        self._require_all(heads, held, checkpoint, note, prove)
        if last is None or checkpoint.size >= last.size:
            KeptHeads(folder / HEADS).add(note, checkpoint.size)
            self._keep(folder, LAST, note)
        (folder / UNPROVEN).unlink(missing_ok=True)
        return checkpoint

    def _require_all(
        self, heads: list[Checkpoint], held: list[Checkpoint], checkpoint: Checkpoint, note: Note, prove: Prove
    ) -> None:
        """Consistency with all that is held; a head of this log that it provably does not begin with is a fork."""
        folder = self._folder_of(checkpoint.origin)
        # Of one size first: another root there is evidence, which a missing proof is not.
        for each in sorted(held, key=lambda known: known.size != checkpoint.size):
            try:
                self._require_consistent(each, checkpoint, note, prove)
            except NotConsistent:
                if each in heads and _parts_from(each, checkpoint, prove):
                    self._keep_other(folder, note)
                    _log.error("a log shows a tree that parts from the one seen", extra={"origin": each.origin})
                    self._raise_fork(each.origin, each.size, folder, note, prove)
                raise

    @property
    def is_forked(self) -> bool:
        """Whether a log has shown two trees, and no person has decided yet."""
        return is_forked(self._folder)

    @property
    def is_unproven(self) -> bool:
        """Whether the last head that a log has shown was not proven to have grown from the one seen before."""
        return is_unproven(self._folder)

    def read_end(self, shown: SucceedingLog) -> None:
        """As `end`, where the policy knows the log that ended: before the one that goes on is taken for it."""
        ended = parse_log_ended(shown.ended.text)
        if any(log.key.name == ended.last.origin for log in self._policy.logs):
            self.end(shown)

    def end(self, shown: SucceedingLog) -> LogEnded:
        """How a log of the policy ended, by its own last note; kept, on disk, when it returns.

        Whoever has the old key alone ends nothing: the log that goes on must show a head with the policy's quorum,
        which begins with what survives, and so must what this receiver has seen of the old one.
        Raises LogForked where the log went on beyond its end or has ended otherwise before this receiver,
        NotConsistent, EndedFault, SignatureFault, QuorumMissing, and what the proofs raise.
        """
        ended = check_log_ended(shown.ended, tuple(log.key for log in self._policy.logs))
        origin = ended.last.origin
        folder, last, kept = self._folder_of(origin), self.last(origin), self._ended(origin)
        if (kept is not None and kept != ended) or (last is not None and _differs(last, ended)):
            self._keep_other(folder, shown.ended)
            _log.error("a log has ended otherwise than it was seen", extra={"origin": origin})
        if (folder / OTHER).exists():
            seen = min(ended.surviving, last.size if last else ended.surviving)
            self._raise_fork(origin, seen, folder, shown.ended, shown.prove_ended)
        if kept is None:
            self._require_end(ended, last, shown)
            self._keep(folder, ENDED, shown.ended)
        return ended

    def _require_end(self, ended: LogEnded, last: Checkpoint | None, shown: SucceedingLog) -> None:
        policy = replace(self._policy, logs=(*self._policy.logs, Peer(ended.successor)))
        head = policy.accept(shown.head).checkpoint
        if head.origin != ended.successor.name:
            raise EndedFault("shown beside a head of another log than the one that goes on")
        if last is not None and last.size > ended.surviving:
            survived = Checkpoint(last.origin, ended.surviving, ended.surviving_root)
            self._require_consistent(survived, last, shown.ended, shown.prove_ended)
        survived = Checkpoint(head.origin, ended.surviving, ended.surviving_root)
        if head.size < survived.size:
            raise NotConsistent(head.origin, survived.size, head.size)
        self._require_consistent(survived, head, shown.head, shown.prove)

    def _require_consistent(self, one: Checkpoint, other: Checkpoint, note: Note, prove: Prove) -> None:
        """Of two heads under one origin, in any order; `note` brought it up and is kept where they are not."""
        folder = self._folder_of(other.origin)
        if one.size == other.size and one.root != other.root:
            self._keep_other(folder, note)
            _log.error("a log shows two trees of one size", extra={"origin": one.origin, "size": one.size})
            self._raise_fork(one.origin, one.size, folder, note, prove)
        old, new = sorted((one, other), key=lambda each: each.size)
        try:
            check_consistency(old.size, new.size, tuple(prove(old.size, new.size)), old.root, new.root)
        except ProofFault:
            self._keep(folder, UNPROVEN, note)
            raise NotConsistent(one.origin, one.size, other.size) from None

    def _raise_fork(self, origin: str, consistent_size: int, folder: Path, note: Note, prove: Prove) -> NoReturn:
        try:
            note_common(folder, note, prove)
        except (LogUnreachable, OSError) as error:  # asked again next time; the evidence is on disk all the same
            _log.warning("how far two trees are the same was not proven", extra={"origin": origin, "why": str(error)})
        raise LogForked(origin, consistent_size, folder)

    def _begun(self, checkpoint: Checkpoint) -> list[Checkpoint]:
        """With what a log begins that was never seen: with what was seen of the log before it and survives."""
        upto = TREE_SIZE_MAX
        for origin in with_ended(checkpoint.origin)[1:]:
            before, ended = self.last(origin), self._ended(origin)
            if before is None and ended is None:
                continue
            if ended is None:
                raise EndNotRead(checkpoint.origin, origin)
            if (upto := min(upto, ended.surviving)) > checkpoint.size:
                raise NotConsistent(checkpoint.origin, upto, checkpoint.size)
            if before is not None:
                return [replace(before, origin=checkpoint.origin)] if before.size <= upto else []
        return [Checkpoint(checkpoint.origin, 0, sha256(b"").digest())]

    def _said_at_ends(self, origin: str) -> list[Checkpoint]:
        """What the ends that were kept say of a log's tree, be it the log's own end or one before it: whoever has a key
        of it makes no other tree of what was signed, and goes on from nothing else than what survives.
        """
        own = self._ended(origin)
        said = [own.last, Checkpoint(origin, own.surviving, own.surviving_root)] if own else []
        upto = own.surviving if own else TREE_SIZE_MAX
        for before in with_ended(origin)[1:]:
            ended = self._ended(before)
            # A later end may have taken more than one before it had left.
            if ended is not None and ended.surviving <= upto:
                said.append(Checkpoint(origin, ended.surviving, ended.surviving_root))
                upto = ended.surviving
        return said

    def _refuse_if_ended(self, checkpoint: Checkpoint) -> None:
        """Up to what the log is known to have signed it goes on being asked; what is claimed beyond is nobody's."""
        ended, last = self._ended(checkpoint.origin), self.last(checkpoint.origin)
        if ended is not None and checkpoint.size > max(ended.last.size, last.size if last else 0):
            raise LogHasEnded(ended)

    def _ended(self, origin: str) -> LogEnded | None:
        path = self._folder_of(origin) / ENDED
        return parse_log_ended(parse_note(path.read_bytes()).text) if path.exists() else None

    def _keep_other(self, folder: Path, note: Note) -> None:
        """The first tree that differs is what a person decides of; what is shown meanwhile takes not its place."""
        if not (folder / OTHER).exists():
            self._keep(folder, OTHER, note)

    def _keep(self, folder: Path, name: str, note: Note) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync_folder(folder.parent)
        write_durably(folder / name, note.encode())

    def _folder_of(self, origin: str) -> Path:
        # An origin may hold any character; its digest is a name for every file system.
        return self._folder / sha256(origin.encode()).hexdigest()


def _differs(last: Checkpoint, ended: LogEnded) -> bool:
    """Whether the log had gone on beyond its end before this receiver, or otherwise."""
    if last.size == ended.surviving and last.root != ended.surviving_root:
        return True
    if last.size <= ended.surviving:
        return last.size == ended.last.size and last != ended.last
    return not ended.gives_up(last)


def _parts_from(one: Checkpoint, other: Checkpoint, prove: Prove) -> bool:
    """Whether it is proven that the larger tree begins otherwise. No proof proves nothing: the log is asked again."""
    old, new = sorted((one, other), key=lambda each: each.size)
    asked = telling_size(old.size)
    try:
        proof = tuple(prove(asked, new.size)) if asked < new.size else ()
        return begins_otherwise(old.size, new.size, proof, old.root, new.root)
    except (ProofFault, TileFault):
        return False
