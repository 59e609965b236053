"""A ledger for each test of the store's contract."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.store.ledgers import Ledger, opened_ledger
from tests.services.postgres import Database


@pytest.fixture
async def ledger(empty_database: Database) -> AsyncIterator[Ledger]:
    """Hospital `north` in a fresh database."""
    async with opened_ledger(empty_database) as ledger:
        yield ledger
