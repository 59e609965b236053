"""How a role runs: settings from the environment, logs, a clean end on SIGTERM, a ready file for programs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click
import psycopg

from ledger.cli.errors_shown import said
from ledger.cli.service_folder import NoService, ServiceFolder
from ledger.config import BadSettings, Settings, load
from ledger.keys.errors import KeyFileUnusable
from ledger.server.errors import NotLoopback
from ledger.store.errors import NotDurable, StoreError
from ledger.stream.contract import StreamUnavailable
from ledger.telemetry.clock_source import clock_state, log_clock
from ledger.telemetry.logs import configure_logging

Ready = Callable[[object], None]

END_SECONDS_MAX = 15.0
"""How long a role may take to end. A clean end spares its successor the wait for a lease; nothing else hangs on it."""


def settings_for(*needed: str, own_servers: bool = False, beside: Path | None = None) -> Settings:
    """This role's settings; ends the program with status 2 and every fault by name where one cannot be used.

    `beside` names the folder of a service of `ledger up`, whose settings go before the environment's.
    """
    try:
        kept = ServiceFolder.look(beside).kept_settings() if beside is not None else {}
        settings = load({**os.environ, **kept}, *needed, own_servers=own_servers)
    except NoService as error:
        raise click.UsageError(str(error)) from error
    except BadSettings as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error
    configure_logging(settings.log_level)
    return settings


def run_until_stopped(
    work: Callable[[asyncio.Event, Ready], Coroutine[Any, Any, None]],
    ready_file: Path | None,
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Runs a role until SIGTERM or Ctrl-C sets its stop event; the ready file appears when it says so.

    `new_loop` makes another event loop than asyncio's own.
    """

    async def main() -> None:
        log_clock(await asyncio.to_thread(clock_state))
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await _ended(asyncio.create_task(work(stop, lambda facts: write_ready(ready_file, facts))), stop)

    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main())
    except (NotDurable, NotLoopback, BadSettings, KeyFileUnusable) as error:
        print(*error.args, file=sys.stderr)
        raise SystemExit(2) from error
    except (StoreError, OSError, psycopg.OperationalError, StreamUnavailable) as error:
        raise click.ClickException(said(error)) from error
    finally:
        withdraw_ready(ready_file)


async def _ended(work: asyncio.Task[None], stop: asyncio.Event) -> None:
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait((work, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    await asyncio.wait((work,), timeout=END_SECONDS_MAX)
    if not work.done():
        # It waits for a server that is gone, perhaps in the very clean-up that cancelling would begin.
        print(f"not ended {END_SECONDS_MAX:.0f} s after it was told to; ended by force", file=sys.stderr, flush=True)
        os._exit(1)
    await work


def write_ready(ready_file: Path | None, facts: object) -> None:
    """Writes the ready file whole or not at all: its reader never sees half of it."""
    if ready_file is None:
        return
    part = ready_file.with_suffix(".part")
    part.write_text(json.dumps(facts, indent=2) + "\n")
    part.replace(ready_file)


def withdraw_ready(ready_file: Path | None) -> None:
    """Takes the ready file back: who reads it later finds nobody."""
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
