"""Which log of a hospital goes on, told from the files alone: one that ended says so among its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from ledger.blobs.contract import Blobs
from ledger.log.log_files import ENDED, LogFiles, folder_of_log

LOOK_SECONDS = 1.0
LOGS_MAX = 1000
"""Logs of one hospital, one after the other, before something is taken to be wrong with the files."""


class PresentLogs:
    """Remembers for a second what it saw, so that every file that is served costs no look of its own."""

    def __init__(self, blobs: Blobs, clock: Callable[[], float] = time.monotonic) -> None:
        self._blobs = blobs
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    def folder_of(self, hospital: str) -> str:
        """The folder of the hospital's present log. Blocks. BlobError."""
        number, looked_at = self._seen.get(hospital, (1, float("-inf")))
        if self._clock() - looked_at >= LOOK_SECONDS:
            number = self._look(hospital, number)
            self._seen[hospital] = number, self._clock()
        return folder_of_log(hospital, number)

    def _look(self, hospital: str, number: int) -> int:
        while number < LOGS_MAX and LogFiles(self._blobs, folder_of_log(hospital, number)).read(ENDED) is not None:
            number += 1
        return number
