"""PostgreSQL's binary rows are read as they were written, or refused where they are cut, longer, or of another form."""

from __future__ import annotations

import io
import struct

import pytest

from ledger.backup.binary_rows import binary_rows
from ledger.backup.faults import BadBackup
from ledger.backup.manifest import Table

TABLE = Table("h_north", "commands", ("id", "text"), "rows/h_north/commands")
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"


def _row(*values: bytes | None) -> bytes:
    parts = [struct.pack(">h", len(values))]
    for value in values:
        parts += [struct.pack(">i", -1)] if value is None else [struct.pack(">i", len(value)), value]
    return b"".join(parts)


WHOLE = _HEADER + _row(b"\x01", b"one") + _row(b"\x02", None) + _END


def test_rows_and_nulls_are_read() -> None:
    """An empty value is not NULL."""
    data = WHOLE[:-2] + _row(b"", b"") + _END
    assert [dict(row) for row in binary_rows(io.BytesIO(data), TABLE)] == [
        {"id": b"\x01", "text": b"one"},
        {"id": b"\x02", "text": None},
        {"id": b"", "text": b""},
    ]


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_file_cut_anywhere_is_refused(end: int) -> None:
    """Also between two rows: the end has a mark of its own."""
    with pytest.raises(BadBackup, match="rows/h_north/commands: "):
        list(binary_rows(io.BytesIO(WHOLE[:end]), TABLE))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"COPY" + WHOLE[4:], "not rows"),
        (WHOLE + b"\x00", "after the last row"),
        (_HEADER + _row(b"\x01") + _END, "1 columns, not 2"),
        (_HEADER + b"\x00\x02" + b"\x7f\xff\xff\xff", "impossible length"),
        (_HEADER + b"\x00\x02" + b"\x80\x00\x00\x00", "impossible length"),
    ],
)
def test_any_other_form_is_refused(data: bytes, said: str) -> None:
    """What is wrong is said, without content."""
    with pytest.raises(BadBackup, match=said):
        list(binary_rows(io.BytesIO(data), TABLE))
