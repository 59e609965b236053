"""Puts lost positions of a ledger back: from the bundles of its log, and where those end from its topic."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ledger.cli.believed_topic import BelievedTopic, Following, StoredEvent
from ledger.log.log_files import REFILLED, REPAIR, LogDamaged, LogFiles
from ledger.log.seen_files import read_seen
from ledger.log.seen_heads import SeenHeads
from ledger.log.signed_history import AnotherHistory, kept_events, require_beginning
from ledger.store.refill import LedgerRefill, NotRefilled
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.topic_range import events_above
from ledger.stream.kafka.topics_admin import TopicsAdmin
from ledger.stream.topics import records_topic
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import TREE_SIZE_MAX, Frontier
from ledger.trust.sealing import Opener
from ledger.trust.tile import TILE_WIDTH

TOPIC_PAGE = 20_000
"""Events of a topic that are held at once; where more follow it is read again."""
_RESTORED_CHARACTERS_MAX = 500
"""Of a restore's words, so that those of a refill fit behind them."""


@dataclass(frozen=True, slots=True)
class Refilled:
    """What was put back, and what the log lacks all the same."""

    first: int
    last: int
    """Below `first` where nothing was missing, as far as the log and the topic know."""
    unsigned: int = 0
    """How many of them came from the topic alone, beyond what the log has signed."""


@contextmanager
def topic_of(bootstrap: str, hospital: str, origin: str) -> Generator[Following]:
    """What the topic of a hospital holds of its present log; nothing where there is none. StreamUnavailable."""
    topic = records_topic(hospital)
    if not bootstrap or not TopicsAdmin(bootstrap).is_there(topic):
        yield lambda _: ()
        return
    reader = KafkaStreamReader(bootstrap, topic)
    try:
        yield lambda position: events_above(reader, origin, position, TOPIC_PAGE)
    finally:
        reader.close()


class Refilling:
    """One ledger's, up to what its log has signed and its topic holds."""

    def __init__(
        self,
        ledger: LedgerRefill,
        files: LogFiles,
        signed: Checkpoint,
        topic: Following,
        opener: Opener | None,
        upto: int = TREE_SIZE_MAX,
    ) -> None:
        """`opener`: the records' keys say whether an event that no log has signed is one of this ledger; without one no
        such event is taken. `upto`: the last position that may come back: of a log that has ended what survives.
        """
        self._upto = upto
        self._ledger = ledger
        self._files = files
        self._signed = signed
        self._topic = BelievedTopic(topic, files, signed, opener)
        self._tree = Frontier()
        self._seen = SeenHeads(())

    async def run(self) -> Refilled:
        """Raises AnotherHistory, NotRefilled, StreamUnavailable, BlobError; LogDamaged where the bundles end before
        what was signed and the topic does not go on. What is back by then stays.
        """
        self._seen = SeenHeads(await asyncio.to_thread(read_seen, self._files))
        async for envelope in self._ledger.envelopes():
            self._tree.append(leaf_hash(envelope))
            if self._seen.differs(self._tree):
                raise AnotherHistory(self._tree.size)
            if self._tree.size == self._signed.size:
                require_beginning(self._files, self._tree, self._signed)
        if self._tree.size < self._signed.size:
            require_beginning(self._files, self._tree, self._signed)
        first, before = self._tree.size + 1, self._files.halted_by(REPAIR)
        try:
            damage = await self._from_log(first)
            await self._from_topic(first)
        finally:
            self._say(first, before)
        if damage is not None and self._tree.size < min(self._signed.size, self._upto):
            raise damage
        return Refilled(first, self._tree.size, max(0, self._tree.size - max(first - 1, self._signed.size)))

    async def _from_log(self, first: int) -> LogDamaged | None:
        """What stopped it before the end; each bundle is a transaction, its root compared before it is stored."""
        try:
            for events in kept_events(self._files, self._tree, self._signed) if self._tree.size < self._upto else ():
                room = self._upto - self._tree.size
                await self._put_back(events[:room], first)
                if room <= len(events):
                    self._tree.extend(leaf_hash(envelope) for envelope, _ in events[:room])
                    return None
        except LogDamaged as damage:
            return damage
        return None

    async def _from_topic(self, first: int) -> None:
        """Up to the first event that does not go on: what comes before that one stays."""
        while self._tree.size < self._upto:
            found = await self._topic.after(self._tree)
            events = found.events[: self._upto - self._tree.size]
            for begin in range(0, len(events), TILE_WIDTH):
                await self._put_back_leading(events[begin : begin + TILE_WIDTH], first)
            if found.refusal is not None and self._tree.size < self._upto:
                raise found.refusal
            if not events:
                return

    async def _put_back_leading(self, events: Sequence[StoredEvent], first: int) -> None:
        """As many of them as follow their records' last ones; NotRefilled for the next."""
        try:
            await self._put_back(events, first)
        except NotRefilled as refusal:
            events = events[: refusal.position - self._tree.size - 1]
            if events:
                await self._put_back(events, first)
                self._tree.extend(leaf_hash(envelope) for envelope, _ in events)
            raise
        self._tree.extend(leaf_hash(envelope) for envelope, _ in events)

    async def _put_back(self, events: Sequence[StoredEvent], first: int) -> None:
        if size := self._seen.first_differing(self._tree, [leaf_hash(envelope) for envelope, _ in events]):
            raise NotRefilled(self._tree.size + 1, f"what follows does not lead to the head at {size} that was seen")
        # Said before the first event is back: what ends in between must not let commands in.
        if not self._files.halted_by(REPAIR).endswith(REFILLED):
            self._files.halt(REPAIR, f"positions from {first} on {REFILLED}")
        await self._ledger.put_back(self._tree.size + 1, events)

    def _say(self, first: int, before: str) -> None:
        """Up to where; nothing else than before where nothing is back."""
        if self._tree.size >= first:
            self._files.halt(REPAIR, f"{self._earlier(before)}positions {first} to {self._tree.size} {REFILLED}")
        elif not before:
            self._files.resume(REPAIR)
        elif before != self._files.halted_by(REPAIR):
            self._files.halt(REPAIR, before)

    def _earlier(self, before: str) -> str:
        """What an earlier run put back; and while more is known, why a restore has halted it."""
        if before.endswith(REFILLED):
            return f"{before.removesuffix(REFILLED)}and "
        return f"{before[:_RESTORED_CHARACTERS_MAX]}; " if before and self._files.known() > self._tree.size else ""
