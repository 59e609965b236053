"""A random history, stored and read back as bytes, is the state of each moment again."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.application.body_codec import encode_body
from ledger.application.recorded_event import LedgerMapper, Place, RecordedEvent, draft, record
from ledger.domain.decide import decide
from ledger.domain.evolve import evolve
from ledger.domain.refusal import Refused
from ledger.domain.values import VisitType
from ledger.store.stored_state import split_state
from ledger.trust.envelope import decode
from ledger.trust.verify import Row, Summary, copies_of, verify_rows
from tests.property.domain_moves import Move, command_of, facts_of, walks
from tests.services.sealed import FIXED_KEY, plaintext_of
from tests.unit.domain.given import Stream, by_signer, registered

pytestmark = pytest.mark.property
ORIGIN = "ledger.example/north/1"
STREAM = UUID("5a1c4b52-6a55-4b0e-9a8b-2a8f6f0f7a01")


def lived(visit: VisitType, moves: list[Move]) -> tuple[Stream, list[datetime]]:
    """A record after a walk through the real domain, and when each event was recorded."""
    stream, minutes = registered(visit), 0
    times = [facts_of(0, 0).now]
    for number, move in enumerate(moves):
        minutes += move.minutes
        command = command_of(stream.record, move)
        known = by_signer(command, facts_of(number, minutes))
        try:
            decision = decide(command, stream.record, known)
        except Refused:
            continue
        for event in decision.events:
            stream.apply(event, known.now)
            times.append(known.now)
    return stream, times


def stored(stream: Stream, times: list[datetime]) -> list[RecordedEvent]:
    """The events with their envelopes and bodies, each following the one before."""
    made = [
        (event, Place(ORIGIN, STREAM, version, at, b""))
        for version, (event, at) in enumerate(zip(stream.events, times, strict=True), start=1)
    ]
    sealed = asyncio.run(FIXED_KEY.seal([draft(*each, encode_body(each[0])) for each in made]))
    return [record(*each, stored) for each, stored in zip(made, sealed, strict=True)]


@given(st.sampled_from(list(VisitType)), walks())
@settings(max_examples=120, deadline=None)
def test_stored_bytes_give_the_state_of_every_moment(visit: VisitType, moves: list[Move]) -> None:
    """Decoded from nothing but envelope and body, the first n events give the state that the record had then."""
    stream, times = lived(visit, moves)
    mapper, state = LedgerMapper(), None
    for version, row in enumerate(stored(stream, times), start=1):
        plaintext = plaintext_of(row.envelope, row.body)
        read = mapper.read(row.envelope, row.body, plaintext)
        assert (read.originator_id, read.originator_version, read.event) == (
            STREAM,
            version,
            stream.events[version - 1],
        )
        state = evolve(state, read.event, read.originator_version, read.recorded_at)
        assert state == stream.history[version]
        assert encode_body(read.event) == plaintext, "what is decoded is what would be written"


@given(st.sampled_from(list(VisitType)), walks(length_max=20))
@settings(max_examples=60, deadline=None)
def test_the_library_form_holds_the_same_bytes(visit: VisitType, moves: list[Move]) -> None:
    """In eventsourcing's StoredEvent nothing is serialised again: envelope and sealed body come out as they went in."""
    mapper = LedgerMapper()
    for row in stored(*lived(visit, moves)):
        assert split_state(mapper.to_stored_event(row).state) == (row.envelope, row.body)


@given(st.sampled_from(list(VisitType)), walks(length_max=20))
@settings(max_examples=60, deadline=None)
def test_a_stored_history_verifies(visit: VisitType, moves: list[Move]) -> None:
    """The walk that checks a ledger finds no fault in what the ledger writes."""
    rows = stored(*lived(visit, moves))
    found = verify_rows(
        Row(position, row.envelope, row.body, copies_of(decode(row.envelope), row.envelope))
        for position, row in enumerate(rows, start=1)
    )
    assert isinstance(found, Summary)
    assert (found.events, found.streams) == (len(rows), 1)
