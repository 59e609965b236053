"""What the store promises to commands that are appended together or not at all."""

from __future__ import annotations

import psycopg

from ledger.store.append import Appended, Claim, Repeated, VersionConflict
from tests.contract.store.ledgers import Ledger, Stream, command


async def test_commands_of_one_stream_follow_one_another(ledger: Ledger) -> None:
    """One transaction, positions in order; the stream's head is that of the last."""
    stream, other = Stream(), Stream(kind="patient")
    appends = [
        command(stream.next_event()),
        command(other.next_event(), other.next_event()),
        command(stream.next_event()),
    ]
    verdicts = await ledger.committer.append_whole(appends)
    assert [(each.first_position, each.last_position) for each in verdicts if isinstance(each, Appended)] == [
        (1, 1), (2, 3), (4, 4),
    ]  # fmt: skip
    head = await ledger.reader.stream_head("north", stream.stream_id)
    assert head is not None
    assert (head.version, head.leaf_hash, head.first_position, head.last_position) == (2, stream.leaf, 1, 4)
    assert (await ledger.reader.ledger_head("north")).leaf_hash == stream.leaf
    with psycopg.connect(ledger.database.url) as connection:
        written = connection.execute("SELECT count(DISTINCT xmin::text) FROM h_north.events").fetchone()
    assert written == (1,)


async def test_one_refusal_leaves_all_unwritten(ledger: Ledger) -> None:
    """Neither events nor command ids nor reservations, and each can be appended afterwards."""
    stream, late = Stream(), Stream()
    late.next_event()
    claim = Claim("source", b"k" * 32)
    good, bad = command(stream.next_event(), reservations=(claim,)), command(late.next_event())
    verdicts = await ledger.committer.append_whole([good, bad])
    assert verdicts[1] == VersionConflict(late.stream_id, 0)
    assert await ledger.reader.head("north") == 0
    assert await ledger.reader.command("north", good.command_id) is None
    assert await ledger.reader.reservation("north", claim.kind, claim.key) is None
    assert isinstance(await ledger.committer.append(good), Appended)


async def test_what_was_appended_before_is_told(ledger: Ledger) -> None:
    """A repeated command gets its first answer, though nothing of the others is appended."""
    stream = Stream()
    first = command(stream.next_event())
    await ledger.committer.append(first)
    verdicts = await ledger.committer.append_whole([first, command(Stream().next_event())])
    assert verdicts[0] == Repeated(1, 1, first.stream_id, 1, b"result")
    assert await ledger.reader.head("north") == 1


async def test_a_closed_hospital_takes_none(ledger: Ledger) -> None:
    """The database itself refuses; nobody is told more than that nothing is known."""
    with psycopg.connect(ledger.database.url, autocommit=True) as connection:
        connection.execute("UPDATE ledger_control.hospitals SET state = 'closed' WHERE id = 'north'")
    assert await ledger.committer.append_whole([command(Stream().next_event()) for _ in range(2)]) == ()
    assert await ledger.reader.head("north") == 0
