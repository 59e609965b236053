"""The window of a bulk load, and whose order it keeps."""

import asyncio

import pytest

from ledger.api.v1.common_pb2 import CommandContext
from ledger.api.v1.records_pb2 import (
    BulkLoadRequest,
    EndCareRequest,
    RecordEntryRequest,
    RegisterPatientRequest,
    RegisterRecordRequest,
)
from ledger.server.bulk_load import order_key
from ledger.server.bulk_window import BulkWindow


@pytest.mark.parametrize(("commands_max", "bytes_max", "sizes"), [(2, 1000, [1, 1, 1]), (9, 100, [60, 30, 20])])
async def test_a_full_window_makes_the_next_one_wait(commands_max: int, bytes_max: int, sizes: list[int]) -> None:
    """Neither many small commands nor a few large ones pile up."""
    window = BulkWindow(commands_max, bytes_max)
    await window.enter(sizes[0])
    await window.enter(sizes[1])
    third = asyncio.create_task(window.enter(sizes[2]))
    done, _ = await asyncio.wait([third], timeout=0.01)
    assert not done
    window.leave(sizes[0])
    await third


async def test_a_command_larger_than_the_window_gets_in_alone() -> None:
    """A limit smaller than one command must not stop a load for ever."""
    window = BulkWindow(9, 10)
    await window.enter(50)
    window.leave(50)
    await window.enter(50)


def test_commands_of_one_record_or_patient_keep_their_order() -> None:
    """Only commands that could meet in one stream wait for each other."""
    north, south = CommandContext(hospital="north"), CommandContext(hospital="south")
    entry = BulkLoadRequest(record_entry=RecordEntryRequest(context=north, record_id="r1"))
    end = BulkLoadRequest(end_care=EndCareRequest(context=north, record_id="r1"))
    elsewhere = BulkLoadRequest(end_care=EndCareRequest(context=south, record_id="r1"))
    visit = BulkLoadRequest(register_record=RegisterRecordRequest(context=north, patient_id="p1"))
    patient = BulkLoadRequest(register_patient=RegisterPatientRequest(context=north, case_number="c1"))
    assert order_key(entry) == order_key(end)
    assert len({order_key(each) for each in (entry, elsewhere, visit, patient)}) == 4
