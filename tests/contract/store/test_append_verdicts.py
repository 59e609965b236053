"""What the store promises to one command."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from ledger.store.append import (
    Append,
    Appended,
    Bump,
    Claim,
    ClockSkew,
    CommandIdReused,
    MalformedAppend,
    Repeated,
    ReservationConflict,
    Swap,
    VersionConflict,
    check_append,
)
from ledger.store.flush import flush
from ledger.trust.envelope import ENVELOPE_BYTES_MAX, decode, encode
from tests.contract.store.ledgers import Ledger, Stream, command, in_the_clear, now_us, with_clear_body


async def test_first_event_gets_position_one(ledger: Ledger) -> None:
    """An append is answered with positions, and is there as it was sealed."""
    stream = Stream()
    append = command(stream.next_event())
    assert await ledger.committer.append(append) == Appended(1, 1, stream.stream_id, 1, b"result")
    (row,) = await ledger.reader.read_positions("north")
    assert (row.position, row.stream_id, row.version) == (1, stream.stream_id, 1)
    assert (row.envelope, row.body, row.leaf_hash) == (append.events[0].envelope, append.events[0].body, stream.leaf)
    assert await ledger.reader.ledger_head("north") == replace(await ledger.reader.ledger_head("north"), position=1)
    assert (await ledger.reader.ledger_head("north")).leaf_hash == stream.leaf


async def test_repeated_command_gets_its_first_answer(ledger: Ledger) -> None:
    """The same id and content is answered as the first time, though its version has passed."""
    append = command(Stream().next_event())
    first = await ledger.committer.append(append)
    again = await ledger.committer.append(append)
    assert isinstance(first, Appended)
    assert again == Repeated(1, 1, append.stream_id, 1, b"result")
    assert await ledger.reader.head("north") == 1


async def test_reused_command_id_writes_nothing(ledger: Ledger) -> None:
    """The same id with other content is refused, before anything else is looked at."""
    append = command(Stream().next_event())
    await ledger.committer.append(append)
    other = command(Stream().next_event(), command_id=append.command_id)
    assert await ledger.committer.append(other) == CommandIdReused()
    assert await ledger.reader.head("north") == 1


async def test_stale_version_names_the_actual_one(ledger: Ledger) -> None:
    """Two commands decided on the same version: one wins, the other learns where the stream stands."""
    stream = Stream()
    await ledger.committer.append(command(stream.next_event()))
    left, right = stream.copy(), stream.copy()
    await ledger.committer.append(command(left.next_event()))
    assert await ledger.committer.append(command(right.next_event())) == VersionConflict(stream.stream_id, 2)


@pytest.mark.parametrize("companions", [0, 3, 130])
async def test_wrong_previous_leaf_is_a_version_conflict(ledger: Ledger, companions: int) -> None:
    """The right version on another history is refused, alone and in a group of any size."""
    stream = Stream()
    await ledger.committer.append(command(stream.next_event()))
    stream.leaf = b"\x00" * 32
    others = [command(Stream().next_event()) for _ in range(companions)]
    verdicts = await asyncio.gather(*map(ledger.committer.append, [command(stream.next_event()), *others]))
    assert verdicts[0] == VersionConflict(stream.stream_id, 1)
    assert all(isinstance(verdict, Appended) for verdict in verdicts[1:])
    assert await ledger.reader.head("north") == 1 + companions


@pytest.mark.parametrize("companions", [0, 3, 130])
async def test_clock_skew_is_decided_again(ledger: Ledger, companions: int) -> None:
    """An event more than five seconds off the database's clock is refused; with any_clock it is not."""
    late = Stream().next_event(recorded_at=now_us() - 6_000_000)
    others = [command(Stream().next_event()) for _ in range(companions)]
    verdicts = await asyncio.gather(*map(ledger.committer.append, [command(late), *others]))
    assert isinstance(verdicts[0], ClockSkew)
    assert abs(verdicts[0].database_now - now_us()) < 5_000_000
    assert isinstance(await ledger.committer.append(replace(command(late), any_clock=True)), Appended)


async def test_claim_is_taken_once(ledger: Ledger) -> None:
    """A second claim is refused with what holds the key; the command writes nothing else."""
    holder = Stream()
    claim = Claim("case", b"k", b"v", holder.stream_id, b"g")
    await ledger.committer.append(command(holder.next_event(), reservations=(claim,)))
    other = command(Stream().next_event(), reservations=(Claim("case", b"k", b"w"),))
    assert await ledger.committer.append(other) == ReservationConflict("case", b"k", holder.stream_id, b"v")
    assert await ledger.reader.head("north") == 1
    assert await ledger.reader.command("north", other.command_id) is None
    found = await ledger.reader.reservations_in_group("north", "case", b"g")
    assert [(row.key, row.value, row.stream_id) for row in found] == [(b"k", b"v", holder.stream_id)]


async def test_swap_needs_the_expected_value(ledger: Ledger) -> None:
    """A value moves from what was read to what was decided, or not at all."""
    await ledger.committer.append(command(Stream().next_event(), reservations=(Claim("digest", b"k", b"1"),)))
    swapped = await ledger.committer.append(
        command(Stream().next_event(), reservations=(Swap("digest", b"k", b"1", b"2"),))
    )
    stale = await ledger.committer.append(
        command(Stream().next_event(), reservations=(Swap("digest", b"k", b"1", b"3"),))
    )
    absent = await ledger.committer.append(
        command(Stream().next_event(), reservations=(Swap("digest", b"x", b"1", b"3"),))
    )
    assert isinstance(swapped, Appended)
    assert stale == ReservationConflict("digest", b"k", None, b"2")
    assert absent == ReservationConflict("digest", b"x", None, b"")
    row = await ledger.reader.reservation("north", "digest", b"k")
    assert row is not None
    assert row.value == b"2"


async def test_bump_counts_from_zero(ledger: Ledger) -> None:
    """A counter moves by one from what was read."""
    first = await ledger.committer.append(command(Stream().next_event(), reservations=(Bump("patient", b"p", 0),)))
    second = await ledger.committer.append(command(Stream().next_event(), reservations=(Bump("patient", b"p", 1),)))
    stale = await ledger.committer.append(command(Stream().next_event(), reservations=(Bump("patient", b"p", 1),)))
    assert isinstance(first, Appended)
    assert isinstance(second, Appended)
    assert stale == ReservationConflict("patient", b"p", None, b"", 2)


@pytest.mark.parametrize("refused", [False, True], ids=["alone", "beside a refusal"])
async def test_each_act_leaves_what_the_others_set(ledger: Ledger, *, refused: bool) -> None:
    """A bump keeps a claimed key's value, stream and group, a swap its counter, also in a group with a refusal."""
    holder = Stream()
    taken = Claim("any", b"k", b"1", holder.stream_id, b"g")
    await ledger.committer.append(command(holder.next_event(), reservations=(taken, Claim("taken", b"x"))))
    for act in (Bump("any", b"k", 0), Bump("any", b"k", 1), Swap("any", b"k", b"1", b"2")):
        group = [command(Stream().next_event(), reservations=(act,))]
        if refused:
            group.append(command(Stream().next_event(), reservations=(Claim("taken", b"x"),)))
        verdicts = await asyncio.gather(*map(ledger.committer.append, group))
        assert isinstance(verdicts[0], Appended)
    row = await ledger.reader.reservation("north", "any", b"k")
    assert row is not None
    assert (row.value, row.counter, row.stream_id, row.group) == (b"2", 2, holder.stream_id, b"g")


async def test_no_op_is_remembered(ledger: Ledger) -> None:
    """A command that changed nothing is answered the same for ever."""
    append = command()
    assert await ledger.committer.append(append) == Appended(0, 0, append.stream_id, 0, b"result")
    assert await ledger.committer.append(append) == Repeated(0, 0, append.stream_id, 0, b"result")
    receipt = await ledger.reader.command("north", append.command_id)
    assert receipt is not None
    assert (receipt.rpc, receipt.content) == (append.rpc, append.content)


async def test_command_over_several_streams_is_all_or_nothing(ledger: Ledger) -> None:
    """One stale stream refuses the events of all streams of the command."""
    stale, fresh = Stream(), Stream()
    await ledger.committer.append(command(stale.next_event()))
    stale.version = 0
    stale.leaf = b""
    refused = await ledger.committer.append(command(fresh.next_event(), stale.next_event()))
    assert refused == VersionConflict(stale.stream_id, 1)
    assert await ledger.reader.head("north") == 1
    whole = [Stream(), Stream()]
    events = [whole[0].next_event(), whole[1].next_event(), whole[0].next_event()]
    assert await ledger.committer.append(command(*events)) == Appended(2, 4, whole[0].stream_id, 2, b"result")
    head = await ledger.reader.stream_head("north", whole[0].stream_id)
    assert head is not None
    assert (head.version, head.first_position, head.last_position, head.leaf_hash) == (2, 2, 4, whole[0].leaf)


async def test_commands_that_touch_the_same_are_checked_in_order(ledger: Ledger) -> None:
    """Sent together, they are judged as if sent one after the other."""
    stream, twice = Stream(), command(Stream().next_event())
    followed = [command(stream.next_event()), command(stream.next_event())]
    claims = [command(Stream().next_event(), reservations=(Claim("case", b"z"),)) for _ in range(2)]
    bumps = [command(Stream().next_event(), reservations=(Bump("patient", b"z", n),)) for n in range(3)]
    sent = [twice, twice, *followed, *claims, *bumps]
    verdicts = await asyncio.gather(*map(ledger.committer.append, sent))
    kinds = [type(verdict).__name__ for verdict in verdicts]
    assert kinds[:4] == ["Appended", "Repeated", "Appended", "Appended"]
    assert kinds[4:] == ["Appended", "ReservationConflict", "Appended", "Appended", "Appended"]


@pytest.mark.parametrize("count", [2, 47, 99, 120, 700])
async def test_group_of_any_size_has_contiguous_positions(ledger: Ledger, count: int) -> None:
    """Single statements, arrays and COPY give the same: positions 1 to n, each event where its command was told."""
    appends = [command(Stream().next_event(f"body {number}".encode())) for number in range(count)]
    verdicts = await asyncio.gather(*map(ledger.committer.append, appends))
    rows = await ledger.reader.read_positions("north")
    assert [row.position for row in rows] == list(range(1, count + 1))
    for append, verdict in zip(appends, verdicts, strict=True):
        assert isinstance(verdict, Appended)
        row = rows[verdict.first_position - 1]
        event = append.events[0]
        assert (row.envelope, row.body, row.leaf_hash) == (event.envelope, event.body, event.leaf_hash)
        assert (row.stream_id, row.version, row.recorded_at) == (event.stream_id, 1, event.recorded_at)
    assert (await ledger.reader.ledger_head("north")).leaf_hash == rows[-1].leaf_hash


async def test_refused_command_spoils_no_other(ledger: Ledger) -> None:
    """Rows that the database refuses fail alone; the rest of the group is appended."""
    bad = command(replace(Stream().next_event(), type="nul \x00"))
    others = [command(Stream().next_event()) for _ in range(5)]
    results = await asyncio.gather(*map(ledger.committer.append, [bad, *others]), return_exceptions=True)
    assert type(results[0]).__name__ == "AppendRefused"
    assert all(isinstance(result, Appended) for result in results[1:])


def test_malformed_append_never_reaches_the_database() -> None:
    """Version gaps, oversize bodies or envelopes, clear bodies and doubled reservations are a defect of the caller."""
    stream = Stream()
    first, _, third = stream.next_event(), stream.next_event(), stream.next_event()
    malformed: list[Append] = [
        command(first, third),
        command(replace(first, version=0)),
        command(replace(first, version=2)),
        command(replace(first, body=b"x" * (512 * 1024 + 34))),
        command(replace(first, envelope=enlarged(first.envelope, 4097))),
        command(in_the_clear(first)),
        command(in_the_clear(third)),
        command(with_clear_body(first)),
        command(with_clear_body(first, b"\x01" + bytes(283))),
        command(with_clear_body(first, b"")),
        command(*[first] * 101),
        command(first, reservations=(Claim("a", b"k"), Bump("a", b"k", 0))),
    ]
    for append in malformed:
        with pytest.raises(MalformedAppend):
            check_append(append)
    check_append(command(replace(first, envelope=enlarged(first.envelope, 4096))))


async def test_envelope_that_the_log_cannot_take_and_clear_body_are_never_appended(ledger: Ledger) -> None:
    """Nothing is written, and what comes after it is; the database refuses it too, whoever writes there."""
    first = Stream().next_event()
    fat = replace(first, envelope=enlarged(first.envelope, 4097))
    for unfit in (fat, in_the_clear(first), with_clear_body(first)):
        with pytest.raises(MalformedAppend):
            await ledger.committer.append(command(unfit))
    stream = Stream()
    assert isinstance(await ledger.committer.append(command(stream.next_event())), Appended)
    second = stream.next_event()
    async with ledger.writers.borrow() as connection:
        clear = (with_clear_body(first), with_clear_body(first, b"\x01" + bytes(283)), with_clear_body(first, b""))
        for unfit in (fat, in_the_clear(first), in_the_clear(second), *clear):
            for others in ((), tuple(Stream().next_event() for _ in range(99))):
                with pytest.raises(psycopg.errors.CheckViolation):
                    await flush(connection, "north", [command(unfit, *others)])
    assert await ledger.reader.head("north") == 1
    assert isinstance(await ledger.committer.append(command(Stream().next_event())), Appended)


def enlarged(envelope: bytes, size_bytes: int) -> bytes:
    """The envelope under a longer origin, so that it has this many bytes."""
    decoded = decode(envelope)
    longer = replace(decoded, origin=decoded.origin + "o" * (ENVELOPE_BYTES_MAX - 1 - len(envelope)))
    data = encode(longer)  # the length of the origin takes a byte more than it did
    return data if size_bytes == len(data) else data[:-1] + bytes(size_bytes - len(data)) + data[-1:]


async def test_unknown_command_has_no_receipt(ledger: Ledger) -> None:
    """Only what was appended is remembered."""
    assert await ledger.reader.command("north", uuid4()) is None
