"""A service whose clock the test drives."""

from __future__ import annotations

from pathlib import Path

import grpc.aio
import pytest

from ledger.config import Settings, load
from tests.integration.consumers.conftest import urls_of
from tests.integration.consumers.deadline_clock.driven_hospital import BEGIN, DrivenHospital
from tests.services.postgres import Database


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """The file that stands for the clock."""
    file = tmp_path / "now"
    file.write_text(BEGIN.isoformat())
    return file


@pytest.fixture
def settings(database: Database, clock_file: Path) -> Settings:
    """Settings of a service on that clock."""
    return load({**urls_of(database), "LEDGER_CLOCK_FILE": str(clock_file), "LEDGER_TEST_CLOCK": "1"})


@pytest.fixture
def north(channel: grpc.aio.Channel, settings: Settings, clock_file: Path) -> DrivenHospital:
    """North on that clock."""
    return DrivenHospital(channel, settings, clock_file)
