"""Which waiting commands may share one group.

Two commands that touch the same thing (a command id, a stream, a reservation) never do: the later one waits for the
next group and is checked there against what the earlier one left. So checking a group as a set is right.
"""

from asyncio import Future
from collections import deque
from dataclasses import dataclass
from typing import Any

from ledger.store.append import Append, Verdict

COMMANDS_MAX = 1_000
EVENTS_MAX = 2_000
BYTES_MAX = 16 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Waiting:
    """A command and the caller that waits for its verdict."""

    append: Append
    verdict: "Future[Verdict]"


def take_group(queue: deque[Waiting]) -> list[Waiting]:
    """Takes the next group off the queue, in order; never empty where the queue is not.

    What must wait for a later group keeps its place.
    """
    group: list[Waiting] = []
    later: list[Waiting] = []
    touched: set[Any] = set()
    events = size = 0
    while queue and len(group) + len(later) < COMMANDS_MAX and events < EVENTS_MAX and size < BYTES_MAX:
        waiting = queue.popleft()
        things = _things(waiting.append)
        if touched.isdisjoint(things):
            touched.update(things)
            group.append(waiting)
            events += len(waiting.append.events)
            size += sum(len(event.body) + len(event.envelope) for event in waiting.append.events)
        else:
            later.append(waiting)
    queue.extendleft(reversed(later))
    return group


def _things(append: Append) -> list[Any]:
    things: list[Any] = [append.command_id]
    things.extend({event.stream_id for event in append.events})
    things.extend((reservation.kind, reservation.key) for reservation in append.reservations)
    return things
