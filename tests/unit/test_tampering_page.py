"""The page of the tamper matrix is the declaration that the tests go by."""

from __future__ import annotations

from tests.fault.tampering.changes import Change
from tests.fault.tampering.declaration import THINGS
from tests.fault.tampering.matrix_page import PAGE, page


def test_the_page_is_the_declaration() -> None:
    """Changed cells are changed in docs/tampering.md too: python -m tests.fault.tampering.matrix_page."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_cell_that_is_left_out_says_why() -> None:
    """No cell is empty without a reason, and no two rows have one name."""
    assert all(thing.cell(change).verdict or thing.cell(change).why for thing in THINGS for change in Change)
    assert len({thing.name for thing in THINGS}) == len(THINGS)
