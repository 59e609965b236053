"""What a monitor says about a published map after it rebuilt it from the entries: the text of a signed note."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import AuditFault
from ledger.trust.map_published import MapStatement
from ledger.trust.merkle import HASH_BYTES
from ledger.trust.strict_base64 import from_base64, to_base64

_HEADER = "ledger-map-audit@v1"
_LINES = 8


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
