"""The memory of streams: bounded by the events behind them, never older than what it knew."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.application.stream_cache import Loaded, StreamCache
from tests.unit.domain.given import patient

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STATE = patient()


def loaded(stream: int, version: int) -> Loaded:
    """A stream at a version."""
    return Loaded(UUID(int=stream), STATE, version, bytes([version % 256]) * 32, NOW)


def test_a_later_version_stays() -> None:
    """A slow load does not put back what an append has moved on."""
    cache = StreamCache(100)
    cache.put(loaded(1, 5))
    cache.put(loaded(1, 3))
    found = cache.get(UUID(int=1))
    assert found is not None
    assert found.version == 5


def test_the_least_recently_used_stream_leaves_first() -> None:
    """Bounded by events, not by streams."""
    cache = StreamCache(10)
    for stream in (1, 2, 3):
        cache.put(loaded(stream, 3))
    cache.get(UUID(int=1))
    cache.put(loaded(4, 4))
    assert cache.get(UUID(int=1)) is not None
    assert cache.get(UUID(int=2)) is None


def test_one_stream_larger_than_the_bound_is_still_kept() -> None:
    """Otherwise a long record would be read from its first event for every command."""
    cache = StreamCache(10)
    cache.put(loaded(1, 50))
    assert cache.get(UUID(int=1)) is not None


def test_a_dropped_stream_is_gone_and_its_room_is_free() -> None:
    """Also when it was never there."""
    cache = StreamCache(10)
    cache.drop(UUID(int=1))
    cache.put(loaded(1, 9))
    cache.drop(UUID(int=1))
    assert cache.get(UUID(int=1)) is None
    cache.put(loaded(2, 9))
    cache.put(loaded(3, 1))
    assert cache.get(UUID(int=2)) is not None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30), st.booleans()), max_size=60))
def test_it_keeps_to_its_bound_and_counts_right(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever was put and dropped, in any order."""
    cache = StreamCache(40)
    for stream, version, drop in steps:
        if drop:
            cache.drop(UUID(int=stream))
        else:
            cache.put(loaded(stream, version))
        held = [found.version for number in range(6) if (found := cache.get(UUID(int=number)))]
        assert sum(held) <= 40 or len(held) == 1
    for number in range(6):
        cache.drop(UUID(int=number))
    for number in range(4):
        cache.put(loaded(number, 10))
    assert all(cache.get(UUID(int=number)) for number in range(4)), "an empty cache has its whole room"
