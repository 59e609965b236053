"""Two ledgers over one real PostgreSQL, as two server processes are: each with a memory of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ledger.application.ledger import Ledger
from ledger.config import Settings, load
from tests.integration.application.written import HOSPITAL
from tests.services.postgres import Database
from tests.services.sealed import open_ledger
from tests.services.template import ROLE_PASSWORDS

_ROLES = {"MIGRATE": "ledger_migrate", "APPEND": "ledger_append"}


@pytest.fixture
def settings(database: Database) -> Settings:
    """Settings for a database of this test alone."""
    return load(
        {f"LEDGER_POSTGRES_{key}_URL": database.url_for(role, ROLE_PASSWORDS[role]) for key, role in _ROLES.items()}
    )


@pytest.fixture
async def ledger(settings: Settings) -> AsyncIterator[Ledger]:
    """A ledger with the hospital north."""
    opened = await open_ledger(settings)
    await opened.add_hospital(HOSPITAL, 1, "")
    yield opened
    await opened.close()


@pytest.fixture
async def other(settings: Settings, ledger: Ledger) -> AsyncIterator[Ledger]:
    """The same hospital in another process's memory."""
    del ledger
    opened = await open_ledger(settings)
    yield opened
    await opened.close()
