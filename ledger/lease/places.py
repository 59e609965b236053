"""The places of hospitals that one role works for at once: how many there are, who gets one, and when it is given up.

A place is a lease and what the work holds beside it (the publisher a thread and a transactional producer, the
integrator an open log), so a process has few of them, however many hospitals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

TURN_SECONDS = 5.0
"""How long a hospital that never rests keeps its place where others wait for one; opening anew takes about 0.5 s."""
CROWDED_SECONDS = 1.0
"""How long an idle hospital keeps its place where half of them are taken: a waking hospital must find one free."""


class Place:
    """A hospital's place among those that are open."""

    def __init__(self, hospital: str, places: Places) -> None:
        self.hospital = hospital
        self._places = places
        self._begun_at = places.clock()

    def begin(self) -> None:
        """Its turn begins: what opening takes is not taken from it."""
        self._begun_at = self._places.clock()

    def turn_over(self) -> bool:
        """Whether to give it up because others wait; asked after work, so that each turn has some and all move on."""
        return self._places.turn_over(self._begun_at)

    def idle_over(self, idle_seconds: float) -> bool:
        """Whether to give it up after so long without anything to do."""
        return self._places.idle_over(idle_seconds)


class Places:
    """The places of one process."""

    def __init__(
        self,
        places_max: int,
        idle_seconds: float,
        *,
        turn_seconds: float = TURN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`idle_seconds`: how long a hospital without events keeps its place where there are enough of them;
        `turn_seconds`: how long one that never rests keeps it where others wait; `clock` in seconds.
        """
        self._places_max = places_max
        self._idle_seconds = idle_seconds
        self._turn_seconds = turn_seconds
        self.clock = clock
        self._taken: dict[str, Place] = {}
        self._last_taken_at: dict[str, float] = {}
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def awaited(self) -> bool:
        """Whether hospitals were left without a place."""
        return self._waiting > 0

    def take(self, wanting: Sequence[str]) -> list[Place]:
        """Gives the free places to hospitals that want one.

        Whoever had one longest ago comes first, so that many hospitals that fail or never rest keep nobody from it.
        """
        in_turn = sorted(wanting, key=lambda each: self._last_taken_at.get(each, 0.0))
        served = in_turn[: self._places_max - len(self._taken)]
        self._waiting = len(in_turn) - len(served)
        return [self._take(hospital) for hospital in served]

    def _take(self, hospital: str) -> Place:
        self._last_taken_at[hospital] = self.clock()
        place = self._taken[hospital] = Place(hospital, self)
        return place

    def give_up(self, hospital: str) -> None:
        """The hospital holds nothing any more."""
        self._taken.pop(hospital, None)

    def turn_over(self, begun_at: float) -> bool:
        """Whether a turn is over that began then."""
        return self._waiting > 0 and self.clock() - begun_at >= self._turn_seconds

    def idle_over(self, idle_seconds: float) -> bool:
        """Whether a hospital has been idle for too long."""
        crowded = len(self._taken) * 2 >= self._places_max
        return idle_seconds >= (min(CROWDED_SECONDS, self._idle_seconds) if crowded else self._idle_seconds)
