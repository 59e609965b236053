"""An Apache Kafka of our own: one KRaft broker on a folder, loopback only, ends with us."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from ledger.embedded.errors import ServerFailed
from ledger.embedded.java import find_java
from ledger.embedded.kafka_jars import provide_jars
from ledger.embedded.leashed_process import LeashedProcess
from ledger.embedded.ports import LOOPBACK
from ledger.embedded.server_folder import ServerFolder, end_remnants, make_folder, write_privately

_CLUSTER_ID = "bWVkaWNhbC1sZWRnZXItMQ"  # 16 bytes in base64; a broker of ours meets no other cluster
_ANSWER_SECONDS_MAX = 60.0
_FORMAT_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.05
_LOG4J = Path(__file__).with_name("kafka-log4j2.xml")


@dataclass(frozen=True)
class Quorum:
    """The controllers of a cluster: node id to controller port, the same on every node."""

    controller_ports: Mapping[int, int]

    @property
    def voters(self) -> str:
        """As `controller.quorum.voters` wants it."""
        return ",".join(f"{node}@{LOOPBACK}:{port}" for node, port in sorted(self.controller_ports.items()))


class EmbeddedKafka:
    """One broker and controller on a folder; may be started again and again, on the same ports with the same data.

    `settings` are further lines of server.properties. Start and stop block; call them from a thread where a loop runs.
    Raises KafkaUnavailable where Java or Maven is missing.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path | None = None,
        settings: Mapping[str, str] | None = None,
        node: int = 1,
        quorum: Quorum | None = None,
        heap_mb: int = 256,
    ) -> None:
        self._java = find_java()
        self._jars = provide_jars(cache)
        self._folder = ServerFolder(make_folder(folder))
        self._settings = dict(settings or {})
        self._node = node
        self._quorum = quorum
        self._heap_mb = heap_mb
        self._log = self._folder.path / "kafka.log"
        self._process: LeashedProcess | None = None
        self._interrupted = threading.Event()
        self._port = 0

    def __enter__(self) -> "EmbeddedKafka":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """host:port for clients; the same after a restart."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def node(self) -> int:
        """The broker's id in its cluster."""
        return self._node

    @property
    def pid(self) -> int:
        """The broker's process id. Raises ServerFailed where it does not run."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether the broker's process runs."""
        return self._process is not None and self._process.alive

    @property
    def folder(self) -> Path:
        """The folder given: data, log, ports, server.properties."""
        return self._folder.path

    @property
    def data(self) -> Path:
        """The folder of the broker's logs."""
        return self._folder.path / "data"

    def start(self) -> None:
        """Start and wait for a metadata answer. Raises FolderInUse, ServerFailed."""
        self.launch()
        try:
            self.wait_for_answer()
        except ServerFailed:
            self.stop()
            raise

    def launch(self) -> None:
        """Start without waiting: in a cluster no broker answers before a majority runs."""
        if self.alive:
            return
        self._folder.acquire()
        self.data.mkdir(exist_ok=True)
        end_remnants(self.data, signal.SIGKILL, "Kafka", self._log)
        self._write_properties()
        if not (self.data / "meta.properties").exists():
            self._format()
        self._process = LeashedProcess(
            [*self._java_command("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"), "kafka.Kafka", str(self._properties)],
            folder=self.data,
            log=self._log,
            death_signal=signal.SIGKILL,
            environment={"PATH": os.defpath},
        )

    def wait_for_answer(self) -> None:
        """Wait until the broker answers a client; an open port alone is not readiness."""
        deadline = time.monotonic() + _ANSWER_SECONDS_MAX
        while not self._answers():
            if self._interrupted.is_set():
                raise ServerFailed("Kafka", "was told to stop while it started", self._log)
            if not self.alive:
                raise ServerFailed("Kafka", "ended while starting", self._log)
            if time.monotonic() > deadline:
                raise ServerFailed("Kafka", f"did not answer within {_ANSWER_SECONDS_MAX:.0f} s", self._log)
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End it cleanly; harder where it takes too long."""
        if self._process is not None:
            self._process.stop(signal.SIGTERM, seconds_each=_STOP_SECONDS_MAX)
            self._process = None
        self._interrupted.clear()
        self._folder.release()

    def interrupt(self) -> None:
        """Make a `start` that another thread is in give up soon, with ServerFailed; until the next `stop`."""
        self._interrupted.set()

    def kill9(self) -> None:
        """End it with SIGKILL, as a fault would; `start` goes on with the same data."""
        self._running().kill9()

    @property
    def _properties(self) -> Path:
        return self._folder.path / "server.properties"

    def _running(self) -> LeashedProcess:
        if self._process is None:
            raise ServerFailed("Kafka", "is not running", self._log)
        return self._process

    def _java_command(self, *options: str) -> list[str]:
        heap = f"-Xmx{self._heap_mb}m"
        return [str(self._java), heap, *options, f"-Dlog4j2.configurationFile={_LOG4J}", "-cp", f"{self._jars}/*"]

    def _write_properties(self) -> None:
        ports = self._folder.ports("broker") if self._quorum else self._folder.ports("broker", "controller")
        self._port = ports["broker"]
        quorum = self._quorum or Quorum({self._node: ports["controller"]})
        lines = {**_node_settings(self._node, self._port, quorum, self.data), **self._settings}
        write_privately(self._properties, "".join(f"{name}={value}\n" for name, value in lines.items()))

    def _format(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._properties)]
        with self._log.open("w") as log:
            done = subprocess.run(
                [*self._java_command(), *tool],
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_FORMAT_SECONDS_MAX,
                env={"PATH": os.defpath},
                check=False,
            )
        if done.returncode != 0:
            raise ServerFailed("Kafka's format", f"ended with status {done.returncode}", self._log)

    def _listens(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self._port), timeout=1).close()
        except OSError:
            return False
        return True

    def _answers(self) -> bool:
        if not self._listens():  # the client says each refused connection as an error of its own
            return False
        try:
            # The client's own pauses between attempts grow to seconds: longer than the broker needs to come up.
            client = KafkaAdminClient(
                bootstrap_servers=self.bootstrap,
                request_timeout_ms=5_000,
                bootstrap_timeout_ms=300,
                reconnect_backoff_max_ms=100,
            )
        except KafkaError:  # no answer yet
            return False
        try:
            return self._node in {broker["broker_id"] for broker in client.describe_cluster()["brokers"]}
        except KafkaError:
            return False
        finally:
            client.close()


def _node_settings(node: int, port: int, quorum: Quorum, data: Path) -> dict[str, str]:
    listener, controller = f"{LOOPBACK}:{port}", f"{LOOPBACK}:{quorum.controller_ports[node]}"
    return {
        "node.id": str(node),
        "process.roles": "broker,controller",
        "controller.quorum.voters": quorum.voters,
        "listeners": f"BROKER://{listener},CONTROLLER://{controller}",
        "advertised.listeners": f"BROKER://{listener}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
        "log.retention.ms": "-1",
        # Without it the cleaner takes 128 MB of heap at once.
        "log.cleaner.dedupe.buffer.size": "8388608",
        # A killed broker may come back as soon as its old session has ended: 2.7 s instead of 12.
        "broker.session.timeout.ms": "1500",
        "broker.heartbeat.interval.ms": "300",
    }
