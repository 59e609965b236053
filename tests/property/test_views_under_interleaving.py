"""A view's content is a function of the set of events, however partitions interleave and batches are cut."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from random import Random
from uuid import UUID

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.api.v1 import keeping_values_pb2 as values
from ledger.trust.sealing import Destroyed
from ledger.views.bodies import BODIES
from ledger.views.view import View
from projections.checkpoint import Checkpoint, Delivered
from projections.connections import Connection
from projections.digests import ContentDigest, digest_of_generation
from projections.fold import fold, plan
from projections.generation import add_building, discard, prepare
from projections.projector import Projector
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.corpus_bodies import KINDS, example
from tests.contract.views.ground import PARTITIONS, Ground, partition_of
from tests.services.sealed import opened_event

Body = Callable[[UUID], Message | None]
_EPOCHS = count(1)
_ITEMS = [UUID(int=number) for number in range(1, 4)]
_POISON = "ledger.v9.Unheard"

_BODIES: Sequence[Body] = (
    lambda _: h.registered("SURG", "C1", UUID(int=7)),
    lambda _: h.registered("MED", "C2", UUID(int=8)),
    lambda _: h.patient_registered("C1"),
    lambda _: h.care_started("ICU", "4"),
    lambda item: h.entry_recorded(item, f"title {item.int}"),
    lambda item: h.entry_amended(item, f"amended {item.int}"),
    h.entry_retracted,
    h.consultation_requested,
    h.consultation_answered,
    lambda item: h.moved_to(f"DEPT{item.int}"),
    lambda _: h.care_ended(),
    lambda _: h.submitted(),
    lambda _: h.returned(),
    lambda _: h.passed(),
    lambda _: h.archived(),
    h.transfer_proposed,
    lambda item: h.transfer_packaged(item, 3),
    lambda item: h.transfer_offered(item, 3),
    h.transfer_rejected,
    lambda item: h.package_received(item, UUID(int=99)),
    h.package_accepted,
    life.drafted,
    life.authored,
    life.countersigned,
    life.late_item,
    life.deficiency,
    life.duplicate,
    lambda item: life.newborn_withdrawn(item, UUID(int=0)),
    life.newborn_restored,
    lambda item: life.newborn_linked(item, UUID(int=75)),
    life.consultation_withdrawn,
    life.missed,
    life.miss_withdrawn,
    lambda _: life.resumed(),
    lambda _: life.recalled(),
    lambda _: life.voided(),
    lambda _: life.entered_in_error(),
    lambda item: life.identified(item, f"C{item.int}"),
    life.hold_placed,
    life.hold_lifted,
    life.sealed,
    life.unsealed,
    life.lent,
    life.loan_renewed,
    life.loan_returned,
    life.scanned,
    life.accounted,
    life.copied,
    life.requested,
    life.answered,
    life.restricted,
    lambda _: life.unrestricted(),
    life.package_outdated,
    life.copies_outdated,
    life.loans_outdated,
    life.holder_told,
    lambda _: life.sampled("LANGUAGE"),
    lambda _: life.sampled(passed=True),
    life.reopened,
    life.rearchived,
    lambda _: life.extended(),
    lambda _: life.term_over(),
    lambda _: life.appraised(values.DISPOSAL_OPINION_DESTROY),
    lambda item: life.approved(values.DISPOSAL_OPINION_DESTROY, item),
    lambda _: life.approved(values.DISPOSAL_OPINION_KEEP),
    life.destroyed,
    life.linked,
    life.unlinked,
    lambda item: life.merged(item, survivor=True),
    lambda item: life.merged(item, survivor=False),
    life.unmerged,
    lambda _: None,
    *(partial(example, kind) for kind in KINDS),
)
_STREAMS = 8


_step = st.tuples(st.integers(0, _STREAMS - 1), st.integers(0, len(_BODIES) - 1), st.sampled_from(_ITEMS))


def _each_kind(seed: int, more: list[tuple[int, int, UUID]]) -> list[tuple[int, int, UUID]]:
    """Every kind of event once, in any order, each in any stream and about any item; then some more."""
    draws = Random(seed)  # noqa: S311 - no secret; drawn one by one they would be too many for hypothesis
    kinds = draws.sample(range(len(_BODIES)), len(_BODIES))
    return [(draws.randrange(_STREAMS), kind, draws.choice(_ITEMS)) for kind in kinds] + more


_seeds = st.integers(0, 2**32)
_steps = st.builds(_each_kind, _seeds, st.lists(_step, max_size=20))


@dataclass(frozen=True)
class Content:
    """What a build came to."""

    rows: ContentDigest
    checkpoints: dict[int, Checkpoint]


def test_every_event_of_the_contract_is_in_every_history() -> None:
    """A new event is missing here as long as it has no stored example."""
    assert {type(body(_ITEMS[0])) for body in _BODIES} >= set(BODIES.values())


@pytest.mark.parametrize("view", ALL, ids=lambda view: view.name)
def test_no_view_takes_an_example_for_poison(view: View) -> None:
    """Else what follows it in the histories below would be parked, and nothing of it shown."""
    for first in _BODIES[:3]:
        for body in _BODIES:
            stream = h.EventStream()
            said = [each for each in (first(_ITEMS[0]), body(_ITEMS[0])) if each]
            sealed = [stream.seal(each) for each in said] if len(said) == 2 else [stream.seal_bytes(b"", _POISON)]
            events = [opened_event(each.version, each.envelope, each.body) for each in sealed]
            poison = fold(view, plan(view, events), {}).poison
            assert [each.event.event_type for each in poison] == ([] if len(said) == 2 else [_POISON]), sealed[-1].type


@given(steps=_steps, seed=_seeds)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_interleaving_gives_the_same_content(
    ground: Ground, steps: list[tuple[int, int, UUID]], seed: int
) -> None:
    """One history, handled in order at once, and in a random interleaving with random cuts and restarts."""
    await _interleaving_changes_nothing(ground, steps, Random(seed))  # noqa: S311 - as above


@pytest.mark.long
@given(steps=_steps, seed=_seeds)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_many_interleavings_give_the_same_content(
    ground: Ground, steps: list[tuple[int, int, UUID]], seed: int
) -> None:
    """The same, over many histories."""
    await _interleaving_changes_nothing(ground, steps, Random(seed))  # noqa: S311 - as above


async def _interleaving_changes_nothing(ground: Ground, steps: list[tuple[int, int, UUID]], draws: Random) -> None:
    history = delivered_history(steps)
    async with ground.pool.connection() as connection:
        await prepare(connection, "north")
        for view in ALL:
            whole = await build(connection, view, [history])
            mixed = await build(connection, view, list(interleaved(history, draws)))
            assert mixed == whole


@given(steps=_steps)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_build_after_an_erasure_equals_one_before(ground: Ground, steps: list[tuple[int, int, UUID]]) -> None:
    """Of a destroyed record envelopes are read, and its RecordDestroyed as the register keeps it: the same rows."""
    history, destroyed = _with_destructions(steps)
    afterwards = [
        each
        if each.event.stream_id not in destroyed or each.event.event_type == "ledger.v1.RecordDestroyed"
        else replace(each, event=replace(each.event, opening=Destroyed()))
        for each in history
    ]
    async with ground.pool.connection() as connection:
        await prepare(connection, "north")
        for view in ALL:
            assert await build(connection, view, [afterwards]) == await build(connection, view, [history]), view.name


def _with_destructions(steps: Sequence[tuple[int, int, UUID]]) -> tuple[list[Delivered], set[UUID]]:
    """Records in the first streams, each with a destruction at its end; what other streams hold in the rest."""
    of_records = [index for index, body in enumerate(_BODIES) if _of_record(body)]
    kept = [(number, of_records[kind % len(of_records)] if number < 4 else kind, item) for number, kind, item in steps]
    streams = [(number, 0, _ITEMS[0]) for number in range(4)]
    ends = [(number, _BODIES.index(life.destroyed), _ITEMS[0]) for number in range(4)]
    history = delivered_history([*streams, *kept, *ends])
    return history, {UUID(int=1_000 + number) for number in range(4)}


def _of_record(body: Body) -> bool:
    name = type(body(_ITEMS[0])).__name__
    return not name.startswith(("Patient", "Package", "RecordRegistered", "RecordDestroyed", "NoneType"))


def delivered_history(steps: Sequence[tuple[int, int, UUID]]) -> list[Delivered]:
    """Events of eight streams in order of position; the first of each stream registers something."""
    streams = [h.EventStream(UUID(int=1_000 + number)) for number in range(_STREAMS)]
    history: list[Delivered] = []
    for position, (number, kind, item) in enumerate(steps, 1):
        stream = streams[number]
        body = _BODIES[kind if stream.version else kind % 3](item)
        event = stream.seal(body) if body else stream.seal_bytes(b"", _POISON)
        partition = partition_of(event.stream_id.bytes, PARTITIONS)
        history.append(Delivered(partition, position, "t1", opened_event(position, event.envelope, event.body)))
    return history


def interleaved(history: Sequence[Delivered], draws: Random) -> Iterator[list[Delivered]]:
    """Batches from random partitions, each partition in its order: of one event, of a few, of all that wait there."""
    waiting = [[item for item in history if item.partition == number] for number in range(PARTITIONS)]
    while any(waiting):
        batch: list[Delivered] = []
        for number in draws.sample(range(PARTITIONS), PARTITIONS):
            taken = draws.choice((0, 0, 1, draws.randint(2, 8), len(waiting[number])))
            batch += waiting[number][:taken]
            waiting[number] = waiting[number][taken:]
        if batch:
            yield batch


async def build(connection: Connection, view: View, batches: Sequence[list[Delivered]]) -> Content:
    """A generation of its own, each batch by a projector that takes over from the one before."""
    generation = (await add_building(connection, "north", view, PARTITIONS)).number
    try:
        checkpoints: dict[int, Checkpoint] = {}
        for batch in batches:
            projector = Projector("north", view, generation, next(_EPOCHS))
            await projector.take_over(connection)
            await projector.handle(connection, batch)
            checkpoints = projector.checkpoints
        return Content(await digest_of_generation(connection, "north", view, generation), checkpoints)
    finally:
        await discard(connection, "north", view, generation)
