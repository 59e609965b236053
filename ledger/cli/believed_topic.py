"""What of a topic may come back into a ledger: whoever writes the topic could go on with anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.log.log_files import LogFiles
from ledger.log.seen_files import read_seen
from ledger.log.seen_heads import SeenHeads
from ledger.log.signed_history import AnotherHistory, require_beginning
from ledger.store.refill import NotRefilled
from ledger.stream.contract import PublishedEvent
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.sealing import Opener, SealFault, SealFaultKind
from ledger.trust.tile import TILE_WIDTH

Following = Callable[[int], Sequence[PublishedEvent]]
"""What follows a position on the topic, without a gap: a page of it."""
StoredEvent = tuple[bytes, bytes]
"""Envelope and body."""


@dataclass(frozen=True, slots=True)
class Believed:
    """What of a page of the topic goes on from a tree."""

    events: Sequence[StoredEvent]
    refusal: NotRefilled | None
    """Why the event behind them does not; None where all of the page does, or nothing is there."""


class BelievedTopic:
    """One ledger's: as far as the log has signed its tree says what follows, beyond that the records' keys do."""

    def __init__(self, topic: Following, files: LogFiles, signed: Checkpoint, opener: Opener | None) -> None:
        """`opener`: without one no event is believed that no log has signed."""
        self._topic = topic
        self._files = files
        self._signed = signed
        self._opener = opener

    async def after(self, tree: Frontier) -> Believed:
        """What goes on from the ledger's tree. StreamUnavailable, LogDamaged, BlobError."""
        events = [(each.envelope, each.body) for each in await asyncio.to_thread(self._topic, tree.size)]
        if not events:
            return Believed((), None)
        seen = SeenHeads(await asyncio.to_thread(read_seen, self._files))
        if size := seen.first_differing(tree, [leaf_hash(envelope) for envelope, _ in events]):
            # Which of them parts from what was seen, nothing says.
            return Believed(
                (), NotRefilled(tree.size + 1, f"what follows does not lead to the head at {size} that was seen")
            )
        signed = min(len(events), max(0, self._signed.size - tree.size))
        held = await asyncio.to_thread(self._as_signed, tree, events[:signed])
        if held < signed:
            return Believed(events[:held], NotRefilled(tree.size + held + 1, "not the event that was signed"))
        opened, why = await self._opening(events[signed:])
        refusal = NotRefilled(tree.size + signed + opened + 1, f"not signed yet, and {why}") if why else None
        return Believed(events[: signed + opened], refusal)

    async def end(self, position: int) -> int:
        """The last position to which the topic goes on from one without a gap. StreamUnavailable."""
        while following := await asyncio.to_thread(self._topic, position):
            position += len(following)
        return position

    def _as_signed(self, tree: Frontier, events: Sequence[StoredEvent]) -> int:
        """How many of them, from the first on, are what the log has signed."""
        grown, leaves = Frontier(tree.size, tree.peaks), [leaf_hash(envelope) for envelope, _ in events]
        for begin in range(0, len(leaves), TILE_WIDTH):
            part = leaves[begin : begin + TILE_WIDTH]
            if not self._leads_on(grown, part):
                return begin + next(at for at in range(len(part)) if not self._leads_on(grown, part[: at + 1]))
            grown.extend(part)
        return len(leaves)

    def _leads_on(self, tree: Frontier, leaves: Sequence[bytes]) -> bool:
        grown = Frontier(tree.size, tree.peaks)
        grown.extend(leaves)
        try:
            require_beginning(self._files, grown, self._signed)
        except AnotherHistory:
            return False
        return True

    async def _opening(self, events: Sequence[StoredEvent]) -> tuple[int, str]:
        """How many of them, from the first on, open under their records' keys; and why the next one does not."""
        if not events:
            return 0, ""
        if self._opener is None:
            return 0, "to be opened, for which LEDGER_KEY_FILE is not set"
        for begin in range(0, len(events), TILE_WIDTH):
            for at, opening in enumerate(await self._opener.open(events[begin : begin + TILE_WIDTH]), begin):
                # What is left of a record whose key is gone opens nowhere, and what is forged there destroys nothing.
                if isinstance(opening, SealFault) and opening.kind is not SealFaultKind.TOMBSTONE:
                    return at, opening.kind.value
        return len(events), ""
