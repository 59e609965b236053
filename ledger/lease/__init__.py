"""Leases: who does a hospital's work of one kind now, by the clock of the database."""

from ledger.lease.keeping import Keeping, kept
from ledger.lease.lease import TERM_SECONDS, Lease, LeaseRow, Leases, lease_pool

__all__ = ["TERM_SECONDS", "Keeping", "Lease", "LeaseRow", "Leases", "kept", "lease_pool"]
