"""Whether claimed times go on with positions: the same however a ledger is cut into ranges."""

from __future__ import annotations

from hashlib import sha256
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cli.verify_words import say
from ledger.trust.claimed_times import LAG_US_MAX, ClaimedTimes, claimed
from ledger.trust.envelope import FORMAT, Envelope, encode
from ledger.trust.range_walk import RangeJoin, RangeWalk
from ledger.trust.root_watch import RootWatch
from ledger.trust.verify import Row, Summary, copies_of, verify_rows
from tests.unit.trust.sample_ledger import ORIGIN

_START = 1_700_000_000_000_000
_SECOND = 1_000_000
_DIGEST = sha256(b"b").digest()
_times = st.lists(st.integers(-40, 40).map(lambda seconds: _START + seconds * _SECOND), max_size=30)


def told(times: list[int]) -> tuple[int, int]:
    """By the definition: the largest step back above the bound, and its size at the position that is named."""
    steps = [highest - time for highest, time in zip(accumulate(times, max), times, strict=True)]
    largest = max(steps, default=0)
    return (largest, largest) if largest > LAG_US_MAX else (0, 0)


@given(_times, st.data())
def test_the_largest_step_back_is_found_however_the_ranges_are_cut(times: list[int], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(times)), max_size=4)))
    joined = ClaimedTimes()
    for begin, end in zip([0, *cuts], [*cuts, len(times)], strict=True):
        joined = joined.followed_by(claimed(begin + 1, times[begin:end]))
    at = joined.back_position - 1
    named = max(times[: at + 1]) - times[at] if joined.back_position else 0
    assert (joined.back_us, named) == told(times)


def test_the_bound_itself_is_no_step() -> None:
    """Two clocks, each 5 s off at most."""
    assert claimed(1, [_START + LAG_US_MAX, _START]).back_us == 0
    assert claimed(1, [_START + LAG_US_MAX + 1, _START]) == ClaimedTimes(
        _START, 2, _START + LAG_US_MAX + 1, LAG_US_MAX + 1, 2
    )


def first_event(position: int, time: int) -> Row:
    """Of a stream of its own, so that no chain says anything of its time."""
    envelope = Envelope(
        FORMAT, ORIGIN, bytes([position]) * 16, 1, "ledger.v1.PatientRegistered", time, b"", b"", _DIGEST, b"", b""
    )
    return Row(position, encode(envelope), b"b", copies_of(envelope, encode(envelope)))


@pytest.mark.parametrize("ranges", [1, 2, 4])
def test_a_ledger_whose_times_go_back_is_told_and_holds(ranges: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty years before the event at an earlier position: the bytes are right, and the reader learns of it."""
    times = [_START, _START + _SECOND, _START - 20 * 365 * 86_400 * _SECOND, _START + 2 * _SECOND]
    rows = [first_event(position, time) for position, time in enumerate(times, 1)]
    join = RangeJoin(RootWatch())
    for after in range(0, 4, 4 // ranges):
        walk = RangeWalk(after)
        assert walk.take_all(rows[after : after + 4 // ranges]) is None
        assert join.take(walk.found()) is None
    found = join.summary()
    whole = verify_rows(rows)
    assert isinstance(whole, Summary)
    assert whole.times == found.times
    assert found.times.back_position == 3
    assert say("north", found, join.watch)
    assert "position 3 claims a time 630,720,001 s before" in capsys.readouterr().out
