"""The archive office as a monitor: rebuilds every published record map from its own copy of the events.

It walks the events in order of position, so at each MapPublished it has seen what the map speaks of. What it finds is
the text of a note; who runs it signs that and hands it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger.trust.envelope import decode
from ledger.trust.map_audit import MapAudit
from ledger.trust.map_published import MapStatement, read_map_published
from ledger.trust.map_tree import MapTree
from ledger.trust.record_map import MAP_PUBLISHED, heads_of
from ledger.trust.verify import Row

OpenBody = Callable[[Row], bytes]
"""From a MapPublished event to its body in the clear."""


class MapImpossible(Exception):
    """A published map speaks of events that were not before it, or of fewer than the map before it."""

    def __init__(self, position: int, said: MapStatement) -> None:
        super().__init__(f"{self.__doc__} position {position}")
        self.position = position
        self.said = said


def stored_body(row: Row) -> bytes:
    """The body of an event that lies in the clear."""
    return row.body


def audited_maps(rows: Iterable[Row], open_body: OpenBody = stored_body) -> Iterator[MapAudit]:
    """The audit of each published map of a ledger whose rows come from position 1 on; they must have been verified.

    Raises MapFault for a MapPublished whose body is none, MapImpossible where its size cannot be.
    """
    tree, mapped = MapTree(), 0
    waiting: list[bytes] = []
    for row in rows:
        envelope = decode(row.envelope)
        if envelope.type == MAP_PUBLISHED:
            said = read_map_published(open_body(row))
            if not mapped <= said.size < row.position:
                raise MapImpossible(row.position, said)
            _grow(tree, waiting, said.size - mapped)
            mapped = said.size
            yield MapAudit(envelope.origin, row.position - 1, said, tree.rows, tree.root())
        waiting.append(row.envelope)


def _grow(tree: MapTree, waiting: list[bytes], count: int) -> None:
    taken: Sequence[bytes] = waiting[:count]
    tree.put(heads_of(taken).values())
    del waiting[:count]
