"""The state of the service as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.api.v1.stream_pb2 import GetStatusResponse, HospitalStatus
from ledger.server.hospital_states import IN_USE

_OF_HOSPITAL = {
    "ledger_head_position": ("Last position of the ledger", "head"),
    "ledger_published_position": ("Last position on the published stream", "published_position"),
    "ledger_append_queue_length": ("Commands that wait in this process", "queue_length"),
    "ledger_append_group_size": ("Mean commands per flush since this process opened the hospital", "group_size"),
}
_OF_LOG = {
    "ledger_log_signed_position": ("Last position under a signed checkpoint", "integrated_position"),
    "ledger_log_checkpoint_size": ("Leaves under the published checkpoint", "checkpoint_size"),
    "ledger_log_lag": ("Positions that no signed checkpoint covers", "lag"),
    "ledger_log_lag_seconds": ("Age of the oldest of them", "lag_seconds"),
}
_OF_VIEW = {
    "ledger_view_position": ("Position up to which every partition is handled", "position"),
    "ledger_view_events": ("Events handled", "events"),
    "ledger_view_lag": ("Events behind the head", "lag"),
    "ledger_view_stopped_records": ("Records that poison stopped", "stopped_records"),
    "ledger_view_dead_letters": ("Dead letters that wait for a person", "dead_letters"),
}
_OF_READER = {
    "ledger_reader_dead_letters": ("Messages that a reader put aside and that wait for a person", "dead_letters"),
    "ledger_reader_waiting": ("Messages of a reader that wait for somebody else to answer", "waiting"),
}


class StatusMetrics(Collector):
    """A collector for one scrape. No status = the store did not answer."""

    def __init__(self, status: GetStatusResponse | None) -> None:
        self._known = status is not None
        found: list[HospitalStatus] = list(status.hospitals) if status else []
        self._states = [(each.hospital, each.state) for each in found]
        # One without figures has no samples: its zeros would read as a ledger that was lost.
        self._hospitals = [each for each in found if each.state == IN_USE]

    def collect(self) -> Iterator[Metric]:
        """The metrics of every hospital."""
        yield GaugeMetricFamily("ledger_store_answers", "Whether the store could be asked", value=float(self._known))
        yield self._state()
        for name, (text, field) in _OF_HOSPITAL.items():
            family = GaugeMetricFamily(name, text, labels=["hospital"])
            for each in self._hospitals:
                family.add_metric([each.hospital], getattr(each, field))
            yield family
        for name, (text, field) in _OF_LOG.items():
            family = GaugeMetricFamily(name, text, labels=["hospital"])
            for each in self._hospitals:
                family.add_metric([each.hospital], getattr(each.log, field))
            yield family
        for name, (text, field) in _OF_VIEW.items():
            family = GaugeMetricFamily(name, text, labels=["hospital", "view"])
            for each in self._hospitals:
                for view in each.views:
                    family.add_metric([each.hospital, view.view], getattr(view, field))
            yield family
        halted = GaugeMetricFamily("ledger_log_halted", "1 where commands are refused", labels=["hospital"])
        for each in self._hospitals:
            halted.add_metric([each.hospital], float(each.log.state == "halted"))
        yield halted
        yield from self._readers()
        yield self._leases()

    def _state(self) -> Metric:
        family = GaugeMetricFamily("ledger_hospital_state", "1 for the state it is in", labels=["hospital", "state"])
        for hospital, state in self._states:
            family.add_metric([hospital, state], 1.0)
        return family

    def _readers(self) -> Iterator[Metric]:
        for name, (text, field) in _OF_READER.items():
            family = GaugeMetricFamily(name, text, labels=["hospital", "reader"])
            for each in self._hospitals:
                for reader in each.readers:
                    family.add_metric([each.hospital, reader.reader], getattr(reader, field))
            yield family
        gap = GaugeMetricFamily("ledger_reader_at_gap", "1 where it stands at a gap", labels=["hospital", "reader"])
        for each in self._hospitals:
            states = [(f"view:{view.view}", view.state) for view in each.views]
            states += [(reader.reader, reader.state) for reader in each.readers]
            for reader, state in states:
                gap.add_metric([each.hospital, reader], float(state == "gap"))
        yield gap
        yield self._of_state("ledger_reader_saw_fork", "1 where the log has shown it two trees", "forked")
        yield self._of_state(
            "ledger_reader_saw_no_proof", "1 where the log has not proven that its head grew", "unproven"
        )

    def _of_state(self, name: str, says: str, state: str) -> Metric:
        family = GaugeMetricFamily(name, says, labels=["hospital", "reader"])
        for each in self._hospitals:
            for reader in each.readers:
                family.add_metric([each.hospital, reader.reader], float(reader.state == state))
        return family

    def _leases(self) -> Metric:
        family = GaugeMetricFamily("ledger_lease_epoch", "Epoch of a lease", labels=["hospital", "role", "holder"])
        for each in self._hospitals:
            for lease in each.leases:
                family.add_metric([each.hospital, lease.role, lease.holder], lease.epoch)
        return family
