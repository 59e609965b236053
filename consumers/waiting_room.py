"""Messages whose time has not come: somebody else does not answer, and the topic must not wait for it.

Each sender has places of its own, and each message an end of its wait, so that nobody's silence stops another's offers.
"""

import json
import time
from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import sha256
from pathlib import Path

from consumers.durable_file import sync_folder, write_durably
from consumers.transfer_message import TransferMessage
from ledger.trust.lineage import first_of

WAITING_OF_SENDER_MAX = 1000
LONGEST_WAIT = timedelta(days=7)
"""A working week and its end: whoever mends a log, or decides on a fork, has had the time."""
_FIRST_PAUSE_SECONDS = 1.0
_PAUSE_SECONDS_MAX = 60.0


class NotNow(Exception):
    """The message cannot be handled until somebody else answers again."""

    def __init__(self, who: str, status: str) -> None:
        super().__init__(f"{who} answers {status}")
        self.who = who
        self.status = status


class WaitEnd(Enum):
    """Why a message waits no longer. The names are stable: senders and people act on them."""

    WAITED_TOO_LONG = "what it needs of its sender did not come within the longest wait"
    TOO_MANY_WAIT = "too many messages of its sender wait already"


@dataclass(frozen=True, slots=True)
class _Wait:
    since: datetime
    ledger: str
    """First origin of the sender's ledger."""


class WaitingRoom:
    """A folder with one file per message, tried again after growing pauses; a new start tries all of them at once."""

    def __init__(self, folder: Path, limit: int = WAITING_OF_SENDER_MAX, longest: timedelta = LONGEST_WAIT) -> None:
        """`limit`: messages of one sender's ledger."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._limit = limit
        self._longest = longest
        # What changes an offer comes after it in its ledger, and is tried after it.
        self._due: dict[Path, float] = dict.fromkeys(sorted(folder.glob("*.json"), key=_in_its_ledger), 0.0)
        self._waits = {path: _wait_in(path) for path in self._due}
        self._of_ledger = Counter(wait.ledger for wait in self._waits.values())
        self._pause: dict[Path, float] = {}

    def __len__(self) -> int:
        """Messages that wait."""
        return len(self._due)

    def end_of(self, message: TransferMessage, now: datetime) -> WaitEnd | None:
        """Why the message may not wait (any longer); None where it may."""
        if (wait := self._waits.get(self._path(message))) is not None:
            return WaitEnd.WAITED_TOO_LONG if now - wait.since >= self._longest else None
        return WaitEnd.TOO_MANY_WAIT if self._of_ledger[first_of(message.origin)] >= self._limit else None

    def put(self, message: TransferMessage, now: datetime) -> None:
        """Keeps the message for later, with the time since when it waits."""
        path = self._path(message)
        if path not in self._due:
            wait = _Wait(now, first_of(message.origin))
            write_durably(path, _file_of(message, wait))
            self._waits[path] = wait
            self._of_ledger[wait.ledger] += 1
        pause = min(self._pause.get(path, _FIRST_PAUSE_SECONDS / 2) * 2, _PAUSE_SECONDS_MAX)
        self._pause[path], self._due[path] = pause, time.monotonic() + pause

    def due(self) -> list[TransferMessage]:
        """Messages to be tried again now."""
        now = time.monotonic()
        return [_message_in(path) for path, due in self._due.items() if due <= now]

    def remove(self, message: TransferMessage) -> None:
        """The message was handled."""
        path = self._path(message)
        path.unlink()
        sync_folder(self._folder)
        del self._due[path]
        self._of_ledger[self._waits.pop(path).ledger] -= 1
        self._pause.pop(path, None)

    def _path(self, message: TransferMessage) -> Path:
        origin = sha256(message.origin.encode()).hexdigest()[:16]
        return self._folder / f"{origin}-{message.position}.json"


def _in_its_ledger(path: Path) -> tuple[str, int]:
    origin, _, position = path.stem.partition("-")
    return origin, int(position)


def _file_of(message: TransferMessage, wait: _Wait) -> bytes:
    row = {
        "origin": message.origin,
        "position": message.position,
        "envelope": b64encode(message.envelope).decode(),
        "body": b64encode(message.body).decode(),
        "since": wait.since.isoformat(),
    }
    return json.dumps(row).encode()


def _wait_in(path: Path) -> _Wait:
    row = json.loads(path.read_bytes())
    # A file of an earlier release does not say it; it was written once, when its message came.
    since = row.get("since") or datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    return _Wait(datetime.fromisoformat(since), first_of(row["origin"]))


def _message_in(path: Path) -> TransferMessage:
    row = json.loads(path.read_bytes())
    return TransferMessage(row["origin"], row["position"], b64decode(row["envelope"]), b64decode(row["body"]))
