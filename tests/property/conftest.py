"""Grounds for properties that need a database."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.views.ground import Ground, opened_ground
from tests.services.postgres import Database


@pytest.fixture
async def ground(empty_database: Database) -> AsyncIterator[Ground]:
    """Hospital `north` with no view yet, in a fresh database."""
    async with opened_ground(empty_database) as found:
        yield found
