"""Which systems are there on this machine, each with its client, and why others are not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg

from benchmarks.ground import Ground
from benchmarks.peers.driver import DrivenSystem
from benchmarks.peers.fetched import PeerMissing, npm_folder, umadb_folder
from benchmarks.peers.job import System
from benchmarks.peers.message_db import DATABASE, MessageDb
from benchmarks.peers.umadb_server import umadb_server

OURS, UMADB = "ledger, at the store", "UmaDB (Python client)"
_PATH = {"PATH": os.environ.get("PATH", os.defpath)}

Missing = tuple[str, str]
"""The system and why it is not there."""


def systems(stood_on: Ground, stack: ExitStack) -> tuple[list[System], list[Missing]]:
    """Those that can be measured, ours first, and those that cannot."""
    makers: Sequence[tuple[str, Callable[[], Sequence[System]]]] = (
        (OURS, lambda: [_python(OURS, "store_driver", stood_on.postgres.superuser_url)]),
        ("eventsourcing", lambda: [_eventsourcing(stood_on)]),
        ("message-db", lambda: _message_db(stood_on)),
        ("Emmett", lambda: [_emmett(stood_on)]),
        (UMADB, lambda: [_umadb(stood_on.folder, stack)]),
    )
    found: list[System] = []
    missing: list[Missing] = []
    for name, make in makers:
        try:
            found.extend(make())
        except PeerMissing as reason:
            missing.append((name, str(reason)))
    return found, missing


def _python(name: str, module: str, url: str, path: str = "") -> DrivenSystem:
    command = [sys.executable, "-m", f"benchmarks.peers.{module}"]
    return DrivenSystem(name, command, url, {**_PATH, "PYTHONPATH": path})


def _eventsourcing(stood_on: Ground) -> System:
    url = _database(stood_on, "eventsourcing")
    return _python("eventsourcing (own recorder, threads)", "eventsourcing_driver", url)


def _message_db(stood_on: Ground) -> Sequence[System]:
    sources = npm_folder() / "node_modules" / "@eventide" / "message-db" / "database"
    _database(stood_on, DATABASE)
    return [
        MessageDb(stood_on.postgres, sources, stood_on.folder, one_category=False),
        MessageDb(stood_on.postgres, sources, stood_on.folder, one_category=True),
    ]


def _emmett(stood_on: Ground) -> System:
    folder = npm_folder()
    # Node looks for packages from where a module lies, so the driver lies beside them.
    program = Path(shutil.copy(Path(__file__).with_name("emmett.mjs"), folder))
    node = shutil.which("node") or "node"
    return DrivenSystem("Emmett (Node)", [node, str(program)], _database(stood_on, "emmett"), _PATH)


def _umadb(folder: Path, stack: ExitStack) -> System:
    package = umadb_folder()
    url = stack.enter_context(umadb_server(package, folder))
    return _python(UMADB, "umadb_driver", url, str(package))


def _database(stood_on: Ground, name: str) -> str:
    with psycopg.connect(stood_on.postgres.superuser_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return stood_on.postgres.url(name)
