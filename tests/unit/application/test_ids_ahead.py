"""Ids with durable keys: as many as begin lately, each taken once, none kept for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from ledger.application.fresh_ids import fresh_id
from ledger.application.ids_ahead import AHEAD_MAX, FRESH_SECONDS, LOOK_BACK_SECONDS, OFTEN, IdsAhead


@dataclass
class Ground:
    """What ids are made on: a clock that is set, and keys that can be out of reach."""

    now: float = 1000.0
    prepared: list[list[UUID]] = field(default_factory=list[list[UUID]])
    broken: bool = False

    async def prepare(self, stream_ids: Sequence[UUID]) -> None:
        """Notes what became durable."""
        if self.broken:
            raise ConnectionError
        self.prepared.append(list(stream_ids))

    def ahead(self) -> IdsAhead:
        """On this ground."""
        return IdsAhead(self.prepare, lambda: self.now)

    @property
    def durable(self) -> set[UUID]:
        """Every id whose key was made."""
        return {each for made in self.prepared for each in made}


async def begin(ahead: IdsAhead, count: int) -> list[UUID]:
    """So many streams one after the other, as commands begin them; the ids that they took."""
    taken: list[UUID] = []
    for _ in range(count):
        stream_id = ahead.first() or fresh_id()
        ahead.begins(stream_id)
        taken.append(stream_id)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return taken


async def test_where_streams_begin_often_their_keys_are_there_before_them() -> None:
    """Each id is taken once; after the first few all are ready, made in groups and never more than the limit."""
    ground = Ground()
    taken = await begin(ground.ahead(), 3000)
    assert len(set(taken)) == 3000
    assert set(taken[OFTEN:]) <= ground.durable
    assert max(map(len, ground.prepared)) <= AHEAD_MAX
    assert len(ground.durable) - len(ground.durable & set(taken)) <= AHEAD_MAX, "what is left over"
    assert len(ground.prepared) < 3000 / 32


async def test_where_few_streams_begin_no_key_is_left_behind() -> None:
    """They make their own keys; nothing is made ahead that nobody may ever take."""
    ground = Ground()
    ahead = ground.ahead()
    for _ in range(20):
        await begin(ahead, OFTEN - 1)
        ground.now += LOOK_BACK_SECONDS + 1
    assert ground.prepared == []


async def test_an_id_is_not_taken_late() -> None:
    """A key without a record may be destroyed after an hour: no stream begins on one that is older than seconds."""
    ground = Ground()
    ahead = ground.ahead()
    await begin(ahead, 50)
    assert ahead.first() in ground.durable
    ground.now += FRESH_SECONDS
    assert ahead.first() is None


async def test_a_decision_that_is_refused_takes_none() -> None:
    """Looking at an id leaves it for the next one."""
    ground = Ground()
    ahead = ground.ahead()
    await begin(ahead, 50)
    looked_at = ahead.first()
    assert looked_at is not None
    assert ahead.first() == looked_at
    ahead.begins(looked_at)
    assert ahead.first() != looked_at


async def test_keys_out_of_reach_stop_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """It is said, without the reason's text, and tried again by who begins next; they make their keys themselves."""
    ground = Ground(broken=True)
    ahead = ground.ahead()
    taken = await begin(ahead, 20)
    assert len(set(taken)) == 20
    assert "no ids could be made ahead" in caplog.text
    ground.broken = False
    await begin(ahead, 1)
    await ahead.close()
    assert ahead.first() in ground.durable


async def test_closing_waits_for_what_is_being_made() -> None:
    """No insert is left on its way behind a ledger that is closed."""
    ground = Ground()
    ahead = ground.ahead()
    for _ in range(OFTEN):
        ahead.begins(fresh_id())
    assert ground.prepared == []
    await ahead.close()
    assert ground.prepared
