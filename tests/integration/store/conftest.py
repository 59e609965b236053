"""The ledger of the store's contract tests, for tests with other processes and faults."""

from tests.contract.store.conftest import ledger

__all__ = ["ledger"]
