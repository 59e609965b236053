"""Events as rows of PostgreSQL's binary COPY format."""

import struct
from collections.abc import Sequence

from ledger.store.append import Append, Appended, Verdict

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_START = struct.Struct(">hiqi16siq")  # 9 columns; position, stream_id, version, each after its length
_TIME = struct.Struct(">iq")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)


def copy_rows(appends: Sequence[Append], verdicts: Sequence[Verdict]) -> bytes:
    """The events of all appended commands, at the positions in their verdicts."""
    parts = [_HEADER]
    for append, verdict in zip(appends, verdicts, strict=True):
        if isinstance(verdict, Appended):
            _add_events(parts, append, verdict.first_position)
    parts.append(_TRAILER)
    return b"".join(parts)


def _add_events(parts: list[bytes], append: Append, position: int) -> None:
    for at, event in enumerate(append.events, position):
        kind, trace = event.type.encode(), event.traceparent
        parts += (
            _START.pack(9, 8, at, 16, event.stream_id.bytes, 8, event.version),
            _LENGTH.pack(len(kind)),
            kind,
            _TIME.pack(8, event.recorded_at),
            _LENGTH.pack(len(event.envelope)),
            event.envelope,
            _LENGTH.pack(len(event.body)),
            event.body,
            _LENGTH.pack(len(event.leaf_hash)),
            event.leaf_hash,
            _NULL if trace is None else _LENGTH.pack(len(trace.encode())) + trace.encode(),
        )
