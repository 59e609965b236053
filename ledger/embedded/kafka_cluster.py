"""Several brokers of ours on one machine."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.embedded.kafka import EmbeddedKafka, Quorum
from ledger.embedded.ports import free_port


class EmbeddedKafkaCluster:
    """Several brokers on one machine, each topic on three of them: for the death of a leader."""

    def __init__(self, folder: Path, brokers: int = 3, *, cache: Path | None = None) -> None:
        quorum = Quorum({node: free_port() for node in range(1, brokers + 1)})
        replicas = str(min(3, brokers))
        replicated = {
            "default.replication.factor": replicas,
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": "2",
            "min.insync.replicas": "2",
        }
        self.brokers = [
            EmbeddedKafka(folder / str(node), cache=cache, settings=replicated, node=node, quorum=quorum, heap_mb=192)
            for node in quorum.controller_ports
        ]

    def __enter__(self) -> "EmbeddedKafkaCluster":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """All brokers, for clients."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self) -> None:
        """Start all brokers and wait until each answers."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait_for_answer()

    def stop(self) -> None:
        """End all brokers at once: one that is left without a majority would wait for it in vain."""
        with ThreadPoolExecutor(len(self.brokers)) as each:
            list(each.map(EmbeddedKafka.stop, self.brokers))
