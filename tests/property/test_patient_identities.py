"""Who is shown as one person, over any number of links and merges, however the two streams of each arrive."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from projections.checkpoint import Delivered
from projections.connections import Connection
from projections.generation import add_building, discard, prepare
from projections.patient_index.view import PatientIndex
from projections.projector import Projector
from projections.tables import writing_statements
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import PARTITIONS, Ground, partition_of
from tests.services.sealed import opened_event

OWN, MERGED, LINKED = 1, 2, 3
PATIENTS = 6
IDENTITIES_MAX = 1_000
VIEW = PatientIndex()
_EPOCHS = count(1)
_moves = st.tuples(
    st.sampled_from(("link", "link", "merge", "unlink", "unmerge")),
    st.integers(0, PATIENTS - 1),
    st.integers(0, PATIENTS - 1),
)
Move = tuple[str, int, int]


@dataclass
class Persons:
    """The same thing, told by sets: what the hospital said, and the two streams of each saying."""

    streams: list[h.EventStream] = field(
        default_factory=lambda: [h.EventStream(UUID(int=100 + number)) for number in range(PATIENTS)]
    )
    links: set[frozenset[int]] = field(default_factory=set[frozenset[int]])
    into: dict[int, int] = field(default_factory=dict[int, int])

    def do(self, move: Move) -> list[h.Sealed]:
        """The events of a move; none where the write side would refuse it."""
        kind, one, other = move
        first, second = self.streams[one], self.streams[other]
        pair = frozenset({one, other})
        match kind:
            case "link" if one != other and pair not in self.links:
                self.links.add(pair)
                return [first.seal(life.linked(second.stream_id)), second.seal(life.linked(first.stream_id))]
            case "unlink" if pair in self.links:
                self.links.remove(pair)
                return [first.seal(life.unlinked(second.stream_id)), second.seal(life.unlinked(first.stream_id))]
            case "merge" if one != other and not {one, other} & self.into.keys() and one not in self.into.values():
                self.into[one] = other
                gone = first.seal(life.merged(second.stream_id, survivor=False))
                return [gone, second.seal(life.merged(first.stream_id, survivor=True))]
            case "unmerge" if self.into.get(one) == other:
                del self.into[one]
                return [first.seal(life.unmerged(second.stream_id)), second.seal(life.unmerged(first.stream_id))]
            case _:
                return []

    def standings(self, asked: int) -> dict[int, int]:
        """Everybody who is reached from the patient, and how."""
        own = self.into.get(asked, asked)
        same = {own, *(each for each, into in self.into.items() if into == own)}
        reached, waiting = set[int](), set(same)
        while waiting:
            each = waiting.pop()
            reached.add(each)
            waiting |= self._beside(each) - reached
        return {each: OWN if each == own else MERGED if each in same else LINKED for each in reached}

    def _beside(self, each: int) -> set[int]:
        linked = {other for pair in self.links if each in pair for other in pair}
        return linked | {one for pair in self.into.items() if each in pair for one in pair}


@given(moves=st.lists(_moves, max_size=25), data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_everybody_who_is_reached_is_shown_and_nobody_else(
    ground: Ground, moves: list[Move], data: st.DataObject
) -> None:
    """Links and merges are followed to their end in every direction, rings too; a rebuild in another order agrees."""
    persons = Persons()
    events = [each.seal(h.patient_registered(f"C{number}")) for number, each in enumerate(persons.streams)]
    events += [event for move in moves for event in persons.do(move)]
    history = delivered(events)
    order = data.draw(st.permutations(range(PARTITIONS)))
    rebuilt = [each for partition in order for each in history if each.partition == partition]
    async with ground.pool.connection() as connection:
        await prepare(connection, "north")
        for arrival in (history, rebuilt):
            async with built(connection, arrival) as shown:
                for number in range(PATIENTS):
                    assert await shown(number) == persons.standings(number)


@given(length=st.integers(1, PATIENTS))
@example(length=PATIENTS)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_ring_of_merges_ends(ground: Ground, length: int) -> None:
    """No ledger of ours holds one; one that did would show one person, under the same identity whoever is asked for."""
    persons = Persons()
    streams = persons.streams[:length]
    events = [each.seal(h.patient_registered(f"C{number}")) for number, each in enumerate(streams)]
    for one, other in zip(streams, [*streams[1:], streams[0]], strict=True):
        events.append(one.seal(life.merged(other.stream_id, survivor=False)))
        events.append(other.seal(life.merged(one.stream_id, survivor=True)))
    async with ground.pool.connection() as connection:
        await prepare(connection, "north")
        async with built(connection, delivered(events)) as shown:
            found = [await shown(number) for number in range(length)]
    assert found == [{0: OWN} | dict.fromkeys(range(1, length), MERGED)] * length


def delivered(events: Iterable[h.Sealed]) -> list[Delivered]:
    """The events with their places."""
    return [
        Delivered(
            partition_of(each.stream_id.bytes, PARTITIONS),
            position,
            "t1",
            opened_event(position, each.envelope, each.body),
        )
        for position, each in enumerate(events, 1)
    ]


class Shown:
    """What one build answers."""

    def __init__(self, connection: Connection, statement: bytes) -> None:
        self._connection = connection
        self._statement = statement

    async def __call__(self, number: int) -> Mapping[int, int]:
        """Standings by number of the patient."""
        cursor = await self._connection.execute(self._statement, (UUID(int=100 + number), IDENTITIES_MAX))
        return {patient_id.int - 100: standing for patient_id, standing, _ in await cursor.fetchall()}


@asynccontextmanager
async def built(connection: Connection, history: list[Delivered]) -> AsyncGenerator[Shown]:
    """A generation of its own with these events in it."""
    generation = (await add_building(connection, "north", VIEW, PARTITIONS)).number
    try:
        projector = Projector("north", VIEW, generation, next(_EPOCHS))
        await projector.take_over(connection)
        await projector.handle(connection, history)
        yield Shown(connection, writing_statements("north", VIEW, generation)["identities_of"])
    finally:
        await discard(connection, "north", VIEW, generation)
