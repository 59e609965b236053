"""Decisions on a ledger's record maps. Whether a map is right is not decided here: a monitor rebuilds each."""

from __future__ import annotations

from ledger.domain.command_guards import is_person
from ledger.domain.decision import MAP, Claim, Decision, Facts
from ledger.domain.faults import Faults
from ledger.domain.guards import check_time
from ledger.domain.map_commands import PublishMap
from ledger.domain.map_events import MapPublished
from ledger.domain.published_maps import PublishedMapsState
from ledger.domain.refusal import RefusalKind

MAP_VERSION = 1
_ROOT_BYTES = 32
_SIZE_MAX = (1 << 63) - 1


def publish_map(command: PublishMap, state: PublishedMapsState | None, facts: Facts) -> Decision:
    """The next map of the ledger, of a larger size than the last; the same map again adds nothing."""
    faults = Faults()
    if is_person(facts.context.actor):
        faults.add("context.actor", "NOT_A_PROGRAM", "a program publishes maps, not a person", RefusalKind.STATE)
    if not 1 <= command.tree_size <= _SIZE_MAX:
        faults.add("tree_size", "OUT_OF_RANGE", "1 to 2^63 - 1")
    elif command.tree_size > facts.ledger_head:
        what = f"at most {facts.ledger_head}, the ledger's last position"
        faults.add("tree_size", "MAP_BEYOND_LEDGER", what, RefusalKind.STATE)
    if command.rows > command.tree_size:
        faults.add("rows", "OUT_OF_RANGE", "there are no more records than events")
    if len(command.root) != _ROOT_BYTES:
        faults.add("root", "WRONG_LENGTH", f"{_ROOT_BYTES} bytes")
    if command.map_version != MAP_VERSION:
        faults.add("map_version", "UNKNOWN_MAP_VERSION", f"only {MAP_VERSION} is known")
    check_time(facts, faults)
    if state is not None and (command.tree_size, command.rows, command.root) == (
        state.tree_size,
        state.rows,
        state.root,
    ):
        faults.refuse_if_any()
        return _on_maps(facts, state)
    if state is not None and command.tree_size <= state.tree_size:
        faults.add("tree_size", "MAP_NOT_LATER", f"above {state.tree_size}, the last map's", RefusalKind.STATE)
    faults.refuse_if_any()
    event = MapPublished(facts.meta(), command.tree_size, command.rows, command.root, command.map_version)
    return _on_maps(facts, state, event)


def _on_maps(facts: Facts, state: PublishedMapsState | None, *events: MapPublished) -> Decision:
    """The hospital's one stream of maps: whoever opens it claims the name, so that there is never a second."""
    if state is not None and facts.claimed is not None:
        return Decision(facts.claimed.stream_id, MAP, events)
    return Decision(facts.ids[0], MAP, events, (Claim(MAP, ()),))


DECISIONS = {PublishMap: publish_map}
