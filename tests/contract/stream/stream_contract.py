"""What every carrier of the published stream promises; the test modules run it on each."""

import asyncio
from uuid import uuid4

import pytest

from ledger.stream.contract import START, UNREADABLE, GapDetector, PublishedEvent, StreamReader, StreamUnavailable
from tests.contract.stream.conftest import Carrier
from tests.contract.stream.loaded_ledger import LoadedLedger, assert_exactly_once, read_to_end
from tests.eventually import eventually

_WAITS_SECONDS_MAX = 45.0
"""How long a look waits that is to find something; it ends with what comes."""


class StreamContract:
    """Subclasses provide the fixture `carrier`."""

    async def test_everything_comes_once_in_order_unchanged(self, carrier: Carrier) -> None:
        """Stored bytes, versions without a hole in each record, predecessors named without a gap."""
        ledger = await carrier.add("north")
        ledger.append(2_500)
        await carrier.publish(ledger)
        events = _read_all(carrier, ledger)
        _assert_exactly_once(carrier, ledger, events)
        assert {event.origin for event in events} == {f"ledger.test/{ledger.hospital}/1"}
        assert {event.hospital for event in events} == {ledger.hospital}

    async def test_events_appended_later_follow(self, carrier: Carrier) -> None:
        """Several runs of the publisher make one stream."""
        ledger = await carrier.add("north")
        for count in (1, 30, 1, 400):
            ledger.append(count)
            await carrier.publish(ledger)
        _assert_exactly_once(carrier, ledger, _read_all(carrier, ledger))

    async def test_waiting_poll_gets_what_is_appended_meanwhile(self, carrier: Carrier) -> None:
        """Without another look by the caller."""
        ledger = await carrier.add("north")
        ledger.append(10)
        async with carrier.publishing():
            reader = await asyncio.to_thread(_reader_when_published, carrier, ledger)
            waiting = asyncio.create_task(asyncio.to_thread(_next, reader))
            ledger.append(1)
            events = await waiting
            assert [event.position for event in events] == [11]
            reader.close()

    async def test_reading_goes_on_behind_any_event(self, carrier: Carrier) -> None:
        """Every event's token is a place to go on: what follows is exactly the rest of its partition."""
        ledger = await carrier.add("north")
        ledger.append(300)
        await carrier.publish(ledger)
        events = _read_all(carrier, ledger)
        reader = carrier.records(ledger)
        for event in events[::37]:
            rest = [
                each.position for each in events if each.partition == event.partition and each.position > event.position
            ]
            for partition in range(reader.partitions()):
                reader.seek(partition, reader.end(partition))
            reader.seek(event.partition, event.next_offset)
            assert [each.position for each in _drain(reader, len(rest))] == rest
        reader.close()

    async def test_read_from_start_again_skips_what_was_handled(self, carrier: Carrier) -> None:
        """A topic made anew has other offsets: read from START, skip up to the checkpoint, prove that nothing lacks."""
        ledger = await carrier.add("north")
        ledger.append(200)
        await carrier.publish(ledger)
        first = _read_all(carrier, ledger)
        handled = {event.partition: event.position for event in first}
        ledger.append(50)
        await carrier.publish(ledger)
        gaps = GapDetector(handled)
        new = [event.position for event in _read_all(carrier, ledger) if gaps.is_new(event)]
        assert sorted(new) == list(range(201, 251))

    async def test_poll_keeps_its_limits(self, carrier: Carrier) -> None:
        """Never more events than asked for; an empty answer when the time is over."""
        ledger = await carrier.add("north")
        ledger.append(100)
        await carrier.publish(ledger)
        reader = carrier.records(ledger)
        _to_start(reader)
        sizes: list[int] = []
        while sum(sizes) < 100:
            sizes.append(len(reader.poll(2.0, 7)))
        assert max(sizes) <= 7
        assert not reader.poll(0.4, 7)
        reader.close()

    async def test_end_is_behind_all_that_is_there(self, carrier: Carrier) -> None:
        """Going on at the end shows what comes later, and nothing else."""
        ledger = await carrier.add("north")
        ledger.append(40)
        await carrier.publish(ledger)
        reader = carrier.records(ledger)
        for partition in range(reader.partitions()):
            reader.seek(partition, reader.end(partition))
        assert not reader.poll(0.5, 100)
        ledger.append(3)
        await carrier.publish(ledger)
        assert sorted(event.position for event in _drain(reader, 3)) == [41, 42, 43]
        reader.close()

    async def test_identity_of_a_topic_is_its_own(self, carrier: Carrier) -> None:
        """The same for every reader, another for another hospital."""
        one, other = await carrier.add("north"), await carrier.add("south")
        one.append(1)
        other.append(1)
        await carrier.publish(one, other)
        readers = [carrier.records(one), carrier.records(one), carrier.records(other)]
        first, again, different = [reader.topic_id() for reader in readers]
        assert first == again
        assert first != different
        for reader in readers:
            reader.close()

    async def test_trace_rides_beside_the_event(self, carrier: Carrier) -> None:
        """`traceparent` as it was stored; absent where none was."""
        ledger = await carrier.add("north")
        ledger.append(2)
        ledger.trace(1, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        await carrier.publish(ledger)
        traces = {event.position: event.traceparent for event in _read_all(carrier, ledger)}
        assert traces == {1: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 2: None}

    async def test_type_of_another_release_is_published_as_any_other(self, carrier: Carrier) -> None:
        """Its name and its bytes unchanged, and all that comes after it: who reads it decides what stops."""
        ledger = await carrier.add("north")
        ledger.append(5)
        position = ledger.append_foreign("ledger.v9.Unheard")
        ledger.append(5)
        await carrier.publish(ledger)
        events = _read_all(carrier, ledger)
        _assert_exactly_once(carrier, ledger, events)
        assert [event.position for event in events if event.type == "ledger.v9.Unheard"] == [position]

    async def test_unreadable_envelope_stops_nothing_but_its_event(self, carrier: Carrier) -> None:
        """It comes in its place and with its record, marked as unreadable, its bytes as stored; the others as ever."""
        ledger = await carrier.add("north")
        ledger.append(10)
        spoilt = ledger.append_foreign("ledger.v1.EntryRecorded")
        ledger.spoil(spoilt)
        ledger.append(10)
        await carrier.publish(ledger)
        events = {event.position: event for event in _read_all(carrier, ledger)}
        assert sorted(events) == list(range(1, 22))
        assert [each.position for each in events.values() if each.type == UNREADABLE] == [spoilt]
        found = events[spoilt]
        assert (found.stream_id, found.version) == (ledger.records[0].stream_id, ledger.records[0].version)
        assert (found.envelope, found.body) == ledger.stored()[spoilt]

    async def test_unreadable_offer_stops_no_other(self, carrier: Carrier) -> None:
        """Nobody knows any more for whom it was, so it goes to nobody; the next offer follows."""
        north, south = await carrier.add("north"), await carrier.add("south")
        spoilt = north.offer(south.hospital)
        north.spoil(spoilt)
        whole = north.offer(south.hospital)
        await carrier.publish(north, south)
        found = _all_transfers(carrier, south)
        assert [(each.origin, each.position) for each in found] == [(_origin(north), whole)]

    async def test_offers_and_answers_come_to_the_other_hospital(self, carrier: Carrier) -> None:
        """Each once, told by origin and position, in the sender's order; others see nothing of it."""
        north, east, south = await carrier.add("north"), await carrier.add("east"), await carrier.add("south")
        north.append(20)
        offers = [north.offer(south.hospital) for _ in range(3)]
        east.append(5)
        late = east.offer(south.hospital)
        answer = south.answer(north.hospital)
        await carrier.publish(north, east, south)
        to_south = _all_transfers(carrier, south)
        assert _sources(to_south) == {(_origin(north), position) for position in offers} | {(_origin(east), late)}
        assert [event.position for event in to_south if event.origin == _origin(north)] == offers
        stored = north.stored()
        assert all(stored[e.position] == (e.envelope, e.body) for e in to_south if e.origin == _origin(north))
        assert _sources(_all_transfers(carrier, north)) == {(_origin(south), answer)}
        assert _all_transfers(carrier, east) == []

    async def test_unknown_hospital_is_said(self, carrier: Carrier) -> None:
        """Silence is never taken for emptiness."""
        nobody = LoadedLedger(carrier.database, f"nobody-{uuid4().hex[:8]}", 1)
        with pytest.raises(StreamUnavailable):
            carrier.records(nobody)


def _origin(ledger: LoadedLedger) -> str:
    return f"ledger.test/{ledger.hospital}/1"


def _sources(events: list[PublishedEvent]) -> set[tuple[str, int]]:
    return {(event.origin, event.position) for event in events}


def _assert_exactly_once(carrier: Carrier, ledger: LoadedLedger, events: list[PublishedEvent]) -> None:
    partitions = ledger.partitions if carrier.settings.stream == "kafka" else 1
    assert_exactly_once(LoadedLedger(ledger.database, ledger.hospital, partitions), events)


def _to_start(reader: StreamReader) -> None:
    for partition in range(reader.partitions()):
        reader.seek(partition, START)


def _read_all(carrier: Carrier, ledger: LoadedLedger) -> list[PublishedEvent]:
    reader = carrier.records(ledger)
    try:
        return read_to_end(reader)
    finally:
        reader.close()


def _all_transfers(carrier: Carrier, recipient: LoadedLedger) -> list[PublishedEvent]:
    reader = carrier.transfers(recipient)
    try:
        return read_to_end(reader)
    finally:
        reader.close()


def _drain(reader: StreamReader, count: int) -> list[PublishedEvent]:
    """The next `count` events, and any that come with them."""
    found: list[PublishedEvent] = []
    eventually(lambda: len(found) >= count or found.extend(reader.poll(0.5, 1000)), what=f"{count} events")
    return found


def _next(reader: StreamReader) -> list[PublishedEvent]:
    """One look, which waits."""
    return list(reader.poll(_WAITS_SECONDS_MAX, 100))


def _reader_when_published(carrier: Carrier, ledger: LoadedLedger) -> StreamReader:
    """A reader that has read all there was."""

    def opened() -> StreamReader | None:
        try:
            return carrier.records(ledger)
        except StreamUnavailable:
            return None

    reader = eventually(opened, what="the topic")
    assert reader is not None
    _to_start(reader)
    assert len(_drain(reader, ledger.head)) == ledger.head
    return reader
