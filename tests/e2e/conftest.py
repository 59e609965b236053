"""One running service for those tests that stop and kill nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.embedded.kafka_jars import default_cache
from tests.services.whole_service import WholeService

_PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def running_service(services_folder: Path, request: pytest.FixtureRequest) -> Iterator[WholeService]:
    """`ledger up` on the PostgreSQL log, with the hospitals north and south."""
    found = WholeService(services_folder / f"running-{request.path.stem}", "postgres", _PROJECT / default_cache())
    found.start()
    yield found
    found.stop_if_running()
