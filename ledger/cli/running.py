"""How a role runs: settings from the environment, logs, a clean end on SIGTERM, a ready file for programs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from ledger.config import BadSettings, Settings, load
from ledger.server.errors import NotLoopback
from ledger.store.errors import NotDurable
from ledger.telemetry.logs import configure_logging

Ready = Callable[[object], None]


def settings_for(*needed: str) -> Settings:
    """This role's settings; ends the program with status 2 and every fault by name where one cannot be used."""
    try:
        settings = load(os.environ, *needed)
    except BadSettings as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error
    configure_logging(settings.log_level)
    return settings


def run_until_stopped(work: Callable[[asyncio.Event, Ready], Awaitable[None]], ready_file: Path | None) -> None:
    """Runs a role until SIGTERM or Ctrl-C sets its stop event; the ready file appears when it says so."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await work(stop, lambda facts: write_ready(ready_file, facts))

    try:
        asyncio.run(main())
    except (NotDurable, NotLoopback) as error:
        print(*error.args, file=sys.stderr)
        raise SystemExit(2) from error


def write_ready(ready_file: Path | None, facts: object) -> None:
    """Writes the ready file whole or not at all: its reader never sees half of it."""
    if ready_file is None:
        return
    part = ready_file.with_suffix(".part")
    part.write_text(json.dumps(facts, indent=2) + "\n")
    part.replace(ready_file)
