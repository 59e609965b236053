"""The news that a package was changed: whose it is, and when it is nobody's business here."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from consumers.receiving_hospital.change import Change, concerns
from consumers.registry import KnownHospital
from consumers.transfer_message import PoisonMessage
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1.transfers_pb2 import ReceivedPackage
from tests.unit.consumers.histories import NORTH, RECORD

SENDER = KnownHospital("north", NORTH, "127.0.0.1:1")
CHANGE = Change(UUID(int=3), "south", NORTH, RECORD)


def _known(state: common.TransferState.ValueType, *, outdated: bool = False) -> ReceivedPackage:
    return ReceivedPackage(package_id="p", sender="north", sender_record_id=str(RECORD), state=state, outdated=outdated)


@pytest.mark.parametrize(
    ("known", "marked"),
    [
        (_known(common.TRANSFER_STATE_VERIFIED), True),
        (_known(common.TRANSFER_STATE_ACCEPTED), True),
        (_known(common.TRANSFER_STATE_ACCEPTED, outdated=True), False),
        (_known(common.TRANSFER_STATE_REJECTED), False),
    ],
)
def test_what_was_taken_is_marked_once(known: ReceivedPackage, *, marked: bool) -> None:
    """Not what was rejected, nor what is marked already."""
    assert concerns(CHANGE, known, "south", SENDER) is marked


@pytest.mark.parametrize(
    ("change", "sender", "why"),
    [
        (replace(CHANGE, recipient="east"), SENDER, "WRONG_RECIPIENT"),
        (CHANGE, None, "SENDER_UNKNOWN"),
        (replace(CHANGE, sender_origin="ledger.example/east/1"), SENDER, "SENDER_UNKNOWN"),
        (replace(CHANGE, record_id=UUID(int=9)), SENDER, "TRANSFER_ID_TAKEN"),
    ],
)
def test_nobody_outdates_what_another_sent(change: Change, sender: KnownHospital | None, why: str) -> None:
    """The ledger that it comes from is that of the package's sender, about the package's record."""
    with pytest.raises(PoisonMessage, match=why):
        concerns(change, _known(common.TRANSFER_STATE_ACCEPTED), "south", sender)
