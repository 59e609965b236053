"""A receipt holds only if the stored events bear out every word of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import pytest

from ledger.api.v1.common_pb2 import EventMeta
from ledger.api.v1.events_pb2 import EntryRecorded
from ledger.cli.demo.receipts import Receipt, not_borne_out
from ledger.trust.sealing import Destroyed, Opened, Opening, SealFault, SealFaultKind
from ledger.trust.verify import Copies, Row

_RECORD = UUID(int=7)
_GOOD = Receipt("c2", str(_RECORD), 3, 3, 2)


def _row(position: int, command_id: str) -> Row:
    body = EntryRecorded(meta=EventMeta(command_id=command_id)).SerializeToString()
    copies = Copies(_RECORD.bytes, position, "ledger.v1.EntryRecorded", 0, b"")
    return Row(position, b"", body, copies)


def _opened(rows: Iterable[Row]) -> list[Opening]:
    return [Opened(row.body) for row in rows]


_ROWS = [_row(1, "c1"), _row(2, "c2"), _row(3, "c2")]


def test_receipts_that_hold() -> None:
    """The first answer, and that of a repetition, which says that nothing was added now."""
    assert not not_borne_out(
        [_GOOD, replace(_GOOD, events=0), Receipt("c1", str(_RECORD), 1, 1, 1)], _ROWS, _opened(_ROWS)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        replace(_GOOD, command_id="c3"),
        replace(_GOOD, record_id=str(UUID(int=8))),
        replace(_GOOD, version=1),
        replace(_GOOD, position=4),
        replace(_GOOD, position=1),
        replace(_GOOD, events=1),
    ],
)
def test_receipts_that_do_not(wrong: Receipt) -> None:
    """Another command, record, version, position or count than what is stored."""
    assert not_borne_out([_GOOD, wrong], _ROWS, _opened(_ROWS)) == [wrong]


def test_a_receipt_of_an_event_that_does_not_open_does_not_hold() -> None:
    """What cannot be read although nothing destroyed it bears nothing out."""
    fault = SealFault(SealFaultKind.KEY_MISSING)
    assert not_borne_out([_GOOD], _ROWS, [*_opened(_ROWS[:2]), fault]) == [_GOOD]


def test_of_a_destroyed_record_position_and_version_must_be_of_one_event() -> None:
    """Nobody can read any more whose command it was."""
    openings = [*_opened(_ROWS[:2]), Destroyed()]
    wrong = replace(_GOOD, position=2)
    assert not_borne_out([_GOOD, wrong], _ROWS, openings) == [wrong]
