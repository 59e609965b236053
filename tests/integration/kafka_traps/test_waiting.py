"""What the client waits for without a limit, and what it does not notice by itself."""

# pyright: reportPrivateUsage=false
# A trap is laid with the product's own producer in the middle of its work.

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.kafka_cluster import EmbeddedKafkaCluster
from ledger.publisher import kafka_sink as sink_module
from ledger.publisher.kafka_sink import KafkaSink
from ledger.publisher.ledger_log import HospitalRow, LedgerLog, log_pool
from ledger.publisher.routing import Routing
from ledger.stream.contract import StreamError
from ledger.stream.kafka.writer import KafkaWriter, end_producer
from ledger.stream.topics import records_topic
from ledger.views.schema_versions import SCHEMA_VERSIONS
from tests.eventually import eventually
from tests.integration.kafka_traps.sending import (
    batch,
    event,
    last_positions,
    new_hospital,
    plain_producer,
    positions,
)
from tests.services.sealed import FIXED_KEY

_PROJECT = Path(__file__).parents[3]
_STUCK_STATUS = 70


@pytest.mark.long
def test_process_ends_where_a_commit_waits_without_end(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """The library's commit has no time limit: the watchdog ends the process, and a supervisor starts it again."""
    hospital = new_hospital(own_kafka.bootstrap)
    sent = tmp_path / "sent"
    command = [sys.executable, "-m", __name__, own_kafka.bootstrap, hospital, str(sent)]
    process = subprocess.Popen(command, cwd=_PROJECT)
    eventually(sent.exists, seconds_max=60)
    os.kill(own_kafka.pid, signal.SIGSTOP)
    try:
        sent.unlink()
        assert process.wait(30) == _STUCK_STATUS
    finally:
        os.kill(own_kafka.pid, signal.SIGCONT)
        process.kill()


async def _commit_while_nothing_answers(bootstrap: str, hospital: str, sent: Path) -> None:
    sink_module.STUCK_SECONDS = 5.0
    async with log_pool("postgresql://nobody@127.0.0.1:1/none") as pool:
        sink = KafkaSink(
            bootstrap,
            LedgerLog(pool),
            HospitalRow(hospital, f"ledger.test/{hospital}/1", 1, SCHEMA_VERSIONS[0]),
            Routing(FIXED_KEY),
        )
        writer = await sink._call(lambda: KafkaWriter(bootstrap, hospital, patience_seconds=60))
        await sink._call(lambda: writer.publish(batch(hospital, 1, 1)))
        writer._producer.begin_transaction()
        first = event(2, hospital=hospital)
        future = writer._producer.send(records_topic(hospital), first.body, partition=0)
        await sink._call(lambda: future.get(10))
        await asyncio.to_thread(_say_and_wait, sent)
        await sink._call(writer._producer.commit_transaction)


def _say_and_wait(sent: Path) -> None:
    sent.touch()
    eventually(lambda: not sent.exists())


@pytest.mark.long
def test_death_of_a_leader_is_noticed(kafka_cluster: EmbeddedKafkaCluster) -> None:
    """Publishing goes on with the new leader, if need be by a new producer; nothing is lost or doubled, it is all read
    while one of three is dead, and the dead one comes back.

    The trap: kafka-python 3.0.12 finds a new leader by itself, but neither leader nor coordinator where both died at
    once: a producer of its own whose coordinator is the leader fails, though another one publishes meanwhile.
    """
    hospital = new_hospital(kafka_cluster.bootstrap)
    writer = KafkaWriter(kafka_cluster.bootstrap, hospital)
    writer.publish(batch(hospital, 1, 100))
    with KafkaAdminClient(bootstrap_servers=kafka_cluster.bootstrap) as admin:
        (topic,) = admin.describe_topics([records_topic(hospital)])
    (leader,) = [each for each in kafka_cluster.brokers if each.node == topic["partitions"][0]["leader_id"]]
    stuck = producer_coordinated_by(leader.node, kafka_cluster.bootstrap, hospital)
    stuck.begin_transaction()
    leader.kill9()
    lost = stuck.send(records_topic(hospital), b"never sent", partition=0)
    try:
        writer.publish(batch(hospital, 101, 100))
    except StreamError:
        writer = KafkaWriter(kafka_cluster.bootstrap, hospital)
        (last,) = last_positions(writer)
        writer.publish(batch(hospital, last + 1, 200 - last))
    writer.close()
    assert positions(kafka_cluster.bootstrap, hospital) == list(range(1, 201))
    eventually(lambda: lost.failed() or lost.succeeded(), what="the library gives up")
    assert lost.failed()
    with contextlib.suppress(KafkaError):
        end_producer(stuck, 0)
    leader.start()


def producer_coordinated_by(node: int, bootstrap: str, hospital: str) -> KafkaProducer:
    """A producer as the library makes it, with limits like ours; which broker coordinates it follows from its id."""
    limits = {"request_timeout_ms": 3_000, "delivery_timeout_ms": 8_000, "metadata_max_age_ms": 1_000}
    for number in range(50):
        producer = plain_producer(bootstrap, f"other.{hospital}.{number}", api_version=(2, 4), **limits)
        manager = producer._transaction_manager
        if manager is not None and manager._transaction_coordinator == f"coordinator-{node}":
            return producer
        producer.close()
    raise AssertionError("no transactional id of fifty is coordinated by the leader")


if __name__ == "__main__":
    asyncio.run(_commit_while_nothing_answers(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
