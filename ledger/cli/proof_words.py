"""What a proof says and what it does not, in sentences: for the terminal, and for the page that a judge reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from ledger.trust.pack_check import PackStatement
from ledger.trust.policy import Witnessed


def pack_words(statement: PackStatement) -> Iterator[str]:
    """The statement of a pack, claimed and proven apart."""
    events = statement.envelopes
    yield (
        f"Record {UUID(bytes=statement.record_id)}: {len(events):,} events, "
        f"recorded {utc(events[0].recorded_at)} to {utc(events[-1].recorded_at)} (as the ledger claims)."
    )
    yield (
        f"Nothing is missing up to version {statement.mapped_version}, which was the record's last at position "
        f"{statement.map_size:,}, when the ledger published its map ({utc(statement.map_recorded_at)}, claimed)."
    )
    if len(events) > statement.mapped_version:
        yield "The later events are in the log; that there are no others after that position is only claimed."
    else:
        yield "That no event came after that position is only claimed."
    if statement.audited_by:
        yield f"The map was rebuilt from the entries and found right by {', '.join(statement.audited_by)}."
    else:
        yield "Map unaudited: no trusted monitor says that the map itself is right."
    yield f"Bodies in the pack: {statement.bodies:,} as stored, {statement.opened:,} opened; each is the event's own."
    yield from witnessed_words(statement.witnessed)


def witnessed_words(witnessed: Witnessed) -> Iterator[str]:
    """Which log, who saw it, and since when it is proven."""
    checkpoint = witnessed.checkpoint
    yield f"Log {checkpoint.origin}, signed at {checkpoint.size:,} events."
    for name, time in sorted(witnessed.times.items(), key=lambda each: each[1]):
        yield f"Witness {name} saw it at {utc(time * 1_000_000)}."
    if witnessed.proven_time is None:
        yield "Proven time: none, since no witness was asked for; the log's key alone vouches for it."
    else:
        yield f"Proven time: it existed at the latest at {utc(witnessed.proven_time * 1_000_000)}."


def utc(microseconds: int) -> str:
    """A time in ISO 8601, to the second."""
    try:
        return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{microseconds} microseconds after 1970"
