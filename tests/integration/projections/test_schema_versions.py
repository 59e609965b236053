"""A hospital whose schema this release does not serve, beside one that it does."""

import logging

import psycopg
import pytest

from ledger.store.hospitals import add_hospital
from ledger.views.schema_versions import SCHEMA_VERSIONS
from projections.department_board.view import DepartmentBoard
from tests.contract.views import histories as h
from tests.contract.views.ground import PASSWORDS, Ground
from tests.contract.views.running import freshness, running


@pytest.mark.parametrize("version", [SCHEMA_VERSIONS.start - 1, SCHEMA_VERSIONS.stop])
async def test_its_views_are_left_alone_and_the_others_built(
    ground: Ground, caplog: pytest.LogCaptureFixture, version: int
) -> None:
    """It is said once, by name."""
    migrate_url = ground.database.url_for("ledger_migrate", PASSWORDS["ledger_migrate"])
    await add_hospital(migrate_url, "other", origin_prefix="ledger.test")
    with psycopg.connect(ground.database.url) as connection:
        connection.execute("UPDATE ledger_control.hospitals SET schema_version = %s WHERE id = 'other'", (version,))
        connection.execute('DROP SCHEMA "h_other" CASCADE')
    with caplog.at_level(logging.ERROR, "projections"):
        async with running(ground, DepartmentBoard()):
            for _ in range(2):
                head = ground.append([h.EventStream().seal(h.registered())])
                await freshness(ground).wait("north", "department_board", head)
    said = [record for record in caplog.records if "does not serve" in record.message]
    assert [getattr(record, "hospital", "") for record in said] == ["other"]
