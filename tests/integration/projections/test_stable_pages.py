"""Lists read page by page while their rows change: what was there all the time comes once, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import boards_pb2, common_pb2, course_events_pb2
from ledger.views.queries import BoardAsked, EpisodesAsked, RegisterFilter, WorkAsked
from projections import pinned_order
from projections.archive_queries import ArchiveQueries
from projections.archive_register.view import ArchiveRegister
from projections.board_queries import BoardQueries
from projections.department_board.view import DepartmentBoard
from projections.identity_queries import IdentityQueries
from projections.patient_index.view import PatientIndex
from projections.worklist.open_deadlines import OpenDeadlines
from projections.worklist.view import Worklist
from projections.worklist_queries import WorklistQueries
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.contract.views.ground import Ground, partition_of
from tests.contract.views.running import freshness, reader, running

MOTHERS, PATIENT = 7, UUID(int=500)
_LIKELY = 0.4
Read = Callable[[int, str], Awaitable[tuple[list[str], str]]]
VIEWS = (DepartmentBoard(), PatientIndex(), Worklist(), ArchiveRegister())


class Hospital:
    """Records of one patient in few departments, each with a draft, a loan and a newborn; `change` moves them."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground = ground
        self.dice = Random(seed)  # noqa: S311 - which rows move
        self.terms, self.year = Random(seed), 2060  # noqa: S311 - whose term moves on
        self.records = [h.EventStream(self._id()) for _ in range(MOTHERS)]
        self.drafts = {each.stream_id: (self._id(), self._id(), self._id()) for each in self.records}
        self.moves = dict.fromkeys(self.drafts, 0)
        self.patient = h.EventStream(PATIENT)
        self.others = [h.EventStream(self._id()) for _ in range(6)]
        self.linked: set[UUID] = set()
        self.born = UUID(int=600)

    def _id(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128), version=4)

    async def begin(self) -> None:
        """Everything there is before the first page."""
        events = [self.patient.seal(h.patient_registered("C1"))]
        events += [each.seal(h.patient_registered(f"P{place}")) for place, each in enumerate(self.others)]
        for record in self.records:
            draft, note, loan = self.drafts[record.stream_id]
            bodies = [h.registered("D0", "C1", PATIENT), h.care_started("D0", f"{self.dice.randrange(20):02}")]
            bodies += [life.drafted(draft), life.authored(note), life.lent(loan), life.newborn_linked(loan, self.born)]
            events += [record.seal(body) for body in bodies]
        events += [event for other in self.others[:4] for event in self._link(other)]
        events.append(h.EventStream(self._id()).seal(h.registered("NEO", "B1", self.born)))
        await self._happen(events)

    async def change(self) -> None:
        """Every record moves, so does a link, and now and then a record comes."""
        events = [record.seal(body) for record in self.records for body in self._news(record)]
        events += self._link(self.dice.choice(self.others))
        if self.dice.random() < 0.3:
            added = h.EventStream(self._id())
            bodies = [h.registered("D0", "C1", PATIENT), h.care_started("D0", f"{self.dice.randrange(20):02}")]
            events += [added.seal(body) for body in bodies]
        await self._happen(events)

    def _news(self, record: h.EventStream) -> list[Message]:
        _, note, loan = self.drafts[record.stream_id]
        renewed = life.loan_renewed(loan)
        renewed.due_on = f"2024-02-{self.dice.randrange(10, 28)}"  # pyright: ignore[reportAttributeAccessIssue]
        moves = self.moves[record.stream_id]
        last = (common_pb2.TIME_OF_MOVE, moves) if moves else (common_pb2.TIME_OF_CARE_START, 0)
        news = [
            _corrected(common_pb2.TIME_OF_CARE_START, 0, self.dice.randrange(500)),
            _corrected(*last, self.dice.randrange(500)),
            h.moved_to(self.dice.choice(["D0"] * 8 + ["D1", "D2"]), f"{self.dice.randrange(20):02}"),
            life.amended(note),
            renewed,
            life.identified(PATIENT, f"C{self.dice.randrange(9)}"),
        ]
        chosen = [each for each in news if self.dice.random() < _LIKELY]
        self.moves[record.stream_id] += news[2] in chosen
        return [*chosen, *self._kept_longer()]

    def _kept_longer(self) -> list[Message]:
        """Now and then, and always behind whatever was kept the longest so far."""
        if self.terms.random() >= _LIKELY:
            return []
        self.year += 1
        return [life.extended(f"{self.year}-01-01")]

    def _link(self, other: h.EventStream) -> list[h.Sealed]:
        taken_back = other.stream_id in self.linked
        self.linked ^= {other.stream_id}
        body = life.unlinked if taken_back else life.linked
        return [other.seal(body(PATIENT)), self.patient.seal(body(other.stream_id))]

    async def _happen(self, events: list[h.Sealed]) -> None:
        head = self.ground.append(events)
        first = head - len(events) + 1
        last = {partition_of(e.stream_id.bytes, self.ground.partitions): first + i for i, e in enumerate(events)}
        waits = freshness(self.ground)
        await asyncio.gather(*(waits.wait("north", view.name, each) for view in VIEWS for each in last.values()))


def _corrected(of: Any, move: int, second: int) -> Message:
    return course_events_pb2.TimeCorrected(of=of, move=move, corrected_at=h.at(second), reason="read wrongly")


def _lists(ground: Ground) -> dict[str, Read]:
    """Each list of the views in each of its orders."""
    boards, identities = BoardQueries(reader(ground)), IdentityQueries(reader(ground))
    worklists, archive = WorklistQueries(reader(ground), OpenDeadlines(ground.pool)), ArchiveQueries(reader(ground))

    async def departments(order: int, size: int, token: str) -> tuple[list[str], str]:
        page = await boards.departments("north", 0, order, size, token)
        return [each.department for each in page.departments], page.next_page_token

    async def board(order: int, size: int, token: str) -> tuple[list[str], str]:
        page = await boards.department_board("north", "D0", size, token, 0, BoardAsked(order=order))
        return [each.record_id for each in page.rows], page.next_page_token

    async def episodes(order: int, size: int, token: str) -> tuple[list[str], str]:
        page = await boards.patient_index("north", PATIENT, "", 0, EpisodesAsked(order=order), size, token)
        return [each.record_id for each in page.episodes], page.next_page_token

    async def worklist(of: Any, whose: str, order: int, size: int, token: str) -> tuple[list[str], str]:
        page = await worklists.worklist("north", WorkAsked(of, whose, order=order), size, token, 0)
        return [f"{each.record_id} {each.kind} {each.subject_id}" for each in page.items], page.next_page_token

    async def register(order: int, size: int, token: str) -> tuple[list[str], str]:
        page = await archive.archive_register("north", RegisterFilter(order=order), size, token, 0)
        return [each.record_id for each in page.rows], page.next_page_token

    async def known_as(size: int, token: str) -> tuple[list[str], str]:
        page = await identities.identities_page("north", PATIENT, "", (size, token), 0)
        return [each.patient_id for each in page.identities], page.next_page_token

    async def births(size: int, token: str) -> tuple[list[str], str]:
        page = await identities.births_page("north", UUID(int=600), "", (size, token), 0)
        return [each.record_id for each in page.births], page.next_page_token

    return {
        **{f"departments {order}": partial(departments, order) for order in boards_pb2.DepartmentOrder.values()[1:]},
        **{f"board {order}": partial(board, order) for order in boards_pb2.BoardOrder.values()[1:]},
        **{f"episodes {order}": partial(episodes, order) for order in boards_pb2.EpisodeOrder.values()[1:]},
        **{f"ward {order}": partial(worklist, "department", "D0", order) for order in (1, 4)},
        **{f"office {order}": partial(worklist, "records_office", "", order) for order in (2, 3)},
        **{f"register {order}": partial(register, order) for order in boards_pb2.RegisterOrder.values()[1:]},
        "identities": known_as,
        "births": births,
    }


_MOVE = {"board 1", "board 2", "episodes 1", "episodes 2", "ward 1", "ward 4", "office 2", "register 2", "register 3"}
"""Lists by what changes in the records that stay."""


async def test_what_stays_in_a_list_comes_once_while_rows_move(ground: Ground) -> None:
    """In each order of each list that a view answers in pages; what moves between two pages is no exception."""
    lists = _lists(ground)
    moved = set[str]()
    async with _hospital(ground, 4) as hospital:
        for name, read in lists.items():
            whole, seen = await _walked(read, hospital)
            assert len(seen) == len(set(seen)), name
            assert _stayed(whole) <= set(seen), name
            if len({tuple(each for each in one if each in _stayed(whole)) for one in whole}) > 1:
                moved.add(name)
    # Else the walk would prove nothing of those whose rows do change their place.
    assert moved >= _MOVE


async def test_what_lies_beyond_the_pinned_places_comes_once_too(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 3 places instead of 5,000: the first three in the order asked for, the rest behind them by id."""
    for module in ("archive_queries", "board_queries", "worklist_queries"):
        monkeypatch.setattr(f"projections.{module}.PLACES_MAX", 3)
    monkeypatch.setattr(pinned_order, "PLACES_MAX", 3)
    async with _hospital(ground, 5) as hospital:
        lists = _lists(ground)
        for name in ("board 1", "episodes 2", "ward 1", "departments 2", "register 2"):
            whole, seen = await _walked(lists[name], hospital)
            assert len(seen) == len(set(seen)), name
            assert _stayed(whole) <= set(seen), name
            # Records stand in the register by when they came, everything else by id.
            registered = await _whole(lists["register 1"])
            behind = sorted(seen[3:], key=registered.index) if name == "register 2" else sorted(seen[3:])
            assert (seen[:3], seen[3:]) == (whole[0][:3], behind), name


@asynccontextmanager
async def _hospital(ground: Ground, seed: int) -> AsyncGenerator[Hospital, None]:
    hospital = Hospital(ground, seed)
    async with running(ground, *VIEWS):
        await hospital.begin()
        yield hospital


async def _walked(read: Read, hospital: Hospital) -> tuple[list[list[str]], list[str]]:
    """The whole list at each page's time, and what the pages showed; between any two pages rows change."""
    whole, seen, token = [(await read(1_000, ""))[0]], list[str](), ""
    size = max(1, len(whole[0]) // 3)
    while True:
        shown, token = await read(size, token)
        seen += shown
        if not token:
            return whole, seen
        await hospital.change()
        whole.append((await read(1_000, ""))[0])


async def _whole(read: Read) -> list[str]:
    return (await read(1_000, ""))[0]


def _stayed(whole: list[list[str]]) -> set[str]:
    return set[str].intersection(*map(set, whole))
