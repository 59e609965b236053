"""Guards that many commands share."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from ledger.domain.commands import Command
from ledger.domain.decision import Claim, Decision, Facts, Reservation, Swap
from ledger.domain.disposal_list import DisposalListState
from ledger.domain.events import Event
from ledger.domain.faults import Faults, refuse
from ledger.domain.lifecycle import command_faults, state_faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import DIGEST_BYTES, Taken, encode_claim
from ledger.domain.state import PackageState, PatientState, RecordState, StreamState

T = TypeVar("T", RecordState, PatientState, PackageState, DisposalListState)
TEXT_MAX = 4000
CODE_MAX = 64


def expect(state: StreamState | None, kind: type[T], field: str) -> T:
    """The state, if the stream is of the kind that the command acts on."""
    if not isinstance(state, kind):
        raise refuse(RefusalKind.NOT_FOUND, field, "WRONG_STREAM", "the id names a stream of another kind")
    return state


def begin(command: Command, state: RecordState, facts: Facts) -> Faults:
    """The faults of a command on a record that the declaration knows, and of its time."""
    faults = Faults()
    for fault in state_faults(type(command), state, facts):
        faults.note(fault, RefusalKind.STATE)
    for kind, fault in command_faults(command, state, facts):
        faults.note(fault, kind)
    check_time(facts, faults)
    return faults


def check_reason(reason: str, faults: Faults, field: str = "reason") -> None:
    """Notes a reason that is missing or too long."""
    faults.require(reason, field)
    faults.text(reason, field, TEXT_MAX)


def check_time(facts: Facts, faults: Faults) -> None:
    """Notes a time in the future. Any time back is allowed: a late entry is tagged, never blocked."""
    occurred_at = facts.context.occurred_at
    if occurred_at is not None and occurred_at - facts.now > facts.pack.ahead_max:
        seconds = int(facts.pack.ahead_max.total_seconds())
        faults.add("context.occurred_at", "TIME_IN_FUTURE", f"at most {seconds} seconds ahead")


def on_record(
    record_id: UUID,
    *events: Event,
    source: Reservation | None = None,
    beside: tuple[Reservation, ...] = (),
    **result: UUID | bytes,
) -> Decision:
    """A decision that adds events to a record; `source` and `beside` are what it claims."""
    return Decision(record_id, "record", events, (*(() if source is None else (source,)), *beside), result)


def taken_before(facts: Facts, taken: Taken, stream_id: UUID | None = None) -> bool:
    """Whether the stream (None = any) took the same from the command's source item, with exactly this content.

    Then there is nothing to add.
    """
    source, claimed = facts.context.source, facts.claimed
    if source is None or claimed is None or stream_id not in (None, claimed.stream_id):
        return False
    # One item may be sent with commands of two kinds. The second is not done because the first was.
    if claimed.taken is not taken:
        return False
    return claimed.content_sha256 == source.content_sha256


def linked_here(facts: Facts, stream_id: UUID) -> bool:
    """Whether the command's source item is only linked to something of the stream: it may still become an own entry."""
    claimed = facts.claimed
    return claimed is not None and claimed.taken is Taken.LINKED and claimed.stream_id == stream_id


def check_untaken(facts: Facts, taken: Taken, record_id: UUID, faults: Faults) -> None:
    """Notes a source item that was taken up before and cannot be amended by this command."""
    if facts.context.source is None or facts.claimed is None:
        return
    if facts.claimed.stream_id != record_id or facts.claimed.taken is not taken:
        note_elsewhere(faults)
    else:
        faults.add("context.source", "SOURCE_CHANGED", "what the item brought is not changed by it", RefusalKind.STATE)


def note_elsewhere(faults: Faults) -> None:
    """Notes a source item that something else was made from."""
    faults.add("context.source", "SOURCE_ELSEWHERE", "something else holds the item", RefusalKind.STATE)


def source_claim(facts: Facts, taken: Taken, entry_id: UUID | None = None) -> Reservation | None:
    """Claims the command's source item for what it makes, or moves the claim to the new content."""
    source = facts.context.source
    if source is None:
        return None
    parts = (source.system, source.type, source.id)
    value = encode_claim(taken, entry_id, source.content_sha256)
    held = facts.claimed
    if held is None:
        return Claim("source", parts, value)
    return Swap("source", parts, encode_claim(held.taken, held.entry_id, held.content_sha256), value)


def check_source(facts: Facts, faults: Faults) -> None:
    """Notes what a source item lacks."""
    source = facts.context.source
    if source is None:
        return
    for name in ("system", "type", "id"):
        faults.require(getattr(source, name), f"context.source.{name}")
    if len(source.content_sha256) != DIGEST_BYTES:
        faults.add("context.source.content_sha256", "MALFORMED_DIGEST", "32 bytes are required")
