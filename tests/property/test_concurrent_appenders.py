"""Several committers on one hospital at once: no gap, no wrong version, verdicts that some order explains."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.store.append import (
    Append,
    Appended,
    Bump,
    Claim,
    CommandIdReused,
    Repeated,
    Reservation,
    ReservationConflict,
    Swap,
    Verdict,
    VersionConflict,
)
from ledger.store.committer import GroupCommitter
from ledger.store.connections import writer_pool
from ledger.store.hospitals import add_hospital
from ledger.store.reading import EventReader, StoredRow
from ledger.trust.chain import Link, walk_chain
from tests.contract.store.ledgers import ORIGIN_PREFIX, Stream, command
from tests.services.postgres import Database

COMMITTERS = 3
STREAMS = 4


@dataclass(frozen=True)
class Plan:
    """One command: which committer, which streams, how many events on each, which reservation, whether sent twice."""

    committer: int
    streams: tuple[int, ...]
    events: int
    reservation: str
    key: int
    copies: int
    reuse: bool


plans = st.builds(
    Plan,
    committer=st.integers(0, COMMITTERS - 1),
    streams=st.lists(st.integers(0, STREAMS - 1), max_size=2, unique=True).map(tuple),
    events=st.integers(1, 30),
    reservation=st.sampled_from(["", "", "claim", "swap", "bump"]),
    key=st.integers(0, 1),
    copies=st.integers(1, 2),
    reuse=st.integers(0, 9).map(lambda chance: chance == 0),
)


@dataclass
class Model:
    """The ledger as one thing after the other: what a command must get when its turn comes."""

    versions: Counter[UUID] = field(default_factory=Counter[UUID])
    reservations: dict[tuple[str, bytes], tuple[bytes, int]] = field(
        default_factory=dict[tuple[str, bytes], tuple[bytes, int]]
    )
    commands: dict[UUID, Append] = field(default_factory=dict[UUID, Append])

    def expected(self, append: Append) -> type[Verdict]:
        known = self.commands.get(append.command_id)
        if known:
            return Repeated if known.content == append.content else CommandIdReused
        first: dict[UUID, int] = {}
        for event in append.events:
            first.setdefault(event.stream_id, event.version)
        if any(self.versions[stream] != version - 1 for stream, version in first.items()):
            return VersionConflict
        return Appended if all(map(self._holds, append.reservations)) else ReservationConflict

    def apply(self, append: Append) -> None:
        self.commands[append.command_id] = append
        for event in append.events:
            self.versions[event.stream_id] = event.version
        for held in append.reservations:
            value, counter = self.reservations.get((held.kind, held.key), (b"", 0))
            counter += isinstance(held, Bump)
            self.reservations[held.kind, held.key] = (value if isinstance(held, Bump) else held.value, counter)

    def _holds(self, held: Reservation) -> bool:
        found = self.reservations.get((held.kind, held.key))
        match held:
            case Claim():
                return found is None
            case Swap():
                return found is not None and found[0] == held.expected
            case Bump():
                return (found or (b"", 0))[1] == held.expected


class Hospitals:
    """A fresh hospital for each example, all in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._names: Iterator[str] = (f"h{number}" for number in range(10_000))

    async def fresh(self) -> str:
        name = next(self._names) + "x"
        await add_hospital(self.database.role_url("ledger_migrate"), name, origin_prefix=ORIGIN_PREFIX)
        return name


@pytest.fixture
def hospitals(database: Database) -> Hospitals:
    return Hospitals(database)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(plans, min_size=1, max_size=25), min_size=1, max_size=4))
def test_concurrent_appenders(hospitals: Hospitals, rounds: list[list[Plan]]) -> None:
    """Random batches of commands, each batch decided on one state and sent at once through three committers."""
    asyncio.run(_run(hospitals, rounds))


async def _run(hospitals: Hospitals, rounds: list[list[Plan]]) -> None:
    hospital = await hospitals.fresh()
    pools = [writer_pool(hospitals.database.role_url("ledger_append")) for _ in range(COMMITTERS)]
    committers = [GroupCommitter(hospital, pool) for pool in pools]
    reader = EventReader(pools[0])
    try:
        await _play(hospital, rounds, committers, reader)
    finally:
        for pool in pools:
            await pool.close()


async def _play(
    hospital: str, rounds: list[list[Plan]], committers: Sequence[GroupCommitter], reader: EventReader
) -> None:
    model, streams = Model(), [Stream() for _ in range(STREAMS)]
    for plan in rounds:
        sent = [(entry.committer, append) for entry in plan for append in _commands(entry, streams, model)]
        verdicts = await asyncio.gather(*[committers[at].append(append) for at, append in sent])
        _explain(model, [append for _, append in sent], verdicts)
        await _catch_up(reader, hospital, streams, model)
        await _compare_reservations(reader, hospital, model)
    await _check_ledger(reader, hospital, streams)


def _commands(plan: Plan, streams: Sequence[Stream], model: Model) -> list[Append]:
    """What the plan decides on the state as it was read; its copies go to the committer twice."""
    # A bump fits before and after much else, so only its position can tell when it was: it is never a no-op.
    touched = plan.streams or ((0,) if plan.reservation == "bump" else ())
    events = tuple(
        event
        for at in touched
        for moving in [streams[at].copy()]
        for event in [moving.next_event(uuid4().bytes) for _ in range(plan.events)]
    )
    reused = next(iter(model.commands), None) if plan.reuse else None
    append = command(*events, reservations=_reservations(plan, model), command_id=reused)
    return [append] * plan.copies


def _reservations(plan: Plan, model: Model) -> tuple[Reservation, ...]:
    """Every act falls on the same few keys, for none may undo what another left there."""
    key = bytes([plan.key])
    value, counter = model.reservations.get(("any", key), (b"", 0))
    match plan.reservation:
        case "claim":
            return (Claim("any", key, b"0"),)
        case "swap":
            return (Swap("any", key, value, value + b"1"),)
        case "bump":
            return (Bump("any", key, counter),)
        case _:
            return ()


def _explain(model: Model, sent: Sequence[Append], verdicts: Sequence[Verdict]) -> None:
    """In order of position each append was right, and each refusal was right at some moment between them.

    No-ops have no position and touch no stream; those with a reservation are ordered by what they find.
    """
    appended = [
        (verdict, append) for append, verdict in zip(sent, verdicts, strict=True) if isinstance(verdict, Appended)
    ]
    pending = [append for _, append in sorted(appended, key=lambda pair: pair[0].first_position)]
    refused = [
        (append, verdict) for append, verdict in zip(sent, verdicts, strict=True) if not isinstance(verdict, Appended)
    ]
    possible = [{model.expected(append)} for append, _ in refused]
    while pending:
        turn = next((append for append in pending if model.expected(append) is Appended), None)
        assert turn is not None, "an append that no order explains"
        model.apply(turn)
        pending.remove(turn)
        for (append, _), kinds in zip(refused, possible, strict=True):
            kinds.add(model.expected(append))
    for (_, verdict), kinds in zip(refused, possible, strict=True):
        assert type(verdict) in kinds


async def _catch_up(reader: EventReader, hospital: str, streams: Sequence[Stream], model: Model) -> None:
    for stream in streams:
        head = await reader.stream_head(hospital, stream.stream_id)
        assert (head.version if head else 0) == model.versions[stream.stream_id]
        if head:
            stream.version, stream.leaf = head.version, head.leaf_hash


async def _compare_reservations(reader: EventReader, hospital: str, model: Model) -> None:
    found = await reader.reservation_many(hospital, list(model.reservations))
    assert {held: (row.value, row.counter) for held, row in found.items()} == model.reservations


async def _check_ledger(reader: EventReader, hospital: str, streams: Sequence[Stream]) -> None:
    rows: list[StoredRow] = []
    while page := await reader.read_positions(hospital, len(rows), 500):
        rows += page
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert await reader.head(hospital) == len(rows)
    for stream in streams:
        links = [
            Link(row.envelope, row.body, row.position, row.leaf_hash)
            for row in rows
            if row.stream_id == stream.stream_id
        ]
        assert walk_chain(stream.stream_id.bytes, links) is None
