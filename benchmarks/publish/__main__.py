"""`python -m benchmarks.publish`: the publisher's sink beside a bare transactional producer; table and JSON.

The product reads its events from PostgreSQL and makes the messages of them; the baseline has them ready. Exit status 0
where the target is reached, 1 where it is missed, else 2.
"""

from __future__ import annotations

import asyncio
import sys
import time

from benchmarks.command.sides import RPC
from benchmarks.ground import HOSPITAL, Ground, ground
from benchmarks.load.bodies import entries, write_bodies
from benchmarks.load.program import GoMissing, LoadProgram, Run
from benchmarks.pairs import REPEATS_MAX, TURNS, Measured, Row, in_pairs, not_measured
from benchmarks.publish.bare import BareProducer, messages
from benchmarks.report import report
from benchmarks.verdict import Target
from ledger.cli.bodies import bodies_with_keys
from ledger.config import load
from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.kafka_jars import default_cache, provide_jars
from ledger.publisher.kafka_sink import KafkaSink
from ledger.publisher.ledger_log import BATCH, LedgerLog, log_pool
from ledger.publisher.read_ahead import ReadAhead
from ledger.publisher.routing import Routing

RECORDS = 256
SLICE = 2 * BATCH
"""Events of one turn."""
EVENTS = SLICE * (TURNS * (1 + REPEATS_MAX) + 1)
"""An event is published once: enough for every repeat of every pair."""
_PUBLISH = ("publish to Kafka, exactly once", "bare transactional producer, same batches", "events/s", Target(0.8))


class Exhausted(Exception):
    """Fewer events were left than a turn publishes."""


class _Product:
    def __init__(self, pages: ReadAhead, sink: KafkaSink, position: int) -> None:
        self._pages = pages
        self._sink = sink
        self._position = position

    async def published(self) -> Measured:
        began, cpu, sent = time.perf_counter(), time.process_time(), 0
        while sent < SLICE:
            rows = await self._pages.after(self._position)
            if not rows:
                raise Exhausted
            await self._sink.publish(rows)
            self._position, sent = rows[-1].position, sent + len(rows)
        return Measured(sent / (time.perf_counter() - began), (time.process_time() - cpu) * 1e6 / sent)


async def _row(stood_on: Ground, kafka: EmbeddedKafka) -> Row:
    settings = load(stood_on.settings)
    async with bodies_with_keys(settings) as bodies, log_pool(settings.postgres_stream_url) as pool:
        log = LedgerLog(pool)
        hospital = next(each for each in await log.hospitals() if each.id == HOSPITAL)
        made = messages(hospital, [*await log.after(HOSPITAL, 0), *await log.after(HOSPITAL, BATCH)])
        bare = await asyncio.to_thread(BareProducer, kafka.bootstrap)
        sink = KafkaSink(kafka.bootstrap, log, hospital, Routing(bodies.opener))

        async def sent() -> Measured:
            return Measured(await asyncio.to_thread(bare.rate, made, BATCH))

        pages = ReadAhead(log, HOSPITAL)
        try:
            product = _Product(pages, sink, await sink.open())
            await sent()  # warm
            await product.published()
            return Row(*_PUBLISH, await in_pairs(sent, product.published))
        finally:
            await pages.close()
            await sink.close()
            await asyncio.to_thread(bare.close)


def _fill(program: LoadProgram, stood_on: Ground) -> None:
    bodies = stood_on.folder / "bodies"
    write_bodies(bodies, entries(HOSPITAL, stood_on.records, EVENTS))
    program.run_well(Run("grpc", stood_on.service.grpc, RPC, bodies, 64))


def main() -> int:
    """Runs the benchmark."""
    try:
        program = LoadProgram()
    except GoMissing as missing:
        return report("publish", [not_measured(*_PUBLISH, str(missing))], {})
    cache = default_cache()
    provide_jars(cache)
    with ground(RECORDS) as stood_on:
        _fill(program, stood_on)
        with EmbeddedKafka(stood_on.folder / "kafka", cache=cache) as kafka:
            row, version = asyncio.run(_row(stood_on, kafka)), stood_on.postgres.major
    return report("publish", [row], {"postgresql": version, "events_in_a_turn": SLICE, "batch": BATCH})


if __name__ == "__main__":
    sys.exit(main())
