"""Operations on files and databases of one command that is killed at a chosen one: counted together, in their order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.fault.broken_files import BrokenOs

_FILES = ("ledger.blobs.directory.os", "ledger.keys.private_file.os", "ledger.keys.log_verifiers.os")


class BrokenOperations(BrokenOs):
    """File operations as there, and every wait for a database's answer: COPY and the end of transactions too."""

    def asks_database(self) -> None:
        """Before anything is sent."""
        self.count += 1
        self.kinds.append(f"database {_asking()}")
        if self._is_due():
            self._break_off()


def _asking() -> str:
    """The function of the product that asks."""
    frame = inspect.currentframe()
    while frame and "/ledger/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}" if frame else "elsewhere"


@contextmanager
def broken_operations(at: int | tuple[str, int], break_off: Callable[[], None]) -> Generator[BrokenOperations]:
    """The command that runs in the block breaks at one operation, as BrokenOs counts them."""
    broken = BrokenOperations(at, break_off)
    waits: dict[type, Any] = {each: each.wait for each in (psycopg.AsyncConnection, psycopg.Connection)}

    async def wait_async(self: Any, *given: Any, **named: Any) -> Any:
        broken.asks_database()
        return await waits[psycopg.AsyncConnection](self, *given, **named)

    def wait(self: Any, *given: Any, **named: Any) -> Any:
        broken.asks_database()
        return waits[psycopg.Connection](self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        for each in _FILES:
            patch.setattr(each, broken)
        patch.setattr(psycopg.AsyncConnection, "wait", wait_async)
        patch.setattr(psycopg.Connection, "wait", wait)
        yield broken
