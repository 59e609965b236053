"""A hospital that is closed."""

import asyncio

import psycopg
import pytest

from ledger.store.append import Repeated
from ledger.store.errors import HospitalClosed
from tests.contract.store.ledgers import Ledger, Stream, command


@pytest.mark.parametrize("count", [1, 5, 130])
async def test_a_closed_hospital_takes_no_appends(ledger: Ledger, count: int) -> None:
    """Groups of every size and no-ops are refused by the database; what was appended is told and read as before."""
    before = command(Stream().next_event())
    await ledger.committer.append(before)
    with psycopg.connect(ledger.database.url) as connection:
        connection.execute("UPDATE ledger_control.hospitals SET state = 'closed'")
    appends = [command(Stream().next_event()) for _ in range(count)]
    verdicts = await asyncio.gather(*map(ledger.committer.append, [*appends, command()]), return_exceptions=True)
    assert {type(verdict) for verdict in verdicts} == {HospitalClosed}
    assert isinstance(await ledger.committer.append(before), Repeated)
    assert len(await ledger.reader.read_positions("north")) == 1
