"""Messages that cannot be handled, put aside with the reason, so that the topic goes on."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from consumers.durable_file import append_durably, write_durably
from ledger.trust.lineage import first_of

DEAD_LETTERS_MAX = 100


class DeadLetterLimit(Exception):
    """Too many messages could not be handled: a person has to look."""

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(f"{limit} dead letters lie in {path}: look at them, remove what is settled, start again")
        self.path = path
        self.limit = limit


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is kept of it: where to find it again, never what it says."""

    origin: str
    position: int
    type: str
    """Stored event name; empty where the envelope could not be read."""
    reason: str
    """Stable code, a colon, an explanation without clinical data."""
    at: datetime


class DeadLetterFile:
    """One JSON line per dead letter."""

    def __init__(self, path: Path, limit: int = DEAD_LETTERS_MAX) -> None:
        self._path = path
        self._limit = limit
        lines = _whole_lines(path)
        self._known = {_identity(line) for line in lines}
        self._of_senders = {_of_sender(str(row["origin"]), str(row["reason"])) for row in map(json.loads, lines)}

    def __len__(self) -> int:
        """Dead letters that lie there."""
        return len(self._known)

    def put(self, letter: DeadLetter) -> None:
        """Adds it, once; DeadLetterLimit when there are then too many."""
        if (letter.origin, letter.position) not in self._known:
            append_durably(self._path, _line(letter))
            self._known.add((letter.origin, letter.position))
            self._of_senders.add(_of_sender(letter.origin, letter.reason))
        if len(self._known) >= self._limit:
            raise DeadLetterLimit(self._path, self._limit)

    def stands_for(self, origin: str, code: str) -> bool:
        """Whether one letter of that code stands for whatever else its sender's ledger has: see `Follower`."""
        return _of_sender(origin, code) in self._of_senders


def _of_sender(origin: str, reason: str) -> tuple[str, str]:
    return first_of(origin), reason.partition(":")[0]


def _whole_lines(path: Path) -> list[bytes]:
    """The lines of the file; what a kill left of a last one is cut off, since its message will come again."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        write_durably(path, whole)
    return whole.splitlines()


def _identity(line: bytes) -> tuple[str, int]:
    row = json.loads(line)
    return str(row["origin"]), int(row["position"])


def _line(letter: DeadLetter) -> bytes:
    row = {
        "origin": letter.origin,
        "position": letter.position,
        "type": letter.type,
        "reason": letter.reason,
        "at": letter.at.isoformat(),
    }
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
