"""What is stored: envelopes, sealed bodies and the columns beside them tell nothing of a person."""

from uuid import UUID

import psycopg

from ledger.store.whole_ledger import verify_stored
from ledger.trust.verify import Summary
from tests.contract.edge.clients import GrpcClient
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import PHYSICIAN, record_entry, register_patient, register_record, start_care
from tests.services.postgres import Database
from tests.services.sealed import plaintext_of
from tests.services.template import ROLE_PASSWORDS

CASE_NUMBER = "CASE-4711-0815"
NOTE = "Stable overnight, no fever."


async def test_nothing_of_a_person(edge: RunningEdge, database: Database) -> None:
    """Not the case number, a name, department, bed or command id, nor what was written; also not in reservations."""
    client = GrpcClient(edge.addresses.grpc)
    patient = register_patient(case_number=CASE_NUMBER)
    patient_id: str = (await client.call("PatientService/RegisterPatient", patient)).receipt.record_id
    record = register_record(patient_id)
    record_id: str = (await client.call("RecordService/RegisterRecord", record)).receipt.record_id
    entry = record_entry(record_id, NOTE)
    care = start_care(record_id)
    await client.call("RecordService/StartCare", care)
    await client.call("RecordService/RecordEntry", entry)
    await client.close()

    ids = [UUID(each.context.command_id) for each in (patient, record, care, entry)]
    words = [CASE_NUMBER, NOTE, "Jane", "1950", "MED", "Hale", PHYSICIAN.licence, *map(str, ids)]
    secrets = [word.encode() for word in words] + [each.bytes for each in ids]
    with psycopg.connect(database.url) as connection:
        kept = connection.execute(
            "SELECT envelope || body || convert_to(concat(type, traceparent), 'UTF8') FROM h_north.events"
            " UNION ALL SELECT key || value || coalesce(group_key, '') || convert_to(kind, 'UTF8')"
            " FROM h_north.reservations"
        ).fetchall()
        bodies = connection.execute("SELECT envelope, body FROM h_north.events").fetchall()
    assert len(kept) > len(bodies) == 7
    assert [secret for secret in secrets for (each,) in kept if secret in each] == []
    assert any(CASE_NUMBER.encode() in plaintext_of(*each) for each in bodies), "the search would find it"
    url = database.url_for("ledger_append", ROLE_PASSWORDS["ledger_append"])
    assert isinstance(await verify_stored(url, "north"), Summary)
