"""The checks of the demo: each says what it compared, and whether it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from ledger.cli.demo.ledger_rows import change_one_byte, connect, read_rows, refused_change, walk
from ledger.cli.demo.receipts import Receipt, by_ledger_itself, not_borne_out, of_rules
from ledger.cli.demo.signed_log import signed_up_to
from ledger.cli.feeds import open_records, stream_partitions, view_tools
from ledger.cli.queries import partition_function
from ledger.config import Settings
from ledger.lease import Leases
from ledger.stream.contract import START, GapDetector, PublishedEvent, StreamReader
from ledger.trust.chain import FaultKind
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.sealing import Opener
from ledger.trust.verify import Fault, Row, Summary
from ledger.views.digest import EMPTY_DIGEST, extend_digest
from ledger.views.view import View
from projections.connections import Pool, connection_pool
from projections.digests import content_digest, view_digest
from projections.rebuild import rebuild
from projections.views import ALL

READ_SECONDS_MAX = 60.0
CATCH_UP_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.1


@dataclass
class Checks:
    """What was checked so far."""

    console: Console
    failed: list[str] = field(default_factory=list[str])
    held: int = 0

    def say(self, what: str, *, holds: bool, compared: str) -> None:
        """Prints one check."""
        mark = "[green]holds[/]" if holds else "[bold red]FAILS[/]"
        self.console.print(f"  {mark}  {what}: {compared}", highlight=False)
        if holds:
            self.held += 1
        else:
            self.failed.append(what)


@dataclass(frozen=True)
class Subject:
    """The ledger that is checked."""

    hospital: str
    partitions: int
    acknowledged: int | None
    """Events that the service acknowledged to the clients of this run; None: others wrote there too."""
    superuser_url: str
    settings: Settings
    opener: Opener
    receipts: Sequence[Receipt] = ()
    """What the service said of each command of this run."""


async def check_ledger(subject: Subject, checks: Checks) -> None:
    """Every check of one hospital's ledger."""
    await check_kept(subject, checks)
    async with connection_pool(subject.settings.postgres_views_url) as pool:
        await _check_rebuilt(subject, pool, checks)
    _check_tampering(subject, checks)


async def check_kept(subject: Subject, checks: Checks) -> list[Row]:
    """That nothing is missing, doubled or out of order in PostgreSQL, on the stream, and in any view; the rows."""
    with connect(subject.settings.postgres_append_url) as connection:
        rows = read_rows(connection, subject.hospital)
    await _check_store(subject, rows, checks)
    published = await asyncio.to_thread(read_published, subject, len(rows))
    _check_published(subject, rows, published, checks)
    if rows:
        _check_signed(subject, rows, await signed_up_to(subject.settings, subject.hospital, len(rows)), checks)
    async with connection_pool(subject.settings.postgres_views_url) as pool:
        for view in ALL:
            await _check_view(subject, rows, view, pool, checks)
    return rows


async def _check_store(subject: Subject, rows: list[Row], checks: Checks) -> None:
    await _check_receipts(subject, rows, checks)
    if subject.acknowledged is not None:
        rules = of_rules(rows)
        own = by_ledger_itself(rules, await subject.opener.open([(row.envelope, row.body) for row in rules]))
        checks.say(
            f"{subject.hospital}: nothing is stored but what was acknowledged",
            holds=len(rows) - own == subject.acknowledged,
            compared=f"{subject.acknowledged:,} acknowledged, {len(rows):,} stored, {own} of them the rules they go by",
        )
    checks.say(
        f"{subject.hospital}: no position is missing or doubled",
        holds=bool(rows) and [row.position for row in rows] == list(range(1, len(rows) + 1)),
        compared=f"{len(rows):,} events, positions 1 to {len(rows):,}",
    )
    found = walk(rows)
    compared = (
        f"{found.events:,} envelopes and bodies hashed again, {found.streams:,} chains walked"
        if isinstance(found, Summary)
        else str(found)
    )
    checks.say(
        f"{subject.hospital}: the chain of every record holds", holds=isinstance(found, Summary), compared=compared
    )


def _check_signed(subject: Subject, rows: list[Row], signed: Checkpoint, checks: Checks) -> None:
    frontier = Frontier()
    frontier.extend(leaf_hash(row.envelope) for row in rows)
    checks.say(
        f"{subject.hospital}: the log has signed what is stored",
        holds=(signed.size, signed.root) == (len(rows), frontier.root()),
        compared=f"root over {len(rows):,} stored events, checkpoint of {signed.size:,} leaves",
    )


async def _check_receipts(subject: Subject, rows: list[Row], checks: Checks) -> None:
    if not subject.receipts:
        return
    openings = await subject.opener.open([(row.envelope, row.body) for row in rows])
    wrong = not_borne_out(subject.receipts, rows, openings)
    first = f"; the first that does not hold: {wrong[0]}" if wrong else ""
    checks.say(
        f"{subject.hospital}: every acknowledged event is in PostgreSQL",
        holds=not wrong,
        compared=f"{len(subject.receipts):,} receipts, each against its command, position and record version{first}",
    )


def read_published(subject: Subject, events: int) -> list[PublishedEvent]:
    """Every committed message on the published stream, repeated ones too. Raises GapFound, StreamUnavailable."""
    reader = open_records(subject.settings, subject.hospital)
    try:
        return every_message(reader, events)
    finally:
        reader.close()


def every_message(reader: StreamReader, events: int) -> list[PublishedEvent]:
    """Each message as it comes, until `events` different ones were seen, and one look more. Raises GapFound.

    A consumer would skip a repetition; whoever counts must not, or "exactly once" could not fail.
    """
    gaps = GapDetector({})
    for partition in range(reader.partitions()):
        reader.seek(partition, START)
    found: list[PublishedEvent] = []
    polls, new = int(READ_SECONDS_MAX), 0
    while polls and new < events:
        batch = reader.poll(1.0, 2000)
        found += batch
        new += sum(map(gaps.is_new, batch))
        polls -= not batch
    # One more look, for what should not be there.
    return [*found, *reader.poll(0.5, 2000)]


def _check_published(subject: Subject, rows: list[Row], published: list[PublishedEvent], checks: Checks) -> None:
    positions = sorted(each.position for each in published)
    by_position = {each.position: each for each in published}
    same = sum(
        1
        for row in rows
        if (found := by_position.get(row.position)) and (found.envelope, found.body) == (row.envelope, row.body)
    )
    where = "Kafka, read back with read_committed" if subject.settings.stream == "kafka" else "the PostgreSQL log"
    checks.say(
        f"{subject.hospital}: every event is on {where}, once and in order",
        holds=positions == list(range(1, len(rows) + 1)) and same == len(rows),
        compared=f"{len(published):,} messages in {stream_partitions(subject.settings, subject.partitions)} partitions,"
        f" no gap in any, {same:,} equal to the stored bytes",
    )


def expected_digests(subject: Subject, rows: list[Row]) -> Mapping[int, tuple[int, bytes]]:
    """Count and running digest of every partition, computed from PostgreSQL alone."""
    count = stream_partitions(subject.settings, subject.partitions)
    partition_of = partition_function(subject.settings)
    expected: dict[int, tuple[int, bytes]] = {}
    for number in range(count):
        expected[number] = (0, EMPTY_DIGEST)
    for row in rows:
        assert row.copies is not None  # noqa: S101 - read with their copies
        number = partition_of(row.copies.stream_id, count)
        events, digest = expected[number]
        expected[number] = (events + 1, extend_digest(digest, row.position, row.copies.leaf_hash))
    return expected


async def _check_view(subject: Subject, rows: list[Row], view: View, pool: Pool, checks: Checks) -> None:
    expected = expected_digests(subject, rows)
    handled = await _caught_up(subject, view, pool, len(rows))
    holds = all(handled.get(number, (0, EMPTY_DIGEST)) == each for number, each in expected.items())
    events = sum(count for count, _ in handled.values())
    checks.say(
        f"{subject.hospital}: view {view.name} handled each event once and in order",
        holds=holds,
        compared=f"{events:,} events, counts and running SHA-256 of {len(expected)} partitions against PostgreSQL",
    )


async def _caught_up(subject: Subject, view: View, pool: Pool, events: int) -> dict[int, tuple[int, bytes]]:
    handled: dict[int, tuple[int, bytes]] = {}
    for _ in range(int(CATCH_UP_SECONDS_MAX / LOOK_SECONDS)):
        found = await view_digest(pool, subject.hospital, view)
        handled = {number: (each.events, each.digest) for number, each in found.items()}
        if sum(count for count, _ in handled.values()) >= events:
            break
        await asyncio.sleep(LOOK_SECONDS)
    return handled


async def _check_rebuilt(subject: Subject, pool: Pool, checks: Checks) -> None:
    tools = view_tools(subject.settings, pool, Leases(pool.connection), subject.opener)
    for view in ALL:
        running = await content_digest(pool, subject.hospital, view)
        built = await rebuild(tools, subject.hospital, subject.partitions, view)
        again = await content_digest(pool, subject.hospital, view)
        checks.say(
            f"{subject.hospital}: view {view.name} rebuilt equals the running one",
            holds=running == again,
            compared=f"{running.rows:,} rows before, {again.rows:,} after {built.events:,} events,"
            f" SHA-256 {again.sha256[:16]}",
        )


def _check_tampering(subject: Subject, checks: Checks) -> None:
    position, found = change_one_byte(subject.superuser_url, subject.hospital)
    named = isinstance(found, Fault) and found.position == position and found.kind is FaultKind.BODY
    checks.say(
        f"{subject.hospital}: one changed byte is found and named",
        holds=named,
        compared=f"changed at position {position:,}; the check says {found if isinstance(found, Fault) else 'nothing'}",
    )
    said = refused_change(subject.settings.postgres_append_url, subject.hospital)
    checks.say(
        f"{subject.hospital}: the database refuses the writing role's UPDATE of an event",
        holds=bool(said),
        compared=f"UPDATE as ledger_append gives {said or 'no error'}",
    )
