"""Ledgers that a server itself holds back, until they are read for destructions or two persons say otherwise."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from ledger.keys.errors import KeysHeldBack
from ledger.keys.held_back import HeldBack
from ledger.keys.purge_rows import PurgeRows
from tests.integration.application.test_restored_keys import NOW
from tests.integration.keys.conftest import ORIGIN, KeyGround

_BOTH = (UUID(int=1), UUID(int=2))


async def test_who_was_free_is_held_back_at_once(ground: KeyGround) -> None:
    """In the process that held it back, which has asked before; another ledger stays free, and what was read for
    destructions up to there is free again."""
    held_back = HeldBack(ground.pool)
    await held_back.refuse({ORIGIN})
    await held_back.hold(ORIGIN, 7)
    with pytest.raises(KeysHeldBack):
        await held_back.refuse({ORIGIN})
    await held_back.refuse({"ledger.example/south/1"})
    purges = PurgeRows(ground.pool, ground.encryption().current)
    assert await purges.note_erased(ORIGIN, 0, 6)
    with pytest.raises(KeysHeldBack):
        await held_back.refuse({ORIGIN})
    assert await purges.note_erased(ORIGIN, 6, 7)
    await held_back.refuse({ORIGIN})


async def test_what_two_persons_released_is_held_back_by_more_alone(ground: KeyGround) -> None:
    """The same list again changes nothing, and their names stay; another one is not what they spoke of."""
    held_back = HeldBack(ground.pool)
    await held_back.hold(ORIGIN, 7)
    assert len(await held_back.release(ORIGIN, NOW, _BOTH, "LOSS_GIVEN_UP")) == 1
    await held_back.hold(ORIGIN, 7)
    await held_back.refuse({ORIGIN})
    with psycopg.connect(ground.database.url) as connection:
        rows = connection.execute("SELECT released_by FROM ledger_keys.held_back").fetchall()
    assert rows == [(list(_BOTH),)]
    await held_back.hold(ORIGIN, 9)
    with pytest.raises(KeysHeldBack) as refused:
        await held_back.refuse({ORIGIN})
    assert "7" in str(refused.value)
