"""Old bodies, new code: the steps run one after the other, and `evolve` sees only the newest version."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from ledger.application import upcast
from ledger.application.body_codec import decode_body, encode_body
from ledger.domain import events
from ledger.domain.values import Actor, EventMeta
from tests.unit.domain.given import NOW

ENTRY = UUID(int=9)
META = EventMeta(Actor(UUID(int=1), "Dr. Wu"), NOW, UUID(int=2))


@dataclass(frozen=True)
class EntryRetracted:
    """The event as a first release had stored it."""

    meta: EventMeta
    entry_id: UUID
    reason: str


@dataclass(frozen=True)
class Second:
    """The event as a second release had it: it said in which of two ways."""

    meta: EventMeta
    entry_id: UUID
    reason: str
    hidden: bool


def test_an_old_body_goes_through_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """v0 -> v1 -> v2: stored bytes of the first version give the newest event, and stay as they are."""
    monkeypatch.setitem(upcast.READABLE, "ledger.v0.EntryRetracted", EntryRetracted)
    monkeypatch.setitem(upcast.STEPS, EntryRetracted, _say_that_it_is_hidden)
    monkeypatch.setitem(upcast.STEPS, Second, _newest)
    stored = encode_body(events.EntryRetracted(META, ENTRY, "wrong patient"))
    assert decode_body("ledger.v0.EntryRetracted", stored) == events.EntryRetracted(
        META, ENTRY, "wrong patient (hidden)"
    )
    assert decode_body("ledger.v1.EntryRetracted", stored) == events.EntryRetracted(META, ENTRY, "wrong patient")


def _say_that_it_is_hidden(old: EntryRetracted) -> Second:
    return Second(old.meta, old.entry_id, old.reason, hidden=True)


def _newest(old: Second) -> events.EntryRetracted:
    return events.EntryRetracted(old.meta, old.entry_id, f"{old.reason} (hidden)" if old.hidden else old.reason)
