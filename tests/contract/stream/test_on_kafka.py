"""The contract of the published stream on Kafka."""

import pytest

from tests.contract.stream.conftest import Carrier
from tests.contract.stream.stream_contract import StreamContract


class TestOnKafka(StreamContract):
    """Every promise of the contract."""

    @pytest.fixture
    def carrier(self, kafka_carrier: Carrier) -> Carrier:
        """What carries the stream."""
        return kafka_carrier
