"""Counts and times of calls, for Prometheus."""

from __future__ import annotations

from google.rpc import code_pb2
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ledger.server.method import Method

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class CallMetrics:
    """The edge's metrics in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter("ledger_calls", "Calls that ended, by status code", ["rpc", "code"], registry=registry)
        self._seconds = Histogram(
            "ledger_call_seconds", "Time a call took", ["rpc"], buckets=_SECONDS, registry=registry
        )
        self.in_flight = Gauge("ledger_calls_in_flight", "Calls that run now", ["shape"], registry=registry)

    def of(self, method: Method) -> Meter:
        """The meter of one method."""
        return Meter(self._calls, self._seconds, method.rpc)


class Meter:
    """One method's counters, looked up once: a label lookup on every call would show in the profile."""

    def __init__(self, calls: Counter, seconds: Histogram, rpc: str) -> None:
        self._calls = calls
        self._seconds = seconds.labels(rpc)
        self._rpc = rpc
        self._ok = calls.labels(rpc, "OK")

    def ended(self, seconds: float, code: code_pb2.Code) -> None:
        """Counts a call."""
        self._seconds.observe(seconds)
        if code == code_pb2.OK:
            self._ok.inc()
        else:
            self._calls.labels(self._rpc, code_pb2.Code.Name(code)).inc()
