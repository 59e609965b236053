"""`ledger project rebuild` in a process that is frozen, killed or cut off in the middle: nothing is lost or doubled."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from ledger.lease import Leases
from ledger.views.digest import EMPTY_DIGEST, extend_digest
from projections.department_board.view import DepartmentBoard
from projections.digests import content_digest, view_digest
from projections.generation import generations
from projections.projector import BATCH_MAX
from tests.contract.views import histories as h
from tests.contract.views.ground import PASSWORDS, Ground, opened_ground
from tests.contract.views.running import freshness, running
from tests.eventually import eventually_async
from tests.services.key_service import HeldCall, serving_fixed_key, token_file
from tests.services.postgres import Database
from tests.services.proxy import TcpProxy

VIEW = DepartmentBoard()
RECORDS = 400
HELD_BATCH = 3
"""The batch of events whose opening is held: what was built before it is committed."""
_PROJECT = Path(__file__).parents[2]
_SECONDS_MAX = 40
PARTITIONS = 1
"""What the PostgreSQL log has."""


@dataclass
class Rebuilding:
    """A view as its runner has built it, and the command that builds it anew, held in the middle."""

    ground: Ground
    environment: dict[str, str]
    folder: Path
    held: HeldCall
    before: object

    @contextmanager
    def process(self, name: str, **settings: str) -> Generator[subprocess.Popen[bytes]]:
        """The command; it does not outlive the block."""
        command = [sys.executable, "-m", "ledger.cli.main", "project", "rebuild", VIEW.name, "--hospital", "north"]
        environment = {"PATH": os.environ["PATH"], **self.environment, **settings}
        with (self.folder / name).open("wb") as log:
            process = subprocess.Popen(command, cwd=_PROJECT, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def said(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / name).read_text()

    async def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Its exit status."""

        async def over() -> bool:
            return process.poll() is not None

        await eventually_async(over, seconds_max=_SECONDS_MAX, what="the rebuild's end")
        return int(process.returncode)

    async def assert_built_once(self) -> None:
        """The rows are the running view's, from every event of the ledger once and in order; nothing is left over."""
        assert await content_digest(self.ground.pool, "north", VIEW) == self.before
        (checkpoint,) = (await view_digest(self.ground.pool, "north", VIEW)).values()
        digest = EMPTY_DIGEST
        for position, event in enumerate(self.ground.appended, 1):
            digest = extend_digest(digest, position, event.leaf)
        assert (checkpoint.events, checkpoint.digest) == (self.ground.head, digest)
        async with self.ground.pool.connection() as connection:
            assert [each.state for each in await generations(connection, "north", VIEW)] == ["live"]

    def end_term(self) -> None:
        """The lease's term is over, as it is where nobody renews for 5 s."""
        with psycopg.connect(self.ground.database.url) as connection:
            connection.execute("UPDATE ledger_control.leases SET expires_at = clock_timestamp() - interval '1 ms'")


@asynccontextmanager
async def held_rebuilding(database: Database, folder: Path) -> AsyncGenerator[Rebuilding]:
    roles = {"STREAM": "ledger_stream", "VIEWS": "ledger_views"}
    urls = {f"LEDGER_POSTGRES_{key}_URL": database.url_for(role, PASSWORDS[role]) for key, role in roles.items()}
    held = HeldCall(HELD_BATCH)
    async with serving_fixed_key(held=held) as keys, opened_ground(database, partitions=PARTITIONS) as ground:
        ground.append(event for number in range(RECORDS) for event in life(number))
        async with running(ground, VIEW):
            await freshness(ground).wait("north", VIEW.name, ground.head)
        before = await content_digest(ground.pool, "north", VIEW)
        environment = {**urls, "LEDGER_GRPC_LISTEN": keys, "LEDGER_UNSEAL_TOKEN_FILE": str(token_file(folder))}
        yield Rebuilding(ground, environment, folder, held, before)


def life(number: int) -> Iterator[h.Sealed]:
    stream = h.EventStream()
    bodies = [h.registered("SURG", f"C{number}"), h.care_started(), h.moved_to("ICU"), h.care_ended()]
    yield from (stream.seal(body) for body in bodies)


@pytest.mark.long
async def test_a_rebuild_whose_lease_ran_out_while_it_stood_still_goes_on(
    empty_database: Database, tmp_path: Path
) -> None:
    """Stopped for longer than its term, and nobody took over: it finishes what it began."""
    async with held_rebuilding(empty_database, tmp_path) as rebuilding:
        with rebuilding.process("frozen") as frozen:
            await rebuilding.held.reached.wait()
            frozen.send_signal(signal.SIGSTOP)
            rebuilding.end_term()
            frozen.send_signal(signal.SIGCONT)
            await eventually_async(lambda: Leases(rebuilding.ground.pool.connection).held("north"), what="it holds on")
            rebuilding.held.let_go()
            assert await rebuilding.ended(frozen) == 0, rebuilding.said("frozen")
        assert f"rebuilt from {rebuilding.ground.head} events" in rebuilding.said("frozen")
        await rebuilding.assert_built_once()


async def test_what_a_killed_rebuild_has_built_is_gone_on_with(empty_database: Database, tmp_path: Path) -> None:
    """Neither the views' runner nor the next rebuild throws it away; the next one goes on where it stood."""
    async with held_rebuilding(empty_database, tmp_path) as rebuilding:
        with rebuilding.process("killed") as killed:
            await rebuilding.held.reached.wait()
            killed.kill()
        rebuilding.end_term()
        rebuilding.ground.append(life(RECORDS))
        async with running(rebuilding.ground, VIEW):
            await freshness(rebuilding.ground).wait("north", VIEW.name, rebuilding.ground.head)
        rebuilding.before = await content_digest(rebuilding.ground.pool, "north", VIEW)
        with rebuilding.process("next") as following:
            assert await rebuilding.ended(following) == 0, rebuilding.said("next")
        lines = [json.loads(line) for line in rebuilding.said("next").splitlines() if line.startswith("{")]
        went_on = next(line for line in lines if line["message"] == "goes on with what an earlier rebuild has left")
        assert went_on["events"] == BATCH_MAX * (HELD_BATCH - 1)
        await rebuilding.assert_built_once()


async def test_a_rebuild_that_wakes_after_another_went_on_with_it_changes_nothing(
    empty_database: Database, tmp_path: Path
) -> None:
    """The second one builds on and shows the rows; the first finds itself fenced, and the rows are as they were."""
    async with held_rebuilding(empty_database, tmp_path) as rebuilding:
        with rebuilding.process("frozen") as frozen:
            await rebuilding.held.reached.wait()
            frozen.send_signal(signal.SIGSTOP)
            rebuilding.end_term()
            with rebuilding.process("other") as other:
                assert await rebuilding.ended(other) == 0, rebuilding.said("other")
            await rebuilding.assert_built_once()
            rebuilding.held.let_go()
            frozen.send_signal(signal.SIGCONT)
            assert await rebuilding.ended(frozen) == 1
        assert "Somebody else handles this view now" in rebuilding.said("frozen")
        await rebuilding.assert_built_once()


@pytest.mark.long
async def test_a_rebuild_whose_connections_are_cut_goes_on(
    empty_database: Database, tmp_path: Path, tcp_proxy: Callable[[int], TcpProxy]
) -> None:
    """Those of its rows, of the stream and of its lease at once: the same process opens others and finishes."""
    proxy = tcp_proxy(empty_database.server.port)
    async with held_rebuilding(empty_database, tmp_path) as rebuilding:
        through = {
            name: url.replace(f":{empty_database.server.port}/", f":{proxy.port}/")
            for name, url in rebuilding.environment.items()
            if name.startswith("LEDGER_POSTGRES")
        }
        with rebuilding.process("cut", **through) as process:
            await rebuilding.held.reached.wait()
            proxy.cut()
            rebuilding.held.let_go()
            assert await rebuilding.ended(process) == 0, rebuilding.said("cut")
        await rebuilding.assert_built_once()
