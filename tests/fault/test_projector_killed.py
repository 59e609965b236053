"""kill -9 of the projector in the middle of a load: every view handled each event once and in order."""

import random
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ledger.views.digest import EMPTY_DIGEST, extend_digest
from ledger.views.view import View
from projections.digests import content_digest, view_digest
from projections.rebuild import rebuild
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views.ground import PASSWORDS, Ground, opened_ground
from tests.contract.views.running import tools
from tests.eventually import eventually_async
from tests.fault.projector_process import ProjectorProcess
from tests.services.key_service import serving_fixed_key, token_file
from tests.services.postgres import Database

_KILLS = 5
_RECORDS_A_ROUND = 150
_PARTITIONS = 1
"""What the PostgreSQL log has: the killed process and the rebuild must divide the events alike."""


@pytest.mark.long
async def test_nothing_is_lost_or_doubled_by_kills(empty_database: Database, tmp_path: Path) -> None:
    """5,250 events, five kills: counts and digests are the ledger's, and each view equals one built anew."""
    roles = {"STREAM": "ledger_stream", "VIEWS": "ledger_views"}
    urls = {f"LEDGER_POSTGRES_{key}_URL": empty_database.url_for(role, PASSWORDS[role]) for key, role in roles.items()}
    async with serving_fixed_key() as keys, opened_ground(empty_database, partitions=_PARTITIONS) as ground:
        urls |= {"LEDGER_GRPC_LISTEN": keys, "LEDGER_UNSEAL_TOKEN_FILE": str(token_file(tmp_path))}
        process, dice = ProjectorProcess(urls, tmp_path), random.Random(5)  # noqa: S311 - not a secret
        for _ in range(_KILLS):
            process.start()
            ground.append(history())
            before = await handled(ground, ALL[0])
            wanted = before + dice.randrange(1, _RECORDS_A_ROUND * 5)
            await eventually_async(lambda: has_handled(ground, wanted), what=f"{wanted} events")  # noqa: B023
            process.kill()
        process.start()
        await eventually_async(lambda: has_handled(ground, ground.head), what="everything")
        process.stop()
        expected = digest_of_ledger(ground)
        for view in ALL:
            checkpoints = await view_digest(ground.pool, "north", view)
            assert checkpoints[0].events == ground.head
            assert checkpoints[0].digest == expected
            rows = await content_digest(ground.pool, "north", view)
            await rebuild(tools(ground), "north", _PARTITIONS, view)
            assert await content_digest(ground.pool, "north", view) == rows


def history() -> Iterator[h.Sealed]:
    """Whole episodes, seven events each."""
    for number in range(_RECORDS_A_ROUND):
        stream, entry = h.EventStream(), uuid4()
        bodies = [h.registered("SURG", f"C{number}"), h.care_started(), h.entry_recorded(entry), h.moved_to("ICU")]
        bodies += [h.entry_amended(entry, "corrected"), h.care_ended(), h.transfer_proposed(uuid4())]
        yield from (stream.seal(body) for body in bodies)


async def handled(ground: Ground, view: View) -> int:
    """Events that a view has handled; none before it is there."""
    async with ground.pool.connection() as connection:
        there = await connection.execute("SELECT to_regclass('v_north.checkpoints') IS NOT NULL")
        row = await there.fetchone()
        if not row or not row[0]:
            return 0
        sums = await connection.execute(
            "SELECT COALESCE(sum(events), 0) FROM v_north.checkpoints WHERE view = $1", (view.name,)
        )
        row = await sums.fetchone()
    return int(row[0]) if row else 0


async def has_handled(ground: Ground, events: int) -> bool:
    """Whether every view has handled so many events."""
    return all([await handled(ground, view) >= events for view in ALL])


def digest_of_ledger(ground: Ground) -> bytes:
    """The running digest of the PostgreSQL log's one partition."""
    digest = EMPTY_DIGEST
    for position, event in enumerate(ground.appended, 1):
        digest = extend_digest(digest, position, event.leaf)
    return digest
