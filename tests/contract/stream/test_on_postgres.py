"""The contract of the published stream on the PostgreSQL log."""

import pytest

from tests.contract.stream.conftest import Carrier
from tests.contract.stream.stream_contract import StreamContract


class TestOnPostgres(StreamContract):
    """Every promise of the contract."""

    @pytest.fixture
    def carrier(self, postgres_carrier: Carrier) -> Carrier:
        """What carries the stream."""
        return postgres_carrier
