"""How few places serve many hospitals."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ledger.lease.places import CROWDED_SECONDS, TURN_SECONDS, Places

IDLE_SECONDS = 60.0


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_no_more_places_than_there_are() -> None:
    """Who finds none gets the first one that is given up."""
    places = Places(2, IDLE_SECONDS, clock=Clock())
    assert [each.hospital for each in places.take(["a", "b", "c"])] == ["a", "b"]
    assert places.awaited
    assert places.take(["c"]) == []
    places.give_up("a")
    assert [each.hospital for each in places.take(["c"])] == ["c"]
    assert not places.awaited


def test_idle_hospital_keeps_its_place_while_there_are_enough() -> None:
    """For the time that was set; only a second where half of them are taken, so that a waking hospital finds one."""
    places = Places(4, IDLE_SECONDS, clock=Clock())
    (first,) = places.take(["a"])
    assert not first.idle_over(IDLE_SECONDS - 1)
    assert first.idle_over(IDLE_SECONDS)
    places.take(["b"])
    assert not first.idle_over(CROWDED_SECONDS / 2)
    assert first.idle_over(CROWDED_SECONDS)


def test_hospital_that_never_rests_has_turns_only_where_others_wait() -> None:
    """Alone it keeps its place for ever; awaited it gives it up after its turn, which begins once it is open."""
    clock = Clock()
    places = Places(1, IDLE_SECONDS, clock=clock)
    (place,) = places.take(["busy"])
    clock.now += TURN_SECONDS * 100
    assert not place.turn_over()
    places.take(["other"])
    assert place.turn_over()
    place.begin()
    assert not place.turn_over()
    places.give_up("busy")
    (place,) = places.take(["busy", "other"])
    assert place.hospital == "other"
    assert not place.turn_over()


@given(st.integers(1, 5), st.integers(1, 12))
def test_every_hospital_that_never_rests_has_its_turn(places_max: int, hospitals: int) -> None:
    """In as many turns as it takes to go round, each has had a place; never are there more than there may be."""
    clock = Clock()
    places = Places(places_max, IDLE_SECONDS, clock=clock)
    busy = [f"h{number}" for number in range(hospitals)]
    served: list[str] = []
    taken: list[str] = []
    for _ in range(-(-hospitals // places_max)):
        taken += [each.hospital for each in places.take([each for each in busy if each not in taken])]
        assert len(places) == len(taken) <= places_max
        served += taken
        clock.now += TURN_SECONDS
        while taken:
            places.give_up(taken.pop())
    assert set(served) == set(busy)
