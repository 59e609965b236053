"""Leases: who does a hospital's work of one kind now, by the database's clock; and for how many at once."""

from ledger.lease.keeping import Keeping, kept
from ledger.lease.lease import TERM_SECONDS, Lease, LeaseRow, Leases, lease_pool
from ledger.lease.places import Place, Places

__all__ = ["TERM_SECONDS", "Keeping", "Lease", "LeaseRow", "Leases", "Place", "Places", "kept", "lease_pool"]
