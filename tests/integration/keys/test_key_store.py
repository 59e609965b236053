"""Keys of records: made once and durably, found by every process, gone when they are destroyed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from ledger.keys.errors import KeysUnavailable
from ledger.keys.key_rows import KeyRow, KeyRows, StreamOf
from ledger.keys.key_store import KEPT_SECONDS, Found
from ledger.keys.rewrapping import rewrap_all
from ledger.keys.wrapping import Wrapped
from ledger.store.connections import ConnectionPool, writer_pool
from ledger.trust.record_key import RecordKey
from ledger.trust.sealing import Destroyed, SealFault, SealFaultKind
from tests.integration.keys.conftest import KeyGround, stream

_STREAM, _OTHER = stream(1), stream(2)


def key_ids(found: dict[StreamOf, Found]) -> dict[StreamOf, bytes]:
    """The ids of keys that must all be there."""
    assert all(isinstance(each, RecordKey) for each in found.values()), found
    return {of: each.key_id for of, each in found.items() if isinstance(each, RecordKey)}


async def test_a_key_is_durable_before_it_is_handed_out(ground: KeyGround) -> None:
    """Another process, which remembers nothing, finds the same key; nobody ever sees two."""
    made = key_ids(await ground.store().find_or_make([_STREAM, _OTHER]))
    assert len(set(made.values())) == 2
    assert key_ids(await ground.store().find([_STREAM, _OTHER])) == made
    assert key_ids(await ground.store().find_or_make([_STREAM])) == {_STREAM: made[_STREAM]}


async def test_many_processes_that_begin_one_record_agree_on_its_key(ground: KeyGround) -> None:
    """Whoever comes second takes the key that is there, also where both insert at once."""
    stores = [ground.store() for _ in range(8)]
    streams = [stream(number) for number in range(20)]
    found = await asyncio.gather(*(each.find_or_make(streams) for each in stores))
    assert all(key_ids(each) == key_ids(found[0]) for each in found)


async def test_keys_of_records_that_begin_together_take_one_insert(ground: KeyGround) -> None:
    """200 records at once: the first alone, the others in one group, and not a flush for each."""
    keys, rows = ground.store(), ground.rows
    await asyncio.gather(*(keys.find_or_make([stream(number)]) for number in range(200)))
    inserts = await _inserts_of(ground)
    assert len(await rows.find([stream(number) for number in range(200)])) == 200
    assert inserts <= 3


async def _inserts_of(ground: KeyGround) -> int:
    """In how many transactions the rows were inserted."""
    with psycopg.connect(ground.database.url) as connection:
        row = connection.execute("SELECT count(DISTINCT xmin::text) FROM ledger_keys.record_keys").fetchone()
    return row[0] if row else 0


async def test_a_key_without_row_is_a_fault_and_not_a_new_key(ground: KeyGround) -> None:
    """Looking makes nothing."""
    missing = SealFault(SealFaultKind.KEY_MISSING)
    assert await ground.store().find([_STREAM]) == {_STREAM: missing}
    assert await ground.store().find([_STREAM]) == {_STREAM: missing}


async def test_a_destroyed_key_is_gone_here_at_once_and_elsewhere_in_time(ground: KeyGround) -> None:
    """A process that remembers the key asks again within KEPT_SECONDS."""
    here, elsewhere = ground.store(), ground.store()
    await here.find_or_make([_STREAM])
    remembered = await elsewhere.find([_STREAM])
    ground.destructions.add((_STREAM, 7))
    await here.destroy(_STREAM, 7)
    assert await here.find([_STREAM]) == {_STREAM: Destroyed()}
    assert await elsewhere.find([_STREAM]) == remembered
    ground.clock.now += KEPT_SECONDS
    assert await elsewhere.find([_STREAM]) == {_STREAM: Destroyed()}
    assert await here.find_or_make([_STREAM]) == {_STREAM: Destroyed()}


async def test_a_tombstone_without_its_destruction_is_a_fault(ground: KeyGround) -> None:
    """Somebody with the role of keys cannot pass a loss off as a lawful destruction."""
    keys = ground.store()
    await keys.find_or_make([_STREAM])
    await keys.destroy(_STREAM, 7)
    assert await keys.find([_STREAM]) == {_STREAM: SealFault(SealFaultKind.TOMBSTONE)}


async def test_rows_that_were_exchanged_are_found(ground: KeyGround) -> None:
    """Each wrapped key is bound to its record: two that changed places open nothing."""
    await ground.store().find_or_make([_STREAM, _OTHER])
    rows = await ground.rows.find([_STREAM, _OTHER])
    with psycopg.connect(ground.database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        for one, other in ((_STREAM, _OTHER), (_OTHER, _STREAM)):
            row = rows[other]
            connection.execute(
                "UPDATE ledger_keys.record_keys SET key_id = %s, wrapped = %s WHERE stream_id = %s",
                (row.place.key_id, row.wrapped, UUID(bytes=one[1])),
            )
    fault = SealFault(SealFaultKind.KEY_UNWRAPPED)
    assert await ground.store().find([_STREAM, _OTHER]) == {_STREAM: fault, _OTHER: fault}


async def test_a_rotation_is_taken_up_while_processes_run(ground: KeyGround) -> None:
    """New keys under the new generation, old ones as before, in a process that was there before the rotation."""
    keys = ground.store()
    before = key_ids(await keys.find_or_make([_STREAM]))
    ground.rotate()
    await keys.find_or_make([_OTHER])
    rows = await ground.rows.find([_STREAM, _OTHER])
    assert {of: row.generation for of, row in rows.items()} == {_STREAM: 1, _OTHER: 2}
    ground.clock.now += KEPT_SECONDS
    assert key_ids(await keys.find([_STREAM])) == before


async def test_keys_are_wrapped_anew_and_the_old_generation_can_go(ground: KeyGround) -> None:
    """Every live key moves, a tombstone stays; then generation 1 is destroyed and everything still opens."""
    keys = ground.store()
    streams = [stream(number) for number in range(1, 1201)]
    before = key_ids(await keys.find_or_make(streams))
    await keys.destroy(streams[5], 7)
    ground.rotate()
    done = await rewrap_all(ground.rows, ground.encryption(), 2)
    assert (done.keys, done.failed) == (1199, ())
    assert await ground.rows.live_by_generation() == {2: 1199}
    content = ground.content()
    gone = replace(content.generations[0], key=b"", destroyed_at=content.generations[1].made_at)
    ground.change(replace(content, generations=(gone, content.generations[1])))
    del before[streams[5]]
    assert key_ids(await ground.store().find(list(before))) == before


async def test_a_run_that_was_cut_short_is_finished_by_the_next(ground: KeyGround) -> None:
    """Some rows are of the new generation already; a row that does not unwrap is named and hinders nobody."""
    keys = ground.store()
    streams = [stream(number) for number in range(1, 6)]
    before = key_ids(await keys.find_or_make(streams))
    ground.rotate()
    rows = await ground.rows.outdated(("", bytes(16)), 2, 2)
    encryption = ground.encryption()
    data_keys = await encryption.unwrap([(row.place, Wrapped(row.generation, row.wrapped or b"")) for row in rows])
    fresh = await encryption.wrap([(row.place, key or b"") for row, key in zip(rows, data_keys, strict=True)])
    await ground.rows.rewrap(rows, fresh)
    with psycopg.connect(ground.database.url) as connection:
        connection.execute("ALTER TABLE ledger_keys.record_keys DISABLE TRIGGER ALL")
        spoil = "UPDATE ledger_keys.record_keys SET wrapped = '\\x01' WHERE stream_id = %s"
        connection.execute(spoil, (UUID(bytes=streams[4][1]),))
        connection.execute("ALTER TABLE ledger_keys.record_keys ENABLE ALWAYS TRIGGER record_keys_rows")
    done = await rewrap_all(ground.rows, encryption, 2)
    assert (done.keys, [row.stream for row in done.failed]) == (2, [streams[4]])
    del before[streams[4]]
    assert key_ids(await ground.store().find(list(before))) == before


async def test_without_postgresql_no_key_is_made(ground: KeyGround) -> None:
    """Whoever waits for a key is told that keys cannot be asked for; nothing hangs."""
    keys = ground.store(KeyRows(writer_pool("postgresql://nobody@127.0.0.1:1/none")))
    with pytest.raises(KeysUnavailable):
        await keys.find_or_make([_STREAM])


async def test_a_generation_that_is_gone_is_a_fault(ground: KeyGround) -> None:
    """A lost key-encryption key is the loss of what it wrapped: said by name, and nothing is made in its place."""
    await ground.store().find_or_make([_STREAM])
    ground.rotate()
    content = ground.content()
    gone = replace(content.generations[0], key=b"", destroyed_at=content.generations[1].made_at)
    ground.change(replace(content, generations=(gone, content.generations[1])))
    assert await ground.store().find_or_make([_STREAM]) == {_STREAM: SealFault(SealFaultKind.KEY_UNWRAPPED)}


class _HeldRows(KeyRows):
    """Rows that were read and are not handed out before a test says so."""

    def __init__(self, pool: ConnectionPool) -> None:
        super().__init__(pool)
        self.read, self.go_on = asyncio.Event(), asyncio.Event()

    async def find(self, streams: Sequence[StreamOf]) -> dict[StreamOf, KeyRow]:
        found = await super().find(streams)
        self.read.set()
        await self.go_on.wait()
        return found


async def test_a_key_that_is_destroyed_while_it_is_looked_for_is_not_remembered(ground: KeyGround) -> None:
    """The row was read before the destruction and unwrapped after it: nothing of the key stays in this process."""
    await ground.store().find_or_make([_STREAM])
    rows = _HeldRows(ground.pool)
    keys = ground.store(rows)
    looking = asyncio.create_task(keys.find([_STREAM]))
    await rows.read.wait()
    ground.destructions.add((_STREAM, 7))
    await keys.destroy(_STREAM, 7)
    rows.go_on.set()
    await looking
    assert await keys.find([_STREAM]) == {_STREAM: Destroyed()}
