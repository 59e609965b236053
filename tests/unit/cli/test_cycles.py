"""How a process that serves looks for cycles."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from ledger.cli.cycles import EVERYTHING_AT, FullPasses


class Node:
    """Something that may name itself."""

    def __init__(self) -> None:
        self.itself: Node | None = None


@pytest.fixture
def passes() -> Iterator[None]:
    told = FullPasses()
    gc.callbacks.append(told)
    yield
    gc.callbacks.remove(told)
    gc.unfreeze()


@pytest.mark.usefixtures("passes")
def test_what_a_pass_left_alone_is_set_aside_from_the_next() -> None:
    kept = Node()
    gc.collect()
    assert gc.get_freeze_count() > 0
    assert not any(each is kept for each in gc.get_objects())


@pytest.mark.usefixtures("passes")
def test_a_cycle_that_grew_old_is_found_late_and_not_never() -> None:
    old = Node()
    gone = weakref.ref(old)
    gc.collect()
    old.itself = old
    del old
    gc.collect()
    assert gone() is not None, "it was set aside"
    for _ in range(EVERYTHING_AT):
        gc.collect()
    assert gone() is None
