"""A ledger publishes record maps: one stream, each map of a larger size than the one before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.decision import MAP, ClaimedItem
from ledger.domain.map_commands import PublishMap
from ledger.domain.published_maps import PublishedMapsState
from ledger.domain.refusal import RefusalKind
from tests.unit.domain.given import CLOCK, PHYSICIAN, RECORD, Stream

FIRST = PublishMap(40, 7, bytes(range(32)), 1)
KNOWN = {"actor": CLOCK, "ledger_head": 99}


def published() -> Stream:
    stream = Stream()
    stream.when(FIRST, **KNOWN)
    return stream


def test_the_first_map_opens_the_stream_and_claims_it() -> None:
    """One stream of maps a hospital: who opens it claims the name."""
    stream = published()
    assert stream.last_events == ["MapPublished"]
    assert stream.decision is not None
    assert [(each.kind, stream.decision.kind) for each in stream.decision.reservations] == [(MAP, MAP)]
    assert stream.state == PublishedMapsState(1, 40, 7, FIRST.root)


def test_the_same_map_again_adds_nothing_and_a_later_one_follows() -> None:
    """The next map goes onto the stream that holds the name."""
    stream = published()
    held = {**KNOWN, "claimed": ClaimedItem(RECORD, None, b"")}
    assert stream.when(FIRST, **held).events == ()
    decision = stream.when(replace(FIRST, tree_size=41), **held)
    assert (decision.stream_id, decision.reservations, stream.last_events) == (RECORD, (), ["MapPublished"])


@pytest.mark.parametrize(
    ("command", "known", "kind", "faults"),
    [
        (FIRST, {**KNOWN, "actor": PHYSICIAN}, RefusalKind.STATE, [("context.actor", "NOT_A_PROGRAM")]),
        (replace(FIRST, tree_size=100), KNOWN, RefusalKind.STATE, [("tree_size", "MAP_BEYOND_LEDGER")]),
        (replace(FIRST, tree_size=(1 << 63) - 1), KNOWN, RefusalKind.STATE, [("tree_size", "MAP_BEYOND_LEDGER")]),
        (replace(FIRST, tree_size=39), KNOWN, RefusalKind.STATE, [("tree_size", "MAP_NOT_LATER")]),
        (replace(FIRST, root=bytes(32)), KNOWN, RefusalKind.STATE, [("tree_size", "MAP_NOT_LATER")]),
        (
            PublishMap(0, 1, b"", 2),
            KNOWN,
            RefusalKind.INVALID,
            [
                ("tree_size", "OUT_OF_RANGE"),
                ("rows", "OUT_OF_RANGE"),
                ("root", "WRONG_LENGTH"),
                ("map_version", "UNKNOWN_MAP_VERSION"),
                ("tree_size", "MAP_NOT_LATER"),
            ],
        ),
    ],
)
def test_what_is_no_next_map_is_refused_with_every_fault(
    command: PublishMap, known: dict[str, object], kind: RefusalKind, faults: list[tuple[str, str]]
) -> None:
    """A person, a size above the ledger or not above the last map, another map of its size, values that none has."""
    assert published().refused(command, **known) == (kind, faults)
