"""x"""
from __future__ import annotations
import asyncio, time
import pytest
from tests.fault.tampering.stored_state import Stored, build
from tests.services.postgres import Database, lent_database
@pytest.fixture(scope="module")
def stored(postgres_server, template_database, kafka_broker, tmp_path_factory):
    for lent in lent_database(postgres_server, template_database):
        from tests.services.template import migrate_database
        migrate_database(lent.url)
        t=time.time()
        yield asyncio.run(build(lent, kafka_broker.bootstrap, tmp_path_factory.mktemp("stored")))
def test_x(stored):
    print(stored.now.log, len(stored.now.pack))
    assert 0
