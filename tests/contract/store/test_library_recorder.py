"""The library's own recorder test case, run on our recorder over a real database."""

from __future__ import annotations

import asyncio
import unittest
from uuid import uuid4

import pytest
from eventsourcing.persistence import ProgrammingError, StoredEvent
from eventsourcing.tests.persistence import ApplicationRecorderTestCase
from hypothesis import given
from hypothesis import strategies as st

from ledger.store.append import BODY_BYTES_MAX, EVENTS_MAX, NewEvent
from ledger.store.hospitals import add_hospital
from ledger.store.recorder import LedgerRecorder, ledger_datastore
from ledger.store.stored_state import join_state, split_state
from tests.contract.store.ledgers import Stream
from tests.services.postgres import Database

_CASES = ("test_insert_select", "test_performance", "test_concurrent_no_conflicts", "test_concurrent_throughput")


@pytest.fixture
def recorder(database: Database) -> LedgerRecorder:
    """A recorder over a fresh hospital."""
    asyncio.run(add_hospital(database.url, "north", origin_prefix="ledger.test"))
    return LedgerRecorder(ledger_datastore(database.role_url("ledger_append"), "north"), "north")


@pytest.mark.parametrize("name", _CASES)
def test_the_librarys_own_case_holds(name: str, recorder: LedgerRecorder) -> None:
    """Everything that the library expects of an application recorder."""

    class Case(ApplicationRecorderTestCase[LedgerRecorder]):
        def create_recorder(self) -> LedgerRecorder:
            return recorder

    result = unittest.TestResult()
    Case(name).run(result)
    recorder.datastore.close()
    assert not result.errors + result.failures, (result.errors + result.failures)[0][1]


def test_no_case_of_the_library_is_left_out() -> None:
    """A new release of the library cannot bring a case that is silently not run."""
    assert set(unittest.TestLoader().getTestCaseNames(ApplicationRecorderTestCase)) == set(_CASES)


@given(st.binary(max_size=6000))
def test_any_state_comes_back_as_it_was(state: bytes) -> None:
    """The split into two columns is exact for bytes of any kind."""
    assert join_state(*split_state(state)) == state


def test_what_no_store_may_take_is_refused(recorder: LedgerRecorder) -> None:
    """Sealed events are checked as those of a command are: their number, their sizes, their order."""
    stream = Stream()
    events = [stream.next_event() for _ in range(EVENTS_MAX + 1)]
    oversize = Stream().next_event(bytes(BODY_BYTES_MAX + 1))
    for refused in (events, [oversize], [events[0], events[2]]):
        with pytest.raises(ProgrammingError):
            recorder.insert_events([_stored(event) for event in refused])
    assert recorder.insert_events([_stored(event) for event in events[:EVENTS_MAX]]) == list(range(1, EVENTS_MAX + 1))
    recorder.datastore.close()


def _stored(event: NewEvent) -> StoredEvent:
    return StoredEvent(event.stream_id, event.version, event.type, join_state(event.envelope, event.body))


def test_positions_are_the_notification_ids(recorder: LedgerRecorder) -> None:
    """What the library calls a notification id is the position in the ledger."""
    ids = [recorder.insert_events([StoredEvent(uuid4(), 1, "topic", b"state")]) for _ in range(3)]
    recorder.datastore.close()
    assert ids == [[1], [2], [3]]
