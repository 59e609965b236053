"""Which waiting commands may share one group.

Two commands that touch the same thing (a command id, a stream, a reservation) never do: the later one waits for the
next group and is checked there against what the earlier one left. So checking a group as a set is right.
"""

from asyncio import Future
from collections import deque
from collections.abc import Iterable
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


@dataclass(slots=True, eq=False)
class Group:
    """Commands for one flush, and all that they touch."""

    members: list[Waiting]
    touched: set[Any]


def take_group(queue: deque[Waiting], on_their_way: Iterable[Group] = (), limit: int = COMMANDS_MAX) -> Group:
    """Takes the next group off the queue, in order; at most `limit` commands are looked at.

    What touches the same as an earlier command, here or in a group on its way, keeps its place for a later group. So
    the group is never empty where the queue is not and nothing is on its way.
    """
    group = Group([], set())
    taken = set[Any]().union(*(other.touched for other in on_their_way))
    later: list[Waiting] = []
    events = size = 0
    while queue and len(group.members) + len(later) < limit and events < EVENTS_MAX and size < BYTES_MAX:
        waiting = queue.popleft()
        things = _things(waiting.append)
        if taken.isdisjoint(things):
            group.members.append(waiting)
            group.touched.update(things)
            events += len(waiting.append.events)
            size += sum(len(event.body) + len(event.envelope) for event in waiting.append.events)
        else:
            later.append(waiting)
        taken.update(things)
    queue.extendleft(reversed(later))
    return group


def _things(append: Append) -> list[Any]:
    # A UUID's hash is computed in Python at each use; its number's is not.
    things: list[Any] = [append.command_id.int]
    things.extend([event.stream_id.int for event in append.events])
    things.extend([(reservation.kind, reservation.key) for reservation in append.reservations])
    return things
