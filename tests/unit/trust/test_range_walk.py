"""A ledger checked in ranges says what one walk over it says; signed heads show cuts and roll-backs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.leaf import leaf_hash
from ledger.trust.policy import Witnessed
from ledger.trust.range_walk import RangeJoin, RangeWalk, Stood
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Fault, Row, RowFault, Summary, copies_of, verify_rows
from tests.unit.trust.sample_ledger import ORIGIN, filled
from tests.unit.trust.tlog_samples import LOG


def rows_of(records: int, events: int) -> list[Row]:
    rows: list[Row] = []
    for placed in filled(records, events).events:
        data = placed.event.envelope
        rows.append(Row(placed.index + 1, data, placed.event.body, copies_of(decode(data), data)))
    return rows


ROWS = rows_of(7, 60)
LEAVES = [leaf_hash(row.envelope) for row in ROWS]


def in_ranges(rows: list[Row], events: int, watch: RootWatch | None = None) -> Fault | Summary:
    join = RangeJoin(watch or RootWatch(), digesting=True)
    last = max((row.position for row in rows), default=0)
    for after in range(0, max(last, 1), events):
        walk = RangeWalk(after)
        for row in rows:
            if after < row.position <= after + events and walk.take(row):
                break
        fault = join.take(walk.found())
        if fault:
            return fault
    return join.watch.end() or join.summary()


def head(size: int, root: bytes | None = None) -> Witnessed:
    right = RootWatch()
    right.take(LEAVES[:size])
    return Witnessed(Checkpoint(ORIGIN, size, root or right.root()), LOG.verifier(), {}, None)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 61))
def test_a_whole_ledger_holds_in_any_ranges(events: int) -> None:
    """The same summary, digest included, wherever it is cut."""
    assert in_ranges(ROWS, events) == verify_rows(ROWS)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 61), st.integers(0, 59), st.sampled_from(["drop", "body", "version", "older", "repeat", "column"])
)
def test_the_first_fault_is_the_same(events: int, at: int, what: str) -> None:
    """Kind, position, record and version, wherever the range ends."""
    rows = list(ROWS)
    match what:
        case "drop":
            del rows[at]
        case "body":
            rows[at] = rows[at]._replace(body=b"other")
        case "column":
            copies = rows[at].copies
            assert copies is not None
            rows[at] = rows[at]._replace(copies=copies._replace(version=99))
        case "repeat":
            rows[at] = rows[(at + 14) % 60]._replace(position=at + 1)
        case "older":
            rows[at] = rows[(at + 53) % 60]._replace(position=at + 1)
        case _:
            rows[at] = rows[(at + 1) % 60]._replace(position=at + 1)
    one = verify_rows(rows)
    found = in_ranges(rows, events)
    assert isinstance(one, Fault) or (what == "drop" and at == 59)
    if isinstance(one, Fault) and one.kind is RowFault.POSITION:
        assert isinstance(found, Fault)
        assert (found.kind, found.position) == (one.kind, one.position)
    else:
        assert found == one


def test_signed_heads_are_compared_where_they_lie() -> None:
    """At every size between, whatever the ranges; each is then said to have been compared."""
    for events in (1, 7, 60):
        watch = RootWatch([head(60), head(1), head(13), head(13)])
        assert isinstance(in_ranges(ROWS, events, watch), Summary)
        assert [each.checkpoint.size for each in watch.compared] == [1, 13, 13, 60]
        assert watch.root() == head(60).checkpoint.root


def test_a_cut_ledger_and_another_history_are_found() -> None:
    """A signed head beyond the end: rolled back. Another root: another history, found at that size."""
    cut = in_ranges(ROWS[:50], 7, RootWatch([head(51)]))
    assert cut == Fault(RowFault.BEHIND, 51, b"", 0)
    assert in_ranges(ROWS[:50], 7, RootWatch([head(50)])) == verify_rows(ROWS[:50])
    other = in_ranges(ROWS, 7, RootWatch([head(20), head(31, bytes(32)), head(40)]))
    assert other == Fault(RowFault.SIGNED_ROOT, 31, b"", 0)
    assert in_ranges([], 7, RootWatch([head(1)])) == Fault(RowFault.BEHIND, 1, b"", 0)


@pytest.mark.parametrize("changed", [False, True])
def test_what_was_verified_before_is_held_to_the_signed_root(changed: bool) -> None:
    """Events up to a signed head come as their leaf hashes; one that differs is found by the root."""
    leaves = list(LEAVES[:30])
    if changed:
        leaves[3] = bytes(32)
    streams: dict[bytes, Stood] = {}
    for row in ROWS[:30]:
        seen = decode(row.envelope)
        before = streams.get(seen.stream_id)
        first = before.first_position if before else row.position
        streams[seen.stream_id] = Stood(
            seen.stream_version, leaf_hash(row.envelope), seen.recorded_at, first, row.position
        )
    join = RangeJoin(RootWatch([head(30), head(60)]), digesting=True)
    fault = join.known(streams, leaves)
    if changed:
        assert fault == Fault(RowFault.SIGNED_ROOT, 30, b"", 0)
        return
    walk = RangeWalk(30)
    assert [walk.take(row) for row in ROWS[30:]] == [None] * 30
    assert fault or join.take(walk.found()) or join.watch.end() is None
    summary, whole = join.summary(), verify_rows(ROWS)
    assert isinstance(whole, Summary)
    assert (summary.events, summary.first_position, summary.digest) == (30, 31, whole.digest)
