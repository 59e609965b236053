"""`python -m benchmarks.sealing.server clear|sealed`: the edge over a ledger that seals, or leaves bodies in the clear.

Both sides are this one program: the edge, the limits and the loop are the service's, and nothing else differs.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from benchmarks.sealing.clear_bodies import ClearBodies
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.cycles import look_seldom
from ledger.cli.running import Ready, run_until_stopped, settings_for
from ledger.config import Settings
from ledger.server.serving import Addresses, run_server

CLEAR, SEALED = "clear", "sealed"


def main() -> None:
    """Serves until it is stopped."""
    look_seldom()
    side, ready_file = sys.argv[1], Path(sys.argv[sys.argv.index("--ready-file") + 1])
    settings = settings_for("postgres_append_url", "postgres_migrate_url", "postgres_keys_url", "key_file")

    async def work(stop: asyncio.Event, ready: Ready) -> None:
        async with bodies_with_keys(settings) as bodies:
            sealer, opener = (bodies.sealer, bodies.opener) if side == SEALED else (ClearBodies(), ClearBodies())
            await _serve(settings, await Ledger.open(settings, sealer, opener), stop, ready)

    run_until_stopped(work, ready_file, uvloop.new_event_loop)


async def _serve(settings: Settings, ledger: Ledger, stop: asyncio.Event, ready: Ready) -> None:
    def answers(at: Addresses) -> None:
        ready({"grpc": at.grpc, "http": at.http})

    try:
        await ledger.hospitals()
        await run_server(settings, ledger, {}, stop, answers)
    finally:
        await ledger.close()


if __name__ == "__main__":
    main()
