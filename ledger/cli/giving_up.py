"""What of a log is lost for good: measured by whoever remembers most of it, and by what could still be brought back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass

from ledger.cli.believed_topic import BelievedTopic
from ledger.log.log_files import LogFiles
from ledger.log.seen_files import read_seen
from ledger.log.signed_history import AnotherHistory, kept_up_to, require_beginning, root_within
from ledger.store.refill import LedgerRefill, NotRefilled
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.log_ended import CLAIM_MAX, LogEnded, claims_too_much
from ledger.trust.merkle import EMPTY_ROOT, Frontier
from ledger.trust.policy import Witnessed


class NotSucceeded(Exception):
    """The log is not given up."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What persons say was published beyond what the log's own files still show."""

    heads: Sequence[Witnessed] = ()
    """Heads of this log that somebody kept, under a trusted key."""
    lost_to: int = 0
    """Up to which position they give up, where no head says it: a witness's size, a topic's end. 0: none."""
    unproven: bool = False
    """They vouch for a head that nothing which is left can be compared with, and that no witness has cosigned."""
    unwitnessed: bool = False
    """They end the log though fewer witnesses than a quorum can be asked what they know."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What is to be given up."""

    last: Checkpoint
    """The newest head that is known."""
    surviving: int
    surviving_root: bytes
    """Of the ledger's tree as it is now."""
    claimed: int
    """Beyond `last` by persons' word; 0 where `last` is the end."""
    missing: str
    """Why the next position cannot be brought back."""
    unproven: bool = False
    """Whether `last` is the word of persons alone."""
    unwitnessed: bool = False
    """Whether fewer witnesses than a quorum could be asked."""

    @property
    def lost(self) -> range:
        """The positions that are given up."""
        return range(self.surviving + 1, (self.claimed or self.last.size) + 1)


async def measured_loss(
    files: LogFiles, signed: Checkpoint, ledger: LedgerRefill, topic: BelievedTopic, claim: Claim
) -> Loss:
    """Raises NotSucceeded while log or topic can bring the next position back, or the topic goes on further than is
    given up; AnotherHistory where the ledger is another than was signed; LogDamaged, BlobError, StreamUnavailable. A
    loss may come out empty; who asks refuses that.
    """
    tree, roots = Frontier(), {0: EMPTY_ROOT}
    heads = [each.checkpoint for each in claim.heads]
    held_against = [*heads, *await asyncio.to_thread(read_seen, files)]
    kept_sizes = {head.size for head in held_against}
    async for envelope in ledger.envelopes():
        tree.append(leaf_hash(envelope))
        if tree.size in kept_sizes:
            roots[tree.size] = tree.root()
        if tree.size == signed.size:
            await asyncio.to_thread(require_beginning, files, tree, signed)
    if tree.size < signed.size:
        await asyncio.to_thread(require_beginning, files, tree, signed)
    await asyncio.to_thread(_compare, held_against, roots, files, signed)
    last = max((signed, *heads), key=lambda head: head.size)
    unproven = last.size > max(signed.size, tree.size) and not _is_cosigned(last, claim.heads)
    kept = await asyncio.to_thread(kept_up_to, files, tree, signed)
    if kept.position > tree.size:
        raise NotSucceeded(_still(tree.size, kept.position, "the log"))
    refused = await _refused_of(topic, tree, ledger)
    if refused is not None and (end := await topic.end(tree.size)) > max(last.size, claim.lost_to):
        raise NotSucceeded(_not_taken(tree.size, end, refused))
    if claims_too_much(claim.lost_to, last.size, tree.size):
        raise NotSucceeded(f"--lost-to {claim.lost_to}: more than {CLAIM_MAX:,} positions beyond what is known")
    if unproven and not claim.unproven:
        raise NotSucceeded(_not_proven(last))
    missing = kept.missing or f"position {tree.size + 1}: in no file of the log"
    missing += f"; on the topic, which refill does not take: {refused}" if refused else ""
    claimed = claim.lost_to if claim.lost_to > last.size else 0
    return Loss(last, tree.size, tree.root(), claimed, missing, unproven)


async def _refused_of(topic: BelievedTopic, tree: Frontier, ledger: LedgerRefill) -> NotRefilled | None:
    """Why the topic's next event cannot come back; None where it has none. NotSucceeded where `refill` takes it."""
    found = await topic.after(tree)
    if not found.events:
        return found.refusal
    refusal = await ledger.refusal_of(tree.size + 1, found.events[0])
    if refusal is None:
        raise NotSucceeded(_still(tree.size, tree.size + len(found.events), "the topic"))
    return refusal


def _not_taken(surviving: int, end: int, refusal: NotRefilled) -> str:
    return (
        f"the topic goes on to position {end}, and `ledger repair refill` takes nothing of it: {refusal} "
        f"Look for what it needs (newer KEYS); --lost-to {end} gives positions {surviving + 1} to {end} up"
    )


def _is_cosigned(head: Checkpoint, heads: Sequence[Witnessed]) -> bool:
    """A witness has compared it with all that it had seen before; the log's key alone could have signed anything."""
    return any(each.checkpoint == head and each.times for each in heads)


def _not_proven(head: Checkpoint) -> str:
    return (
        f"a checkpoint at {head.size} events lies beyond all that is left, and no witness of the policy has cosigned "
        "it: nothing shows that the log grew to it. With --unproven two persons vouch for it, and the end says so"
    )


def refuse_below_known(files: LogFiles, loss: Loss) -> None:
    """Raises NotSucceeded where a restore has seen more than is given up, be it a number that somebody said alone."""
    if (known := files.known()) >= loss.lost.stop:
        raise NotSucceeded(
            f"a restore has seen that position {known} was known, beyond what is given up: "
            f"--checkpoint with that head, or --lost-to {known}"
        )


async def require_surviving(ended: LogEnded, envelopes: AsyncIterable[bytes]) -> None:
    """Raises NotSucceeded, AnotherHistory where the ledger is not what the end of its log says survives."""
    tree = Frontier()
    async for envelope in envelopes:
        tree.append(leaf_hash(envelope))
    if tree.size != ended.surviving:
        raise NotSucceeded(
            f"its log has ended at position {ended.surviving}, the ledger ends at {tree.size}: "
            "put back a backup that reaches it, then `ledger repair refill`"
        )
    if tree.root() != ended.surviving_root:
        raise AnotherHistory(tree.size)


def _compare(heads: Sequence[Checkpoint], roots: dict[int, bytes], files: LogFiles, signed: Checkpoint) -> None:
    """Raises AnotherHistory for a kept head of another tree than the ledger's, the signed one's, or another kept one's.

    Beyond both nothing is left that could show that one grew from the other.
    """
    for head in heads:
        if head.size not in roots:
            within = head.size <= signed.size
            roots[head.size] = root_within(files, signed, head.size) if within else head.root
        if roots[head.size] != head.root:
            raise AnotherHistory(head.size)


def _still(surviving: int, upto: int, source: str) -> str:
    return (
        f"positions {surviving + 1} to {upto} are not lost, {source} has them: "
        "`ledger repair refill` brings them back, which comes first"
    )
