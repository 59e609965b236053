"""Every visit of a patient counts, however many pages of claims they fill, on a real PostgreSQL."""

# pyright: reportPrivateUsage=false
# A page of claims is 2,000 rows: the reader is given a smaller one.

from uuid import UUID

import pytest

from ledger.application.ledger import Ledger
from ledger.application.patient_visits import PatientVisits
from ledger.domain.state import RecordState
from tests.contract.edge import requests
from tests.integration.application.written import HOSPITAL, execute, registered_patient

VISITS = 5


@pytest.mark.parametrize("page", [1, 2, VISITS, VISITS + 1])
async def test_no_visit_is_left_out_for_the_size_of_a_page(ledger: Ledger, page: int) -> None:
    """The last visit decides when a record may be destroyed, and it may lie on any page."""
    patient_id = await registered_patient(ledger)
    asked = [requests.register_record(patient_id, number) for number in range(1, VISITS + 1)]
    records = [(await execute(ledger, each)).record_id for each in asked]
    tenant = await ledger._tenants.of(HOSPITAL)
    visits = PatientVisits(tenant.ledger, ledger._reader, tenant.keys, page)
    shown = await visits.of_patient(UUID(patient_id))
    assert sorted(each.record_id for each in shown) == sorted(records)
    state = (await ledger.record(HOSPITAL, records[0])).state
    assert isinstance(state, RecordState)
    counted = await visits.of_record(records[0], state)
    assert sorted(each.record_id for each in counted) == sorted(records)
