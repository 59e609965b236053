"""What each system does and does not do: a rate says nothing without it, in either direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from benchmarks.peers.job import Probe

COLUMNS = ("one order that a tailing reader can trust", "repeated command answered", "proofs", "encryption")
NOTES: Mapping[str, Sequence[str]] = {
    "ledger": (
        "positions without holes, in order of commit",
        "yes, by command id, with the first answer",
        "inclusion, consistency, signed heads, cosigned",
        "each body under its record's key",
    ),
    "eventsourcing": (
        "in order of commit, by a table lock held through it; holes",
        "no: a version conflict",
        "none",
        "a cipher for the whole application, not used here",
    ),
    "message-db": (
        "within a category; across categories a lower position may appear later",
        "by message id: an error, not the answer",
        "none",
        "none",
    ),
    "Emmett": (
        "by transaction id: readers wait for the oldest open transaction",
        "no: a version conflict",
        "none",
        "none",
    ),
    "UmaDB": (
        "one writer, positions in order of commit",
        "yes, by event ids",
        "none",
        "none",
    ),
}
"""By their documentation and, for PostgreSQL's, by the SQL that they run; the two other columns are tried."""


def limits_table(probes: Mapping[str, Probe]) -> Table:
    """One line for each system; what was not there to be tried says so."""
    table = Table("system", "expected version", "skipped after a refusal", *COLUMNS)
    for name, notes in NOTES.items():
        tried = [probe for system, probe in probes.items() if system.startswith(name)]
        table.add_row(name, *(_tried(tried[0]) if tried else ("not tried", "not tried")), *notes)
    return table


def _tried(probe: Probe) -> tuple[str, str]:
    return "refused (tried)" if probe.conflict_refused else "NOT refused (tried)", str(probe.positions_skipped)
