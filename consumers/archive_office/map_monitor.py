"""The archive office as a monitor: rebuilds every published record map from its own copy of the events.

It walks the events in order of position, so at each MapPublished it has seen what the map speaks of. What it finds is
the text of a note; who runs it signs that and hands it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger.trust.envelope import decode
from ledger.trust.format_fault import MapFault
from ledger.trust.map_audit import MapAudit, MapRefusal, RefusedMap
from ledger.trust.map_published import MapStatement, read_map_published
from ledger.trust.map_tree import MapTree
from ledger.trust.record_map import MAP_PUBLISHED, heads_of
from ledger.trust.verify import Row

OpenBody = Callable[[Row], bytes | None]
"""From a MapPublished event to its body in the clear; None for one that does not open."""


def stored_body(row: Row) -> bytes | None:
    """The body of an event that lies in the clear."""
    return row.body


def judged_maps(rows: Iterable[Row], open_body: OpenBody = stored_body) -> Iterator[MapAudit | RefusedMap]:
    """What is found of each MapPublished of a ledger whose rows come from position 1 on; they must have been verified.

    One that names no map is refused, and the next is judged as if it were not there.
    """
    tree, mapped = MapTree(), 0
    waiting: list[bytes] = []
    for row in rows:
        envelope = decode(row.envelope)
        if envelope.type == MAP_PUBLISHED:
            said = _statement(open_body(row), mapped, row.position)
            if isinstance(said, MapRefusal):
                yield RefusedMap(envelope.origin, row.position - 1, said)
            else:
                _grow(tree, waiting, said.size - mapped)
                mapped = said.size
                yield MapAudit(envelope.origin, row.position - 1, said, tree.rows, tree.root())
        waiting.append(row.envelope)


def _statement(body: bytes | None, mapped: int, position: int) -> MapStatement | MapRefusal:
    if body is None:
        return MapRefusal.UNOPENED
    try:
        said = read_map_published(body)
    except MapFault:
        return MapRefusal.MALFORMED
    return said if mapped <= said.size < position else MapRefusal.IMPOSSIBLE


def _grow(tree: MapTree, waiting: list[bytes], count: int) -> None:
    taken: Sequence[bytes] = waiting[:count]
    tree.put(heads_of(taken).values())
    del waiting[:count]
