"""Commands that touch the same never share a group, and keep their order."""

from asyncio import Future
from collections import deque
from typing import cast
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from ledger.store.append import Append, Bump, NewEvent, Verdict
from ledger.store.grouping import Group, Waiting, take_group

STREAMS = [uuid4() for _ in range(3)]


def waiting(streams: list[int], keys: list[int], command_id: UUID | None = None) -> Waiting:
    events = tuple(NewEvent(STREAMS[at], "record", 1, "t", 1, b"", b"", b"") for at in streams)
    held = tuple(Bump("k", bytes([key]), 0) for key in keys)
    append = Append(command_id or uuid4(), b"", "rpc", STREAMS[0], events, held)
    return Waiting(append, cast("Future[Verdict]", None))


commands = st.builds(
    waiting, st.lists(st.integers(0, 2), max_size=2), st.lists(st.integers(0, 2), max_size=2, unique=True)
)


def touched(command: Waiting) -> set[object]:
    append = command.append
    return {
        append.command_id,
        *(event.stream_id for event in append.events),
        *(held.key for held in append.reservations),
    }


@given(st.lists(commands, max_size=20), st.integers(1, 10))
def test_groups_keep_the_order_of_what_touches_the_same(sent: list[Waiting], limit: int) -> None:
    """Two groups may be on their way at once; flushed in any order they give what one after the other gives."""
    queue, groups = deque(sent), list[Group]()
    while queue:
        first = take_group(queue, limit=limit)
        second = take_group(queue, [first])
        assert first.members
        groups += [first, second]
    assert sorted(map(id, sent)) == sorted(id(member) for group in groups for member in group.members)
    place = {id(member): at // 2 for at, group in enumerate(groups) for member in group.members}
    for at, earlier in enumerate(sent):
        for later in sent[at + 1 :]:
            if touched(earlier) & touched(later):
                assert place[id(earlier)] < place[id(later)]


def test_one_command_id_twice_is_never_in_one_group() -> None:
    """The second is answered from what the first has left."""
    command_id = uuid4()
    queue = deque([waiting([0], [], command_id), waiting([1], [], command_id)])
    first = take_group(queue)
    assert len(first.members) == 1
    assert take_group(queue, [first]).members == []
    assert len(queue) == 1
