"""The connections of all readers of one process to one cluster: a few to ask with, one that listens for all of them."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from ledger.views.statements import templates

_log = logging.getLogger(__name__)
ASKING_MAX = 4
"""Readers that ask at the same moment; the others wait for the few milliseconds that a question takes."""
_STEP_SECONDS = 0.2
"""How often the listener looks whether it is still wanted."""
_RECONNECT_SECONDS = 1.0

Row = tuple[Any, ...]
Log = Connection[Row]
Hint = tuple[str, str]
"""Channel, and whose growth."""


class SharedLog:
    """Used by many threads at once. A hint may be lost, so it only shortens the wait for the next look."""

    def __init__(self, connect: Callable[[], Log]) -> None:
        self._connect = connect
        self._places = threading.BoundedSemaphore(ASKING_MAX)
        self._lock = threading.Lock()
        self._idle: list[Log] = []
        self._hinted = threading.Condition()
        self._counts: defaultdict[Hint, int] = defaultdict(int)
        self._closed = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="stream hints", daemon=True)
        self._listener.start()

    @contextmanager
    def asking(self) -> Generator[Log]:
        """A connection for one question. Raises the driver's errors."""
        with self._places:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            connection = connection or self._connect()
            try:
                yield connection
            except psycopg.OperationalError:
                # What broke this one has most likely broken all of them.
                self._close_idle()
                raise
            finally:
                self._put_back(connection)

    def hints(self, hint: Hint) -> int:
        """How many hints have come so far; to be read before the look that finds nothing."""
        with self._hinted:
            return self._counts[hint]

    def wait(self, hint: Hint, seen: int, seconds_max: float) -> None:
        """Returns once there is another hint than those seen, or after the time."""
        with self._hinted:
            self._hinted.wait_for(lambda: self._counts[hint] != seen, seconds_max)

    def close(self) -> None:
        """Closes every connection."""
        self._closed.set()
        self._listener.join()
        self._close_idle()

    def _put_back(self, connection: Log) -> None:
        if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    def _close_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with self._connect() as connection:
                    for name in ("listen", "listen_transfers"):
                        connection.execute(templates("ledger.stream.postgres", "reading")[name].encode())
                    while not self._closed.is_set():
                        for each in connection.notifies(timeout=_STEP_SECONDS):
                            self._note((each.channel, each.payload.partition(" ")[0]))
            except psycopg.Error as error:
                _log.warning("hints out of reach", extra={"error": type(error).__name__})
                self._closed.wait(_RECONNECT_SECONDS)

    def _note(self, hint: Hint) -> None:
        with self._hinted:
            self._counts[hint] += 1
            self._hinted.notify_all()


_guard = threading.Lock()
_open: dict[str, tuple[SharedLog, int]] = {}


def take_shared_log(url: str, connect: Callable[[], Log]) -> SharedLog:
    """The process's connections to this URL, opened for the first reader."""
    with _guard:
        log, readers = _open.get(url) or (SharedLog(connect), 0)
        _open[url] = (log, readers + 1)
    return log


def give_back_shared_log(url: str) -> None:
    """The last reader to give them back closes them."""
    with _guard:
        log, readers = _open[url]
        if readers > 1:
            _open[url] = (log, readers - 1)
            return
        del _open[url]
    log.close()
