"""The views on Kafka."""

import pytest

from tests.contract.views.conftest import Published
from tests.contract.views.follow_stream import FollowsStream


class TestOnKafka(FollowsStream):
    """All promises, on a real Kafka."""

    @pytest.fixture
    def published(self, on_kafka: Published) -> Published:
        return on_kafka
