"""Messages whose time has not come: somebody else does not answer, and the topic must not wait for it."""

import json
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

from consumers.durable_file import sync_folder, write_durably
from consumers.transfer_message import TransferMessage

WAITING_MAX = 1000
_FIRST_PAUSE_SECONDS = 1.0
_PAUSE_SECONDS_MAX = 60.0


class NotNow(Exception):
    """The message cannot be handled until somebody else answers again."""

    def __init__(self, who: str, status: str) -> None:
        super().__init__(f"{who} answers {status}")
        self.who = who
        self.status = status


class WaitingRoomFull(Exception):
    """Too many messages wait for others to answer; the topic waits too until some of them are done."""

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__(f"{limit} messages wait in {folder}")
        self.folder = folder
        self.limit = limit


class WaitingRoom:
    """A folder with one file per message, tried again after growing pauses; a new start tries all of them at once."""

    def __init__(self, folder: Path, limit: int = WAITING_MAX) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._limit = limit
        # What changes an offer comes after it in its ledger, and is tried after it.
        self._due: dict[Path, float] = dict.fromkeys(sorted(folder.glob("*.json"), key=_in_its_ledger), 0.0)
        self._pause: dict[Path, float] = {}

    def __len__(self) -> int:
        """Messages that wait."""
        return len(self._due)

    def put(self, message: TransferMessage) -> None:
        """Keeps the message for later; WaitingRoomFull where there is no room."""
        path = self._path(message)
        if path not in self._due:
            if len(self._due) >= self._limit:
                raise WaitingRoomFull(self._folder, self._limit)
            write_durably(path, _file_of(message))
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
        self._pause.pop(path, None)

    def _path(self, message: TransferMessage) -> Path:
        origin = sha256(message.origin.encode()).hexdigest()[:16]
        return self._folder / f"{origin}-{message.position}.json"


def _in_its_ledger(path: Path) -> tuple[str, int]:
    origin, _, position = path.stem.partition("-")
    return origin, int(position)


def _file_of(message: TransferMessage) -> bytes:
    row = {
        "origin": message.origin,
        "position": message.position,
        "envelope": b64encode(message.envelope).decode(),
        "body": b64encode(message.body).decode(),
    }
    return json.dumps(row).encode()


def _message_in(path: Path) -> TransferMessage:
    row = json.loads(path.read_bytes())
    return TransferMessage(row["origin"], row["position"], b64decode(row["envelope"]), b64decode(row["body"]))
