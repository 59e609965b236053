"""Whether the ledger is still the one that was published: a backup put back in its place ends earlier, or differs."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.publisher.ledger_log import LedgerLog
from ledger.stream.contract import StreamError


class LedgerRolledBack(StreamError):
    """The ledger is not the one whose events were published; nothing more is published until a person decides."""

    def __init__(self, hospital: str, position: int, what: str) -> None:
        super().__init__(f"hospital {hospital}: published up to position {position}, {what}")
        self.hospital = hospital
        self.position = position


async def refuse_if_rolled_back(
    log: LedgerLog, hospital: str, upto: int, published: Mapping[int, bytes], advice: str = ""
) -> None:
    """Raises LedgerRolledBack where the ledger ends below `upto`, or has other bytes than those published.

    `published`: envelopes as they stand on the stream, by position; the last one of each partition is enough, since
    every envelope names the one before. `advice`: what else to say to whoever decides.
    """
    head = (await log.heads([hospital])).get(hospital, 0)
    if head < upto:
        raise LedgerRolledBack(hospital, upto, f"but the ledger ends at {head}{advice}")
    stored = await log.envelopes(hospital, list(published))
    for position, envelope in sorted(published.items()):
        if stored.get(position) != envelope:
            raise LedgerRolledBack(hospital, upto, f"but the ledger has another event at {position}{advice}")
