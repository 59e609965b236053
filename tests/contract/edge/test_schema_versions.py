"""A hospital whose schema this release does not serve."""

import psycopg
import pytest

from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.store.statements import steps
from ledger.views.schema_versions import SCHEMA_VERSIONS
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import register_patient
from tests.services.postgres import Database


def test_what_this_release_makes_it_serves() -> None:
    """A hospital that was just added or migrated is served."""
    assert len(steps("hospital")) in SCHEMA_VERSIONS


@pytest.mark.parametrize("version", [SCHEMA_VERSIONS.start - 1, SCHEMA_VERSIONS.stop])
async def test_refused_alone_and_by_name(client: EdgeClient, database: Database, version: int) -> None:
    """An older and a newer schema are refused by hospital and version; the neighbour is served, later this one too."""
    _register(database, version)
    for _ in range(2):
        with pytest.raises(RpcFailed) as failure:
            await client.call("PatientService/RegisterPatient", register_patient("south"))
        assert (failure.value.code, failure.value.reason) == ("FAILED_PRECONDITION", "SCHEMA_VERSION_UNSUPPORTED")
        assert failure.value.facts == {"hospital": "south", "schema_version": str(version)}
    answer = await client.call("PatientService/RegisterPatient", register_patient("north"))
    assert answer.receipt.position == 1
    _register(database, SCHEMA_VERSIONS.start)
    answer = await client.call("PatientService/RegisterPatient", register_patient("south"))
    assert answer.receipt.position == 1


async def test_a_closed_hospital_is_refused_by_name(client: EdgeClient, database: Database) -> None:
    """Its commands, nobody else's; it is not said to be unknown."""
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE ledger_control.hospitals SET state = 'closed' WHERE id = 'south'")
    with pytest.raises(RpcFailed) as failure:
        await client.call("PatientService/RegisterPatient", register_patient("south"))
    assert (failure.value.code, failure.value.reason) == ("FAILED_PRECONDITION", "HOSPITAL_CLOSED")
    assert failure.value.facts == {"hospital": "south"}
    await client.call("PatientService/RegisterPatient", register_patient("north"))
    status = await client.call("OperationsService/GetStatus", GetStatusRequest())
    assert [(each.hospital, each.head) for each in status.hospitals] == [("north", 1), ("south", 0)]


def _register(database: Database, version: int) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE ledger_control.hospitals SET schema_version = %s WHERE id = 'south'", (version,))
