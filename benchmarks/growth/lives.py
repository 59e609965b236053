"""Lives that really were lived once, copied: the same events with ids, case number and department of their own.

A hundred thousand records cannot be written one command after the other within a benchmark's time. What is copied are
bodies in the clear, so that each copy is sealed under a key of its own, as the service would have.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.trust.envelope import Envelope, decode
from ledger.trust.sealing import Draft

_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class OpenedEvent:
    """An event as it is stored, and its body in the clear."""

    envelope: bytes
    plaintext: bytes


@dataclass(frozen=True)
class Life:
    """The streams of one patient: the patient's own and the record's, each from its first event."""

    streams: tuple[tuple[OpenedEvent, ...], ...]
    case_number: str
    department: str
    kept: frozenset[str]
    """Ids that stay what they are: who acted, and whatever else is no part of the life."""

    @property
    def events(self) -> int:
        """Of one copy."""
        return sum(map(len, self.streams))


@dataclass(frozen=True)
class Copied:
    """One stream of a copy, ready to be sealed."""

    stream_id: uuid.UUID
    kind: str
    drafts: tuple[Draft, ...]


class NotCopied(Exception):
    """A name does not have the length of the one whose place it takes: the bytes around it would be wrong."""


def copied(life: Life, origin: str, department: str, recorded_at: int, kinds: Sequence[str]) -> tuple[Copied, ...]:
    """One more life of that kind. `recorded_at` in Unix microseconds. Raises NotCopied."""
    case_number = uuid.uuid4().hex[: len(life.case_number)].ljust(len(life.case_number), "x")
    if len(department) != len(life.department):
        raise NotCopied(department)
    names = {life.case_number.encode(): case_number.encode(), life.department.encode(): department.encode()}
    ids: dict[bytes, bytes] = {each.encode(): each.encode() for each in life.kept}
    return tuple(
        _stream(events, kind, origin, recorded_at, names, ids)
        for events, kind in zip(life.streams, kinds, strict=True)
    )  # fmt: skip


def _stream(
    events: Sequence[OpenedEvent],
    kind: str,
    origin: str,
    recorded_at: int,
    names: dict[bytes, bytes],
    ids: dict[bytes, bytes],
) -> Copied:
    first = decode(events[0].envelope)
    stream_id = uuid.UUID(bytes=_other(str(uuid.UUID(bytes=first.stream_id)).encode(), ids))
    drafts: list[Draft] = []
    for number, each in enumerate(events):
        clear = decode(each.envelope)
        placed = _placed(clear, origin, stream_id, recorded_at + number)
        drafts.append(Draft(placed, _renamed(each.plaintext, names, ids)))
    return Copied(stream_id, kind, tuple(drafts))


def _placed(clear: Envelope, origin: str, stream_id: uuid.UUID, recorded_at: int) -> Envelope:
    return replace(
        clear, origin=origin, stream_id=stream_id.bytes, recorded_at=recorded_at,
        key_id=b"", body_sha256=b"", commitment=b"", prev_leaf=b"",
    )  # fmt: skip


def _renamed(plaintext: bytes, names: dict[bytes, bytes], ids: dict[bytes, bytes]) -> bytes:
    """Every name keeps its length, so the message around it stays well formed."""
    for old, new in names.items():
        plaintext = plaintext.replace(old, new)
    return _ID.sub(lambda found: _text(found[0], ids), plaintext)


def _text(old: bytes, ids: dict[bytes, bytes]) -> bytes:
    return ids.setdefault(old, str(uuid.uuid4()).encode())


def _other(old: bytes, ids: dict[bytes, bytes]) -> bytes:
    return uuid.UUID(_text(old, ids).decode()).bytes
