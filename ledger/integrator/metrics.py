"""What the integrator says of itself to Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

integrated_position = Gauge("ledger_integrated_position", "Last position under a signed checkpoint", ["hospital"])
published_size = Gauge("ledger_checkpoint_size", "Size of the published checkpoint", ["hospital"])
lag_positions = Gauge("ledger_integrate_lag_positions", "Positions behind the head, not signed yet", ["hospital"])
lag_seconds = Gauge("ledger_integrate_lag_seconds", "Age of the oldest position not signed yet", ["hospital"])
leaves = Counter("ledger_integrated_leaves", "Leaves integrated by this process", ["hospital"])
failures = Counter("ledger_integrate_failures", "Failures while integrating; each is tried again", ["hospital"])
quorum_missing = Gauge("ledger_quorum_missing", "1 while too few witnesses cosign", ["hospital"])
witness_contradicts = Gauge(
    "ledger_witness_contradicts",
    "1 while a witness says, outvoted, that it has cosigned more or another tree",
    ["hospital", "witness"],
)
halted = Gauge("ledger_log_halted", "1 where nothing is signed until a person decides", ["hospital"])
