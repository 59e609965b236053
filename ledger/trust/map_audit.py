"""What a monitor says about a published map, as the text of a signed note: rebuilt from the entries, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import AuditFault
from ledger.trust.map_published import MapStatement
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.strict_base64 import from_base64, to_base64

_HEADER = "ledger-map-audit@v1"
_LINES = 8
_REFUSED = "ledger-map-refused@v1"
_REFUSED_LINES = 4


@dataclass(frozen=True, slots=True)
class MapAudit:
    """One map of one log, and what the monitor found."""

    origin: str
    index: int
    """Of the MapPublished event in the log's tree, from 0."""
    published: MapStatement
    rebuilt_rows: int
    """Records that the entries up to the map's size lead to."""
    rebuilt_root: bytes
    """The root that they lead to."""

    @property
    def holds(self) -> bool:
        """Whether the published map is the right one."""
        return (self.rebuilt_rows, self.rebuilt_root) == (self.published.rows, self.published.root)

    def text(self) -> str:
        """The text that is signed."""
        said = self.published
        lines = (
            _HEADER, self.origin, self.index, said.size, said.rows, to_base64(said.root),
            self.rebuilt_rows, to_base64(self.rebuilt_root),
        )  # fmt: skip
        return "".join(f"{line}\n" for line in lines)


class MapRefusal(Enum):
    """Why a MapPublished names no map that could be rebuilt."""

    MALFORMED = "its body is not that of a published map"
    UNOPENED = "its body does not open"
    IMPOSSIBLE = "it speaks of events that were not before it, or of fewer than the map before"


@dataclass(frozen=True, slots=True)
class RefusedMap:
    """A MapPublished of a log that is wrong whatever the entries say."""

    origin: str
    index: int
    """Of the event in the log's tree, from 0."""
    why: MapRefusal

    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (_REFUSED, self.origin, self.index, self.why.name))


def parse_refused_map(text: str) -> RefusedMap:
    """The refusal in a note's text; AuditFault names every fault."""
    header, *lines = text.split("\n")
    if header != _REFUSED or len(lines) != _REFUSED_LINES or lines.pop():
        raise AuditFault(f"not {_REFUSED} and three lines, each with a newline")
    origin, index, why = lines[0], from_decimal(lines[1]), MapRefusal.__members__.get(lines[2])
    faults = [
        *(["the origin is empty"] if not origin else []),
        *(["the index"] if index is None else []),
        *(["the reason"] if why is None else []),
    ]
    if faults or index is None or why is None:
        raise AuditFault(*faults)
    return RefusedMap(origin, index, why)


def parse_map_audit(text: str) -> MapAudit:
    """The audit in a note's text; AuditFault names every fault."""
    header, *lines = text.split("\n")
    if header != _HEADER or len(lines) != _LINES or lines.pop():
        raise AuditFault(f"not {_HEADER} and seven lines, each with a newline")
    numbers = [from_decimal(lines[at]) for at in (1, 2, 3, 5)]
    roots = [from_base64(lines[at]) for at in (4, 6)]
    faults = [
        *(["the origin is empty"] if not lines[0] else []),
        *(["a number"] if None in numbers else []),
        *(["a root is not 32 bytes"] if any(each is None or len(each) != HASH_BYTES for each in roots) else []),
    ]
    if faults:
        raise AuditFault(*faults)
    index, size, rows, rebuilt_rows = (each for each in numbers if each is not None)
    root, rebuilt_root = (each for each in roots if each is not None)
    return MapAudit(lines[0], index, MapStatement(size, rows, root), rebuilt_rows, rebuilt_root)
