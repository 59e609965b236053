"""Leases: who does a hospital's work of one kind now, by the clock of the database."""

from ledger.lease.lease import TERM_SECONDS, Lease, LeaseRow, Leases

__all__ = ["TERM_SECONDS", "Lease", "LeaseRow", "Leases"]
