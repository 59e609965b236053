"""The views on the PostgreSQL log."""

import pytest

from tests.contract.views.conftest import Published
from tests.contract.views.follow_stream import FollowsStream


class TestOnPostgres(FollowsStream):
    """All promises, on the PostgreSQL log."""

    @pytest.fixture
    def published(self, on_postgres: Published) -> Published:
        return on_postgres
